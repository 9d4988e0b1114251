// Reads the result out of the page and joins the parts.

const DRAW_EVERY_MS = 120; // while nodes find their places

class Page {
  constructor(model) {
    this.model = model;
    this.colors = new Colors();
    this.layout = new Layout(model);
    this.selected = null;
    this.matches = [];
    this.match_at = -1;
    this.drawn_at = -Infinity;
    this.graph = new Graph(by_element_id('graph'), model, this.layout, this.colors, {
      on_pick: (node) => this.select(node),
      on_hover: (node, point) => this.#show_tooltip(node, point),
    });
    this.panel = new Panel(by_element_id('panel'), model, (node, centre) => this.select(node, centre ?? true));
    this.#make_tables();
    this.#make_selects();
    this.#listen();
    this.#show_summary();
    this.panel.show(null);
    this.layout.run(() => this.#on_layout());
  }

  // centre: move the graph there, for it was picked elsewhere.
  select(node, centre = false) {
    this.selected = node;
    this.graph.select(node);
    this.#show_legend();
    this.panel.show(node);
    if (node !== null && centre) this.graph.centre_on(node);
    if (node !== null) this.nodes_table.scroll_to(node);
    this.nodes_table.redraw();
    this.links_table.redraw();
  }

  #make_tables() {
    this.nodes_table = new Table(by_element_id('nodes'), {
      name: 'Nodes',
      columns: node_columns(),
      on_pick: (node) => this.select(node, true),
      is_marked: (node) => node === this.selected,
      sort: 4,
      descending: true,
    });
    this.links_table = new Table(by_element_id('links'), {
      name: 'Links',
      columns: link_columns(),
      on_pick: (link) => this.select(link.from === this.selected ? link.to : link.from, true),
      is_marked: (link) => this.selected !== null && (link.from === this.selected || link.to === this.selected),
    });
    this.nodes_table.show(this.model.nodes);
    this.links_table.show(this.model.links);
    const tabs = [by_element_id('tab-nodes'), by_element_id('tab-links')];
    const open = (tab) => {
      for (const one of tabs) {
        one.setAttribute('aria-selected', String(one === tab));
        one.tabIndex = one === tab ? 0 : -1;
        by_element_id(one.getAttribute('aria-controls')).hidden = one !== tab;
      }
    };
    tabs.forEach((tab, index) => {
      tab.addEventListener('click', () => open(tab));
      tab.addEventListener('keydown', (event) => {
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
        open(tabs[1 - index]);
        tabs[1 - index].focus();
      });
    });
  }

  #make_selects() {
    const color = by_element_id('color');
    const size = by_element_id('size');
    color.append(...METRICS.map(({ key, label }) => make('option', { value: key }, label)));
    size.append(...SIZES.map(({ key, label }) => make('option', { value: key }, label)));
    const apply = () => {
      this.metric = METRICS.find((metric) => metric.key === color.value);
      this.graph.class_shown = -1;
      this.classes = classify(this.metric, this.model.nodes);
      const by = SIZES.find((one) => one.key === size.value);
      this.graph.set_look(this.classes, radii(by, this.model.nodes));
      this.#show_legend();
    };
    color.addEventListener('change', apply);
    size.addEventListener('change', apply);
    this.colors.on_change(() => {
      this.#show_legend();
      this.graph.redraw();
    });
    apply();
  }

  // Each class is a button that shows its nodes alone.
  #show_legend() {
    const entries = this.classes.classes.map((one, index) => {
      const swatch = make('span', { class: 'swatch' });
      swatch.style.backgroundColor = this.colors.class_color(one.color);
      const label = make('span', { class: 'label', title: one.label }, one.label);
      const count = make('span', { class: 'count' }, count_text(one.count));
      const is_shown = this.graph.class_shown === index;
      const button = make('button', { type: 'button', 'aria-pressed': String(is_shown) }, swatch, label, count);
      button.addEventListener('click', () => {
        this.select(null);
        this.graph.class_shown = is_shown ? -1 : index;
        this.#show_legend();
        by_element_id('legend-classes').children[index].firstChild.focus();
      });
      return make('li', {}, button);
    });
    by_element_id('legend-title').textContent = this.metric.label;
    by_element_id('legend-classes').replaceChildren(...entries);
  }

  #listen() {
    const search = by_element_id('search');
    search.addEventListener('input', () => this.#search(search.value));
    search.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.#next_match(event.shiftKey ? -1 : 1);
      else if (event.key === 'Escape') this.#search((search.value = ''));
      else return;
      event.preventDefault();
    });
    by_element_id('zoom-in').addEventListener('click', () => this.graph.zoom_by(1.4));
    by_element_id('zoom-out').addEventListener('click', () => this.graph.zoom_by(1 / 1.4));
    by_element_id('zoom-fit').addEventListener('click', () => this.graph.fit());
  }

  // By a part of the id or of the version; the only match, or the one whose id is typed in full, is selected at once.
  #search(text) {
    const wanted = text.trim().toLowerCase();
    const has = (node) => node.id.toLowerCase().includes(wanted) || node.version.toLowerCase().includes(wanted);
    this.matches = wanted === '' ? [] : this.model.nodes.filter(has);
    this.match_at = -1;
    const found = new Set(this.matches);
    this.graph.found = found;
    this.graph.redraw();
    this.nodes_table.show(wanted === '' ? this.model.nodes : this.matches);
    const near = this.model.links.filter((link) => found.has(link.from) || found.has(link.to));
    this.links_table.show(wanted === '' ? this.model.links : near);
    if (this.matches.length === 1) this.#next_match(1);
    else if (wanted !== '') this.select(null);
    this.#show_matches(wanted);
  }

  #next_match(step) {
    const count = this.matches.length;
    if (count === 0) return;
    this.match_at = this.match_at === -1 && step < 0 ? count - 1 : (this.match_at + step + count) % count;
    this.select(this.matches[this.match_at], true);
    this.#show_matches('+');
  }

  #show_matches(wanted) {
    const count = this.matches.length;
    let text = '';
    if (wanted !== '' && count === 0) text = 'no match';
    else if (count === 1) text = '1 match';
    else if (count > 1 && this.match_at >= 0) text = this.match_at + 1 + ' of ' + count_text(count);
    else if (count > 1) text = count_text(count) + ' matches, Enter selects';
    by_element_id('matches').textContent = text;
  }

  #show_summary() {
    const { model } = this;
    const told = model.nodes.filter((node) => node.told !== null).length;
    const facts = [
      ['nodes', 'Nodes', model.nodes.length],
      ['answered', 'Answered', told],
      ['silent', 'No answer', model.nodes.length - told],
      ['links', 'Links', model.links.length],
      ['one-sided', 'One-sided', model.count_links('one_sided')],
      ['denied', 'Denied', model.count_links('denied')],
    ];
    const list = facts.map(([key, label, value]) =>
      make('div', {}, make('dt', {}, label), make('dd', { 'data-key': key }, count_text(value))),
    );
    by_element_id('summary').replaceChildren(...list);
    const about = [];
    if (model.nonce !== null) about.push('nonce ' + model.nonce);
    if (model.surveyor !== null) about.push('by ' + model.surveyor.short);
    if (model.began > 0 && model.began < LATEST_SECONDS) about.push(date_text(model.began));
    if (model.in_progress) about.push('still under way');
    if (model.ended_early !== '') about.push('ended early: ' + model.ended_early);
    if (model.refused > 0) about.push('no room for ' + count_text(model.refused) + ' more nodes');
    by_element_id('about').textContent = about.join(' · ');
  }

  #show_tooltip(node, point) {
    const tooltip = by_element_id('tooltip');
    tooltip.hidden = node === null;
    if (node === null) return;
    const rows = [
      ['Links', count_text(node.degree)],
      ['Version', node.version || NOT_TOLD],
      ['Answer', STATE_TEXT[node.state]],
    ];
    if (this.metric.label !== 'Links' && this.metric.name === undefined) {
      rows.unshift([this.metric.label, metric_text(this.metric, node)]);
    }
    const list = make('dl');
    for (const [label, text] of rows) list.append(make('dt', {}, label), make('dd', {}, text));
    tooltip.replaceChildren(make('p', { class: 'id' }, node.short), list);
    const { width, height } = this.graph;
    const left = point.x + 16 + tooltip.offsetWidth < width ? point.x + 16 : point.x - 16 - tooltip.offsetWidth;
    const top = point.y + 16 + tooltip.offsetHeight < height ? point.y + 16 : point.y - 16 - tooltip.offsetHeight;
    tooltip.style.left = Math.max(0, left) + 'px';
    tooltip.style.top = Math.max(0, top) + 'px';
  }

  // Drawing costs more than a slice of the layout, so not each of them is shown.
  #on_layout() {
    const { is_settled, progress } = this.layout;
    const now = performance.now();
    if (!is_settled && now - this.drawn_at < DRAW_EVERY_MS) return;
    this.drawn_at = now;
    if (!this.graph.is_moved) this.graph.fit();
    this.graph.redraw();
    const status = by_element_id('layout-status');
    status.hidden = is_settled;
    status.textContent = 'Arranging ' + Math.round(progress * 100) + ' %';
    by_element_id('empty').hidden = this.model.nodes.length > 0;
  }
}

function start() {
  let result;
  try {
    result = JSON.parse(by_element_id('survey-data').textContent);
  } catch {
    by_element_id('empty').textContent = 'The result in this page cannot be read: it is not JSON.';
    by_element_id('empty').hidden = false;
    return;
  }
  const page = new Page(new Model(object_of(result)));

  // For tests and for whoever drives the page by a script: where a node is drawn, in pixels of the window (null: there
  // is no such node), whether the drawing rests, and which node is selected (null: none).
  window.surveyPage = Object.freeze({
    positionOf(id) {
      const node = page.model.by_id.get(id);
      if (node === undefined) return null;
      const box = page.graph.canvas.getBoundingClientRect();
      const { x, y } = page.graph.position_of(node);
      return { x: box.left + x, y: box.top + y };
    },
    isSettled: () => page.layout.is_settled,
    selected: () => page.selected?.id ?? null,
  });
}

start();
