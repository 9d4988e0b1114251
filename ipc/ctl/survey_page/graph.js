// The drawing of the network on a canvas: what is seen of it (zoom and place), what is under the pointer, what is
// marked.

const ZOOM_MIN = 0.02;
const ZOOM_MAX = 12;
const FIT_MARGIN = { left: 36, right: 36, top: 62, bottom: 36 };
const LEGEND_WIDTH = 220; // kept free of nodes where the window is wide
const LEGEND_ROOM_FROM = 760;
const LINKS_A_STROKE = 64; // overlapping translucent links add up between strokes only, and long paths are slow
const LINK_STRENGTH_MIN = 0.05;
const LINK_STRENGTH_MAX = 0.5;
const LABELS_MAX = 60;
const LABEL_FONT = '11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
const HIT_MARGIN = 4;
const CLICK_MOVE_MAX = 4; // pixels: a press that moves no farther is a click

class Graph {
  // on_pick(node or null), on_hover(node or null, {x, y} in pixels of the canvas)
  constructor(canvas, model, layout, colors, { on_pick, on_hover }) {
    Object.assign(this, { canvas, model, layout, colors, on_pick, on_hover });
    this.context = canvas.getContext('2d');
    this.view = { x: 0, y: 0, zoom: 1 };
    this.is_moved = false; // by the user: then it is no longer fitted by itself
    this.selected = null;
    this.hovered = null;
    this.found = new Set();
    this.class_shown = -1;
    this.is_due = false;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#listen();
  }

  set_look(classes, radius) {
    this.classes = classes;
    this.radius = radius;
    this.redraw();
  }

  select(node) {
    this.selected = node;
    this.class_shown = -1;
    this.near = new Set(node === null ? [] : node.links.map((link) => other_end(node, link)));
    this.redraw();
  }

  redraw() {
    if (this.is_due) return;
    this.is_due = true;
    requestAnimationFrame(() => {
      this.is_due = false;
      this.#draw();
    });
  }

  position_of(node) {
    const { x, y, zoom } = this.view;
    return {
      x: (this.layout.x[node.index] - x) * zoom + this.width / 2,
      y: (this.layout.y[node.index] - y) * zoom + this.height / 2,
    };
  }

  fit() {
    this.is_moved = false;
    const { x, y } = this.layout;
    if (x.length === 0) return;
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < x.length; ++i) {
      left = Math.min(left, x[i]);
      right = Math.max(right, x[i]);
      top = Math.min(top, y[i]);
      bottom = Math.max(bottom, y[i]);
    }
    const margin = { ...FIT_MARGIN };
    if (this.width >= LEGEND_ROOM_FROM) margin.left += LEGEND_WIDTH;
    const wide = (this.width - margin.left - margin.right) / Math.max(1, right - left);
    const high = (this.height - margin.top - margin.bottom) / Math.max(1, bottom - top);
    const zoom = Math.min(2.5, Math.max(ZOOM_MIN, Math.min(wide, high)));
    const x_shift = (margin.left - margin.right) / 2 / zoom;
    const y_shift = (margin.top - margin.bottom) / 2 / zoom;
    this.view = { x: (left + right) / 2 - x_shift, y: (top + bottom) / 2 - y_shift, zoom };
    this.redraw();
  }

  centre_on(node) {
    this.is_moved = true;
    const zoom = Math.max(this.view.zoom, Math.min(1.6, this.view.zoom * 2.2));
    this.view = { x: this.layout.x[node.index], y: this.layout.y[node.index], zoom };
    this.redraw();
  }

  zoom_by(factor, at = { x: this.width / 2, y: this.height / 2 }) {
    this.is_moved = true;
    const old = this.view.zoom;
    const zoom = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, old * factor));
    const shift = 1 / old - 1 / zoom; // what is under the pointer stays there
    this.view.x += (at.x - this.width / 2) * shift;
    this.view.y += (at.y - this.height / 2) * shift;
    this.view.zoom = zoom;
    this.redraw();
  }

  pan_by(dx, dy) {
    this.is_moved = true;
    this.view.x -= dx / this.view.zoom;
    this.view.y -= dy / this.view.zoom;
    this.redraw();
  }

  node_at(point) {
    let best = null;
    let best_distance = Infinity;
    for (const node of this.model.nodes) {
      const { x, y } = this.position_of(node);
      const distance = Math.hypot(x - point.x, y - point.y) - this.#radius_of(node);
      if (distance < HIT_MARGIN && distance < best_distance) [best, best_distance] = [node, distance];
    }
    return best;
  }

  #resize() {
    const scale = window.devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.max(1, Math.round(this.width * scale));
    this.canvas.height = Math.max(1, Math.round(this.height * scale));
    this.scale = scale;
    if (!this.is_moved) this.fit();
    this.redraw();
  }

  // Nodes grow more slowly than the picture, so that zooming in parts them.
  #radius_of(node) {
    return Math.max(1.4, this.radius[node.index] * Math.pow(this.view.zoom, 0.45));
  }

  #is_faint(node) {
    if (this.selected !== null) return node !== this.selected && !this.near.has(node) && node !== this.hovered;
    if (this.class_shown !== -1) return this.classes.of[node.index] !== this.class_shown;
    if (this.found.size > 0) return !this.found.has(node);
    return false;
  }

  #draw() {
    if (!this.width || !this.classes) return;
    const { context } = this;
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    this.at = this.model.nodes.map((node) => this.position_of(node));
    this.#draw_links();
    this.#draw_nodes();
    this.#draw_labels();
  }

  #draw_links() {
    const { of } = this.colors;
    const groups = { confirmed: [], one_sided: [], denied: [], marked: [] };
    for (const link of this.model.links) {
      const is_marked = link.from === this.selected || link.to === this.selected;
      groups[is_marked ? 'marked' : link.agreement].push(link);
    }
    const strength = this.#link_strength() * (this.#is_focused() ? 0.35 : 1);
    this.#stroke(groups.confirmed, of.link, strength, 0.8, []);
    this.#stroke(groups.one_sided, of['link-one-sided'], Math.min(0.8, strength * 1.5), 0.8, [1.5, 3]);
    this.#stroke(groups.denied, of['link-denied'], this.#is_focused() ? 0.25 : 0.75, 1.2, [5, 3]);
    for (const agreement of ['confirmed', 'one_sided', 'denied']) {
      const links = groups.marked.filter((link) => link.agreement === agreement);
      const dash = { confirmed: [], one_sided: [1.5, 3], denied: [5, 3] }[agreement];
      this.#stroke(links, agreement === 'denied' ? of['link-denied'] : of.accent, 0.8, 1.3, dash);
    }
  }

  // The more of the picture links would cover, the fainter they are, lest they hide the nodes.
  #link_strength() {
    const longest = Math.hypot(this.width, this.height);
    let length = 0;
    for (const { from, to } of this.model.links) {
      const a = this.at[from.index];
      const b = this.at[to.index];
      if (this.#may_show(a, b)) length += Math.min(longest, Math.hypot(a.x - b.x, a.y - b.y));
    }
    const cover = length / (this.width * this.height);
    return Math.min(LINK_STRENGTH_MAX, Math.max(LINK_STRENGTH_MIN, 0.16 / Math.pow(cover, 0.8)));
  }

  #is_focused() {
    return this.selected !== null || this.class_shown !== -1 || this.found.size > 0;
  }

  #stroke(links, color, alpha, width, dash) {
    const { context, at } = this;
    context.strokeStyle = color;
    context.globalAlpha = alpha;
    context.lineWidth = width;
    context.setLineDash(dash);
    for (let first = 0; first < links.length; first += LINKS_A_STROKE) {
      context.beginPath();
      for (const { from, to } of links.slice(first, first + LINKS_A_STROKE)) {
        const a = at[from.index];
        const b = at[to.index];
        if (!this.#may_show(a, b)) continue;
        context.moveTo(a.x, a.y);
        context.lineTo(b.x, b.y);
      }
      context.stroke();
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  #may_show(a, b) {
    const { width, height } = this;
    return (
      Math.max(a.x, b.x) > 0 && Math.min(a.x, b.x) < width && Math.max(a.y, b.y) > 0 && Math.min(a.y, b.y) < height
    );
  }

  #draw_nodes() {
    const faint = [];
    const strong = [];
    for (const node of this.model.nodes) (this.#is_faint(node) ? faint : strong).push(node);
    this.context.globalAlpha = 0.22;
    for (const node of faint) this.#draw_node(node);
    this.context.globalAlpha = 1;
    for (const node of strong) this.#draw_node(node);
    if (this.selected !== null) this.#ring(this.selected, this.colors.of.accent, 3);
    if (this.hovered !== null) this.#ring(this.hovered, this.colors.of.text, 2);
  }

  // A validator is a diamond, the surveyor wears a ring, and who did not answer is hollow: told without colour.
  #draw_node(node) {
    const { context, colors } = this;
    const { x, y } = this.at[node.index];
    const radius = this.#radius_of(node);
    if (x < -radius || y < -radius || x > this.width + radius || y > this.height + radius) return;
    const color = colors.class_color(this.classes.classes[this.classes.of[node.index]].color);
    context.beginPath();
    if (node.is_validator === true) {
      const reach = radius * 1.25;
      context.moveTo(x, y - reach);
      context.lineTo(x + reach, y);
      context.lineTo(x, y + reach);
      context.lineTo(x - reach, y);
      context.closePath();
    } else {
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    if (node.told === null) {
      context.fillStyle = colors.of.background;
      context.fill();
      context.strokeStyle = color;
      context.lineWidth = 1.4;
    } else {
      context.fillStyle = color;
      context.fill();
      context.strokeStyle = colors.of.background;
      context.lineWidth = 0.8;
    }
    context.stroke();
    if (node === this.model.surveyor) this.#ring(node, colors.of.text, 3.5);
  }

  #ring(node, color, distance) {
    const { context } = this;
    const { x, y } = this.at[node.index];
    context.beginPath();
    context.arc(x, y, this.#radius_of(node) * (node.is_validator ? 1.25 : 1) + distance, 0, 2 * Math.PI);
    context.strokeStyle = color;
    context.lineWidth = 1.8;
    context.stroke();
  }

  // The selected and the hovered one always; the others where there is room for them, the best connected first.
  #draw_labels() {
    const first = [this.selected, this.hovered].filter((node) => node !== null);
    const in_sight = (node) => {
      const { x, y } = this.at[node.index];
      return x > 0 && y > 0 && x < this.width && y < this.height;
    };
    const wanted = this.selected !== null ? [...this.near] : this.found.size > 0 ? [...this.found] : this.model.nodes;
    const others = wanted
      .filter((node) => in_sight(node) && !this.#is_faint(node))
      .sort((a, b) => b.degree - a.degree || a.index - b.index);
    if (this.selected === null && others.length > LABELS_MAX) others.length = 0;
    this.context.font = LABEL_FONT;
    this.context.textBaseline = 'middle';
    const taken = [];
    for (const node of first) this.#label(node, taken, true);
    for (const node of others.slice(0, LABELS_MAX)) if (!first.includes(node)) this.#label(node, taken, false);
  }

  #label(node, taken, is_forced) {
    const { context, colors } = this;
    const width = context.measureText(node.short).width;
    const reach = this.#radius_of(node) + 6;
    const { x, y } = this.at[node.index];
    const left = x + reach + width < this.width ? x + reach : x - reach - width;
    const box = { left: left - 3, right: left + width + 3, top: y - 8, bottom: y + 8 };
    const is_over = (other) =>
      box.left < other.right && box.right > other.left && box.top < other.bottom && box.bottom > other.top;
    if (!is_forced && taken.some(is_over)) return;
    taken.push(box);
    context.lineWidth = 4;
    context.lineJoin = 'round';
    context.strokeStyle = colors.of.halo;
    context.strokeText(node.short, left, y);
    context.fillStyle = is_forced ? colors.of.text : colors.of.muted;
    context.fillText(node.short, left, y);
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #listen() {
    const { canvas } = this;
    let press = null;
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      press = { start: this.#point(event), last: this.#point(event), is_drag: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener('pointermove', (event) => {
      const point = this.#point(event);
      if (press === null) return this.#hover(this.node_at(point), point);
      if (Math.hypot(point.x - press.start.x, point.y - press.start.y) > CLICK_MOVE_MAX) press.is_drag = true;
      if (press.is_drag) this.pan_by(point.x - press.last.x, point.y - press.last.y);
      press.last = point;
    });
    canvas.addEventListener('pointerup', (event) => {
      if (press !== null && !press.is_drag) this.on_pick(this.node_at(this.#point(event)));
      press = null;
    });
    canvas.addEventListener('pointercancel', () => (press = null));
    canvas.addEventListener('pointerleave', () => this.#hover(null, null));
    const on_wheel = (event) => {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === 1 ? 30 : 1);
      this.zoom_by(Math.exp(-Math.max(-300, Math.min(300, pixels)) * 0.0022), this.#point(event));
    };
    canvas.addEventListener('wheel', on_wheel, { passive: false });
    canvas.addEventListener('keydown', (event) => this.#on_key(event));
  }

  #on_key(event) {
    const step = 60;
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key in moves) this.pan_by(...moves[event.key]);
    else if (event.key === '+' || event.key === '=') this.zoom_by(1.3);
    else if (event.key === '-') this.zoom_by(1 / 1.3);
    else if (event.key === '0') this.fit();
    else if (event.key === 'Escape') this.on_pick(null);
    else return;
    event.preventDefault();
  }

  #hover(node, point) {
    if (node !== this.hovered) {
      this.hovered = node;
      this.canvas.classList.toggle('over-node', node !== null);
      this.redraw();
    }
    this.on_hover(node, point);
  }
}
