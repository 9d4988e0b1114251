// The panel beside the graph: a selected node's numbers and links, or, with none selected, who did not answer and why.

const NODE_ROWS = [
  ['Added peers', 'addedAuthenticatedPeers', count_text],
  ['Dropped peers', 'droppedAuthenticatedPeers', count_text],
  ['Inbound peers, as it says', 'numTotalInboundPeers', count_text],
  ['Outbound peers, as it says', 'numTotalOutboundPeers', count_text],
  ['Most inbound peers', 'maxInboundPeerCount', count_text],
  ['Most outbound peers', 'maxOutboundPeerCount', count_text],
  ['SCP first to self, p75', 'p75SCPFirstToSelfLatencyMs', ms_text],
  ['SCP self to other, p75', 'p75SCPSelfToOtherLatencyMs', ms_text],
  ['Times sync was lost', 'lostSyncCount', count_text],
];
const OWN_ROWS = [
  ['Links found', 'degree', (node) => count_text(node.degree)],
  ['Inbound, outbound', 'directions', (node) => count_text(node.inbound) + ', ' + count_text(node.outbound)],
  ['Median latency', 'latency', (node) => ms_text(node.latency)],
  ['Bytes on all links', 'bytes', (node) => bytes_text(node.bytes)],
  ['Share of duplicates', 'duplicates', (node) => share_text(node.duplicates)],
];

class Panel {
  constructor(host, model, select) {
    Object.assign(this, { host, model, select });
  }

  show(node) {
    this.host.replaceChildren(...(node === null ? this.#overview() : this.#node(node)));
    if (node !== null) this.#links(node);
    this.host.scrollTop = 0;
  }

  #node(node) {
    const close = make('button', { type: 'button', class: 'plain', id: 'close-node' }, 'Close');
    close.addEventListener('click', () => this.select(null));
    const marks = make('p', { class: 'marks' }, this.#mark(STATE_TEXT[node.state], 'state-' + node.state));
    if (node.is_validator === true) marks.append(this.#mark('validator', 'plain-mark'));
    if (node === this.model.surveyor) marks.append(this.#mark('surveyor', 'plain-mark'));
    const parts = [
      make('div', { class: 'panel-head' }, make('h2', {}, 'Node'), close),
      make('p', { class: 'id', id: 'node-id' }, node.id),
      marks,
      make('p', { class: 'version', id: 'node-version' }, node.version || 'Nobody told its version.'),
    ];
    if (node.state !== 'answered') parts.push(...this.#why_not(node));
    const list = make('dl', { id: 'node-numbers' });
    for (const [label, key, text] of OWN_ROWS) this.#number(list, label, key, text(node));
    if (node.told !== null) {
      for (const [label, key, text] of NODE_ROWS) this.#number(list, label, key, text(node.numbers[key]));
    }
    this.links_host = make('div', { class: 'table-host', id: 'panel-links' });
    parts.push(list, make('h3', {}, 'Its links'), this.links_host);
    return parts;
  }

  #mark(text, style) {
    return make('span', { class: 'mark ' + style }, text);
  }

  #number(list, label, key, text) {
    list.append(make('dt', {}, label), make('dd', { 'data-key': key }, text));
  }

  #why_not(node) {
    let text = 'It told of a part of its links only.';
    if (node.told === null) text = 'It told nothing of itself; what is here was told by its neighbours.';
    if (node.requests !== null) text += ' Requests sent to it: ' + count_text(node.requests) + '.';
    if (node.bad_responses > 0) text += ' Bad answers: ' + count_text(node.bad_responses) + '.';
    if (node.named_by > 0) text += ' Nodes that name it: ' + count_text(node.named_by) + '.';
    const parts = [make('p', { class: 'note' }, text)];
    if (node.detail !== '') parts.push(make('p', { class: 'note', id: 'node-detail' }, node.detail));
    return parts;
  }

  #links(node) {
    const other = (link) => other_end(node, link);
    const columns = [
      {
        key: 'node',
        label: 'Node',
        text: (link) => other(link).short,
        title: (link) => other(link).id,
        width: 108,
        style: 'id',
      },
      { key: 'way', label: 'Way', text: (link) => (link.to === node ? 'in' : 'out'), width: 54 },
      {
        key: 'latency',
        label: 'Latency',
        text: (link) => ms_text(link.latency),
        number: (link) => link.latency,
        width: 86,
      },
      { key: 'bytes', label: 'Bytes', text: (link) => bytes_text(link.bytes), number: (link) => link.bytes, width: 76 },
      {
        key: 'agreement',
        label: 'Link',
        text: (link) => AGREEMENT_TEXT[link.agreement],
        width: 116,
        mark: agreement_mark,
      },
    ];
    for (const column of columns) {
      column.sort = column.number ?? column.text;
      column.numeric = column.number !== undefined;
    }
    columns[0].sort = (link) => other(link).id;
    const table = new Table(this.links_host, {
      name: 'Links of the selected node',
      columns,
      on_pick: (link) => this.select(other(link)),
    });
    table.show(node.links);
  }

  #overview() {
    const parts = [make('div', { class: 'panel-head' }, make('h2', {}, 'Who did not answer'))];
    const silent = this.model.nodes.filter((node) => node.state !== 'answered');
    if (this.model.nodes.length === 0) parts.push(make('p', { class: 'note' }, 'The result names no node.'));
    else if (silent.length === 0) parts.push(make('p', { class: 'note' }, 'Every node answered in full.'));
    const counts = make('p', { class: 'marks' });
    for (const [state, text] of Object.entries(STATE_TEXT)) {
      const count = this.model.count_nodes(state);
      if (count > 0) counts.append(this.#mark(count_text(count) + ' ' + text, 'state-' + state));
    }
    parts.push(counts);
    parts.push(
      make('p', { class: 'note' }, 'Select a node, in the graph or in a table, to see its numbers and links.'),
    );
    this.silent_host = make('div', { class: 'table-host', id: 'panel-silent' });
    if (silent.length > 0) parts.push(this.silent_host);
    const columns = [
      { key: 'node', label: 'Node', text: (node) => node.short, title: (node) => node.id, width: 108, style: 'id' },
      { key: 'state', label: 'Why', text: (node) => STATE_TEXT[node.state], width: 98 },
      {
        key: 'named',
        label: 'Links',
        text: (node) => count_text(node.degree),
        sort: (node) => node.degree,
        numeric: true,
        width: 68,
      },
      { key: 'detail', label: 'Detail', text: (node) => node.detail || NOT_TOLD, width: 126 },
    ];
    for (const column of columns) column.sort ??= column.text;
    if (silent.length > 0) {
      const options = { name: 'Nodes that did not answer', columns, on_pick: (node) => this.select(node, true) };
      new Table(this.silent_host, options).show(silent);
    }
    return parts;
  }
}

function agreement_mark(link) {
  return link.agreement === 'denied' ? 'warn' : link.agreement === 'one_sided' ? 'faint' : null;
}
