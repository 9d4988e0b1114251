'use strict';
// The result as nodes and links. Everything in it was told by strangers: a key may be absent, a number absurd, a text
// anything at all. What is not as it should be counts as not told (null), and the rest is shown all the same.

const NODE_NUMBERS = [
  'addedAuthenticatedPeers',
  'droppedAuthenticatedPeers',
  'numTotalInboundPeers',
  'numTotalOutboundPeers',
  'maxInboundPeerCount',
  'maxOutboundPeerCount',
  'p75SCPFirstToSelfLatencyMs',
  'p75SCPSelfToOtherLatencyMs',
  'lostSyncCount',
];
const LINK_NUMBERS = [
  'messagesRead',
  'messagesWritten',
  'bytesRead',
  'bytesWritten',
  'secondsConnected',
  'uniqueFloodBytesRecv',
  'duplicateFloodBytesRecv',
  'uniqueFetchBytesRecv',
  'duplicateFetchBytesRecv',
  'uniqueFloodMessageRecv',
  'duplicateFloodMessageRecv',
  'uniqueFetchMessageRecv',
  'duplicateFetchMessageRecv',
  'averageLatencyMs',
];
// How much is known of a link: both ends name it; one does, and the other did not tell of its links, or not of all; one
// does, and the other told of all its links without it.
const AGREEMENT_TEXT = { confirmed: 'confirmed', one_sided: 'one-sided', denied: 'denied' };
const STATE_TEXT = {
  answered: 'answered',
  truncated: 'truncated',
  silent: 'silent',
  unpermitted: 'unpermitted',
  bad: 'bad answers',
  not_asked: 'not asked',
  waiting: 'waiting',
  unknown: 'no answer',
};

const TEXT_MAX = 200;

function object_of(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}

function list_of(value) {
  return Array.isArray(value) ? value : [];
}

// JSON writers disagree on whether 64 bits fit a number, so digits in a string count too.
function number_of(value) {
  const number = typeof value === 'string' && /^\d{1,20}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : null;
}

// Control characters and those that turn the direction of writing would let one cell garble its neighbours.
function text_of(value) {
  if (typeof value !== 'string') return '';
  const cut = value.length > TEXT_MAX ? value.slice(0, TEXT_MAX) + '…' : value;
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '\ufffd');
}

function short_id(id) {
  return id.length > 12 ? id.slice(0, 5) + '…' + id.slice(-4) : id;
}

function numbers_of(source, keys) {
  const numbers = {};
  for (const key of keys) numbers[key] = number_of(source[key]);
  return numbers;
}

function sum_known(values) {
  let sum = null;
  for (const value of values) if (value !== null) sum = (sum ?? 0) + value;
  return sum;
}

function median(values) {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known.length === 0 ? null : known[Math.floor((known.length - 1) / 2)];
}

// The problem, or without one how far the survey came with the node; null: neither says anything.
function state_of(entry) {
  const words = { found: 'not_asked', asked: 'waiting', complete: 'answered' };
  for (const text of [text_of(entry.problem), text_of(entry.state)]) {
    const word = Object.hasOwn(words, text) ? words[text] : text;
    if (Object.hasOwn(STATE_TEXT, word)) return word;
  }
  return null;
}

class Model {
  constructor(result) {
    this.nodes = [];
    this.links = [];
    this.by_id = new Map();
    this.in_progress = result.surveyInProgress === true;
    const ours = object_of(result.overlayd);
    this.nonce = number_of(ours.resultNonce) ?? number_of(ours.nonce);
    this.began = number_of(ours.runBegan);
    this.refused = number_of(ours.nodesRefused) ?? 0;
    this.ended_early = ours.run === 'ended' ? text_of(ours.why) || 'no reason given' : '';
    const own_nodes = Object.entries(object_of(ours.nodes)).map(([nodeId, entry]) => ({ ...object_of(entry), nodeId }));
    this.#read_nodes(object_of(result.topology), [...own_nodes, ...list_of(ours.unanswered).map(object_of)]);
    this.surveyor = this.#find_surveyor(ours);
    this.#read_lists(list_of(result.backlog), list_of(result.badResponseNodes));
    this.#read_links(object_of(result.topology));
    this.nodes.forEach(complete_node);
  }

  #node(id) {
    let node = this.by_id.get(id);
    if (node === undefined) {
      node = { id, short: short_id(id), told: null, numbers: numbers_of({}, NODE_NUMBERS), is_validator: null };
      Object.assign(node, { state: 'unknown', detail: '', requests: null, bad_responses: null, named_by: 0 });
      Object.assign(node, { versions: new Map(), links: [], inbound: 0, outbound: 0 });
      this.by_id.set(id, node);
      this.nodes.push(node);
    }
    return node;
  }

  // In the order of the ids, so that a result looks the same whoever wrote it.
  #read_nodes(topology, entries) {
    const ids = new Set(Object.keys(topology).map(text_of));
    for (const told of Object.values(topology)) {
      for (const peer of [...list_of(object_of(told).inboundPeers), ...list_of(object_of(told).outboundPeers)]) {
        ids.add(text_of(object_of(peer).nodeId));
      }
    }
    for (const entry of entries) ids.add(text_of(entry.nodeId));
    ids.delete('');
    [...ids].sort().forEach((id) => this.#node(id));
    this.nodes.forEach((node, index) => (node.index = index));

    for (const [key, told] of Object.entries(topology)) {
      const node = this.by_id.get(text_of(key));
      if (node === undefined || told === null || typeof told !== 'object') continue;
      node.told = told;
      node.state = 'answered';
      node.numbers = numbers_of(told, NODE_NUMBERS);
      node.is_validator = typeof told.isValidator === 'boolean' ? told.isValidator : null;
    }
    for (const entry of entries) {
      const node = this.by_id.get(text_of(entry.nodeId));
      if (node === undefined) continue;
      node.state = state_of(entry) ?? node.state;
      node.detail = text_of(entry.detail) || node.detail;
      node.requests = number_of(entry.requests) ?? node.requests;
      node.bad_responses = number_of(entry.badResponses) ?? node.bad_responses;
      node.named_by = list_of(entry.namedBy).length || node.named_by;
    }
  }

  // A result does not name its surveyor once the survey is over; it is the one that told of itself unasked.
  #find_surveyor(ours) {
    const named = ours.isOurs === true ? this.by_id.get(text_of(ours.surveyor)) : undefined;
    if (named !== undefined) return named;
    const unasked = this.nodes.filter((node) => node.told !== null && node.requests === 0);
    return unasked.length === 1 ? unasked[0] : null;
  }

  // stellar-core's own lists, where nothing better is known of a node that told nothing.
  #read_lists(backlog, bad) {
    for (const [ids, state] of [
      [bad, 'bad'],
      [backlog, 'waiting'],
    ]) {
      for (const id of ids) {
        const node = this.by_id.get(text_of(id));
        if (node !== undefined && node.told === null && node.state === 'unknown') node.state = state;
      }
    }
  }

  // `from` dialled `to`, as those say that name the link. Two nodes that both say they dialled the other have two
  // links, which deny each other. Each end's counters are kept apart.
  #read_links(topology) {
    const by_pair = new Map();
    const claim = (teller, peer, is_inbound) => {
      const other = this.by_id.get(text_of(peer.nodeId));
      if (other === undefined || other === teller) return;
      const [from, to] = is_inbound ? [other, teller] : [teller, other];
      const key = from.index * this.nodes.length + to.index;
      let link = by_pair.get(key);
      if (link === undefined) {
        link = { from, to, from_told: null, to_told: null };
        by_pair.set(key, link);
        this.links.push(link);
      }
      const numbers = numbers_of(peer, LINK_NUMBERS);
      if (link.from === teller) link.from_told ??= numbers;
      else link.to_told ??= numbers;
      const version = text_of(peer.version);
      if (version !== '') other.versions.set(version, (other.versions.get(version) ?? 0) + 1);
    };
    for (const node of this.nodes) {
      if (node.told === null) continue;
      for (const peer of list_of(node.told.inboundPeers)) claim(node, object_of(peer), true);
      for (const peer of list_of(node.told.outboundPeers)) claim(node, object_of(peer), false);
    }
    this.links.forEach(complete_link);
  }

  count_nodes(state) {
    return this.nodes.filter((node) => node.state === state).length;
  }

  count_links(agreement) {
    return this.links.filter((link) => link.agreement === agreement).length;
  }
}

function complete_link(link) {
  const { from, to, from_told, to_told } = link;
  const without_it = from_told === null ? from : to;
  const is_confirmed = from_told !== null && to_told !== null;
  link.agreement = is_confirmed ? 'confirmed' : without_it.state === 'answered' ? 'denied' : 'one_sided';
  // As the dialler measured it, or else the other end; 0 is "not measured".
  link.latency = from_told?.averageLatencyMs || to_told?.averageLatencyMs || null;
  link.seconds = from_told?.secondsConnected ?? to_told?.secondsConnected ?? null;
  // As the sender counted it, or else the receiver.
  const forth = from_told?.bytesWritten ?? to_told?.bytesRead ?? null;
  const back = to_told?.bytesWritten ?? from_told?.bytesRead ?? null;
  link.bytes = sum_known([forth, back]);
  link.duplicates = duplicate_share([from_told, to_told]);
  from.links.push(link);
  to.links.push(link);
  from.outbound += 1;
  to.inbound += 1;
}

// Of the flood and fetch bytes received, the part that was there already; null if nothing was received.
function duplicate_share(told) {
  let unique = 0;
  let duplicate = 0;
  for (const numbers of told) {
    unique += (numbers?.uniqueFloodBytesRecv ?? 0) + (numbers?.uniqueFetchBytesRecv ?? 0);
    duplicate += (numbers?.duplicateFloodBytesRecv ?? 0) + (numbers?.duplicateFetchBytesRecv ?? 0);
  }
  return unique + duplicate > 0 ? duplicate / (unique + duplicate) : null;
}

function own_numbers(node, link) {
  return link.from === node ? link.from_told : link.to_told;
}

function other_end(node, link) {
  return link.from === node ? link.to : link.from;
}

function complete_node(node) {
  const votes = [...node.versions].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  node.version = votes.length > 0 ? votes[0][0] : '';
  node.degree = node.links.length;
  node.latency = median(node.links.map((link) => link.latency));
  node.bytes = sum_known(node.links.map((link) => link.bytes));
  node.duplicates = duplicate_share(node.links.map((link) => own_numbers(node, link)));
}
