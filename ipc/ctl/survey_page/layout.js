// Where the nodes stand. Links pull like springs, nodes push one another away (Barnes and Hut: what is far counts as
// one heap), and a weak pull to the middle keeps the parts of a torn network in sight. The start is fixed and nothing
// is random, so a result looks the same each time.

const LAYOUT_STEPS = 320;
const LAYOUT_SLICE_MS = 14; // of computing between two turns of the browser
const LAYOUT_OPENING = 0.9; // a heap counts as one from a distance of its width / this
const LAYOUT_PUSH = 120;
const LAYOUT_SPRING = 60;
const LAYOUT_MIDDLE_X = 0.022; // less than downwards: windows are wider than high
const LAYOUT_MIDDLE_Y = 0.05;
const LAYOUT_MIDDLE_LONE = 2.5; // times as much, for what no link holds
const LAYOUT_DRAG = 0.6;
const TREE_DEPTH_MAX = 28; // points in one place share a cell

// A square and what is in it: its weight, the centre of that, and either four smaller squares or one heap.
class QuadTree {
  constructor(capacity) {
    this.size = Math.max(64, capacity * 4);
    this.child = new Int32Array(this.size * 4);
    this.weight = new Float64Array(this.size);
    this.x = new Float64Array(this.size);
    this.y = new Float64Array(this.size);
    this.is_leaf = new Uint8Array(this.size);
    this.stack = new Int32Array(4 * TREE_DEPTH_MAX + 8);
    this.width_stack = new Float64Array(4 * TREE_DEPTH_MAX + 8);
  }

  #new_cell() {
    if (this.count === this.size) this.#grow();
    const cell = this.count++;
    this.child.fill(-1, cell * 4, cell * 4 + 4);
    this.weight[cell] = 0;
    this.x[cell] = 0;
    this.y[cell] = 0;
    this.is_leaf[cell] = 1;
    return cell;
  }

  #grow() {
    const bigger = (Type, old) => {
      const grown = new Type(old.length * 2);
      grown.set(old);
      return grown;
    };
    this.size *= 2;
    this.child = bigger(Int32Array, this.child);
    this.weight = bigger(Float64Array, this.weight);
    this.x = bigger(Float64Array, this.x);
    this.y = bigger(Float64Array, this.y);
    this.is_leaf = bigger(Uint8Array, this.is_leaf);
  }

  build(x, y, weight) {
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < x.length; ++i) {
      left = Math.min(left, x[i]);
      right = Math.max(right, x[i]);
      top = Math.min(top, y[i]);
      bottom = Math.max(bottom, y[i]);
    }
    this.width = Math.max(right - left, bottom - top, 1);
    this.left = left;
    this.top = top;
    this.count = 0;
    this.#new_cell();
    for (let i = 0; i < x.length; ++i) this.#insert(x[i], y[i], weight[i]);
  }

  #insert(x, y, weight) {
    let [cell, left, top, width] = [0, this.left, this.top, this.width];
    for (let depth = 0; ; ++depth) {
      const is_empty = this.weight[cell] === 0;
      if (this.is_leaf[cell] === 1 && !is_empty && depth < TREE_DEPTH_MAX) {
        const heap = this.#child_at(cell, this.x[cell], this.y[cell], left, top, width / 2);
        this.weight[heap] = this.weight[cell];
        this.x[heap] = this.x[cell];
        this.y[heap] = this.y[cell];
        this.is_leaf[cell] = 0;
      }
      const total = this.weight[cell] + weight;
      this.x[cell] += ((x - this.x[cell]) * weight) / total;
      this.y[cell] += ((y - this.y[cell]) * weight) / total;
      this.weight[cell] = total;
      if (this.is_leaf[cell] === 1) return;
      width /= 2;
      const next = this.#child_at(cell, x, y, left, top, width);
      if (x >= left + width) left += width;
      if (y >= top + width) top += width;
      cell = next;
    }
  }

  #child_at(cell, x, y, left, top, half) {
    const slot = cell * 4 + (x >= left + half ? 1 : 0) + (y >= top + half ? 2 : 0);
    if (this.child[slot] === -1) {
      const made = this.#new_cell();
      this.child[slot] = made; // after #new_cell, which may have replaced the array
    }
    return this.child[slot];
  }

  // Adds to push[0], push[1] what everything in the tree does to a point, as weight / distance away from it.
  push_at(x, y, push) {
    const { stack, width_stack } = this;
    let depth = 1;
    stack[0] = 0;
    width_stack[0] = this.width;
    while (depth > 0) {
      const cell = stack[--depth];
      const width = width_stack[depth];
      const dx = x - this.x[cell];
      const dy = y - this.y[cell];
      const square = dx * dx + dy * dy;
      if (this.is_leaf[cell] === 1 || width * width < square * LAYOUT_OPENING * LAYOUT_OPENING) {
        const pull = this.weight[cell] / Math.max(square, 16);
        push[0] += dx * pull;
        push[1] += dy * pull;
        continue;
      }
      for (let slot = cell * 4; slot < cell * 4 + 4; ++slot) {
        if (this.child[slot] === -1) continue;
        stack[depth] = this.child[slot];
        width_stack[depth++] = width / 2;
      }
    }
  }
}

class Layout {
  constructor(model) {
    const count = model.nodes.length;
    this.x = new Float64Array(count);
    this.y = new Float64Array(count);
    this.speed_x = new Float64Array(count);
    this.speed_y = new Float64Array(count);
    this.weight = new Float64Array(count).fill(1);
    this.tree = new QuadTree(count);
    this.step_count = 0;
    this.from = Int32Array.from(model.links, (link) => link.from.index);
    this.to = Int32Array.from(model.links, (link) => link.to.index);
    this.strength = link_strengths(model);
    this.middle = Float64Array.from(model.nodes, (node) => (node.degree === 0 ? LAYOUT_MIDDLE_LONE : 1));
    this.degree = Float64Array.from(model.nodes, (node) => Math.max(1, node.degree));
    start_order(model).forEach((node, place) => {
      const radius = 14 * Math.sqrt(place + 0.5);
      const angle = place * Math.PI * (3 - Math.sqrt(5));
      this.x[node.index] = radius * Math.cos(angle);
      this.y[node.index] = radius * Math.sin(angle);
    });
  }

  get is_settled() {
    return this.step_count >= LAYOUT_STEPS || this.x.length < 2;
  }

  get progress() {
    return this.is_settled ? 1 : this.step_count / LAYOUT_STEPS;
  }

  // Computes for a slice of time and comes back by itself until all is settled.
  run(on_slice) {
    const slice = () => {
      const end = performance.now() + LAYOUT_SLICE_MS;
      while (!this.is_settled && performance.now() < end) this.#step();
      on_slice();
      if (!this.is_settled) setTimeout(slice, 0);
    };
    slice();
  }

  #step() {
    const heat = Math.pow(0.001, this.step_count / LAYOUT_STEPS);
    this.step_count += 1;
    this.#pull_links(heat);
    this.tree.build(this.x, this.y, this.weight);
    const push = [0, 0];
    for (let i = 0; i < this.x.length; ++i) {
      push[0] = push[1] = 0;
      this.tree.push_at(this.x[i], this.y[i], push);
      this.speed_x[i] += (push[0] * LAYOUT_PUSH - this.x[i] * this.middle[i] * LAYOUT_MIDDLE_X) * heat;
      this.speed_y[i] += (push[1] * LAYOUT_PUSH - this.y[i] * this.middle[i] * LAYOUT_MIDDLE_Y) * heat;
    }
    for (let i = 0; i < this.x.length; ++i) {
      this.x[i] += this.speed_x[i] *= LAYOUT_DRAG;
      this.y[i] += this.speed_y[i] *= LAYOUT_DRAG;
    }
  }

  // The end with more links moves less.
  #pull_links(heat) {
    const { x, y, speed_x, speed_y, from, to, degree } = this;
    for (let k = 0; k < from.length; ++k) {
      const a = from[k];
      const b = to[k];
      const dx = x[b] + speed_x[b] - x[a] - speed_x[a];
      const dy = y[b] + speed_y[b] - y[a] - speed_y[a];
      const distance = Math.sqrt(dx * dx + dy * dy) || 1;
      const pull = ((distance - LAYOUT_SPRING) / distance) * heat * this.strength[k];
      const share = degree[a] / (degree[a] + degree[b]);
      speed_x[b] -= dx * pull * share;
      speed_y[b] -= dy * pull * share;
      speed_x[a] += dx * pull * (1 - share);
      speed_y[a] += dy * pull * (1 - share);
    }
  }
}

// Links between nodes that have neighbours in common pull more than those that bridge the network: without that, a
// network of well connected nodes is drawn as one ball.
function link_strengths(model) {
  const neighbours = model.nodes.map((node) => new Set(node.links.map((link) => other_end(node, link).index)));
  return Float64Array.from(model.links, (link) => {
    let [few, many] = [neighbours[link.from.index], neighbours[link.to.index]];
    if (few.size > many.size) [few, many] = [many, few];
    let shared = 0;
    for (const index of few) if (many.has(index)) shared += 1;
    const closeness = few.size > 1 ? shared / (few.size - 1) : 1;
    return (0.05 + 0.55 * closeness) / Math.sqrt(few.size);
  });
}

// Breadth first from the best connected node of each part, so that neighbours start near one another.
function start_order(model) {
  const by_degree = [...model.nodes].sort((a, b) => b.degree - a.degree || a.index - b.index);
  const seen = new Uint8Array(model.nodes.length);
  const order = [];
  for (const first of by_degree) {
    if (seen[first.index] === 1) continue;
    seen[first.index] = 1;
    order.push(first);
    for (let at = order.length - 1; at < order.length; ++at) {
      for (const link of order[at].links) {
        const next = other_end(order[at], link);
        if (seen[next.index] === 1) continue;
        seen[next.index] = 1;
        order.push(next);
      }
    }
  }
  return order;
}
