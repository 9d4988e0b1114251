// Results of surveys as `overlayctl survey result --format json` writes them, made up from a seed: stellar-core's
// getsurveyresult form, and "overlayd" with what is our own.
import { sha256 } from './identity.mjs';
import { node_id_text } from './strkey.mjs';

// mulberry32: small, and the same on every machine.
function make_random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const VERSIONS = ['stellar-core 22.1.0', 'stellar-core 22.0.0', 'stellar-core 21.3.1', 'overlayd 0.5.0', 'v23.0.0rc1'];

export const survey_node_id = (index) => node_id_text(sha256(Buffer.from(`surveyed node ${index}`)));

// One end's counters of a link whose traffic is known: what it says it sent is what the other says it got.
function peer_entry(node, version, traffic, is_dialler, random) {
  const [written, read] = is_dialler ? [traffic.forth, traffic.back] : [traffic.back, traffic.forth];
  const share = 0.35 + 0.5 * random();
  const flood = Math.floor(read * 0.8);
  const fetch = Math.floor(read * 0.1);
  return {
    nodeId: node,
    version,
    messagesRead: Math.floor(read / 310),
    messagesWritten: Math.floor(written / 310),
    bytesRead: read,
    bytesWritten: written,
    secondsConnected: traffic.seconds,
    uniqueFloodBytesRecv: Math.floor(flood * (1 - share)),
    duplicateFloodBytesRecv: Math.floor(flood * share),
    uniqueFetchBytesRecv: fetch,
    duplicateFetchBytesRecv: Math.floor(fetch * 0.05),
    uniqueFloodMessageRecv: Math.floor((flood * (1 - share)) / 310),
    duplicateFloodMessageRecv: Math.floor((flood * share) / 310),
    uniqueFetchMessageRecv: Math.floor(fetch / 900),
    duplicateFetchMessageRecv: Math.floor(fetch / 18000),
    averageLatencyMs: traffic.latency,
  };
}

function node_entry(is_validator, random) {
  return {
    addedAuthenticatedPeers: Math.floor(random() * 12),
    droppedAuthenticatedPeers: Math.floor(random() * random() * 15),
    numTotalInboundPeers: 0,
    numTotalOutboundPeers: 0,
    p75SCPFirstToSelfLatencyMs: Math.floor(60 + 500 * random() * random()),
    p75SCPSelfToOtherLatencyMs: Math.floor(90 + 700 * random() * random()),
    lostSyncCount: random() < 0.93 ? 0 : 1 + Math.floor(random() * 4),
    isValidator: is_validator,
    maxInboundPeerCount: 64,
    maxOutboundPeerCount: 8,
    inboundPeers: [],
    outboundPeers: [],
  };
}

// Regions of unlike size; most links stay in the region, and some nodes take many.
function make_pairs(node_count, link_count, region_of, random) {
  const members = new Map();
  for (let i = 0; i < node_count; ++i) members.set(region_of[i], [...(members.get(region_of[i]) ?? []), i]);
  const pick = (list) => list[Math.floor(list.length * Math.pow(random(), 1.8))];
  const everybody = Array.from({ length: node_count }, (_, i) => (i * 7919) % node_count);
  const pairs = new Map();
  for (let tries = 0; pairs.size < link_count && tries < link_count * 20; ++tries) {
    const from = tries % node_count;
    const to = random() < 0.93 ? pick(members.get(region_of[from])) : pick(everybody);
    const key = Math.min(from, to) * node_count + Math.max(from, to);
    if (from !== to && !pairs.has(key)) pairs.set(key, [from, to]);
  }
  return [...pairs.values()];
}

function problem_of(random) {
  const draw = random();
  if (draw < 0.6) return { problem: 'silent', detail: 'no answer to 3 requests' };
  if (draw < 0.85) return { problem: 'unpermitted', detail: 'connected to us all the time' };
  return { problem: 'bad', detail: 'the response could not be opened' };
}

// Of a survey that is over.
function make_status({ nodes, answered, links }) {
  return {
    format: 1,
    phase: 'inactive',
    surveyor: null,
    nonce: 0,
    phaseBegan: 0,
    phaseEnds: 0,
    isOurs: false,
    hasResult: true,
    resultNonce: 1234567,
    isAsking: false,
    run: 'done',
    why: '',
    runBegan: 1764000000,
    rival: null,
    nodesFound: nodes,
    nodesComplete: answered,
    nodesFailed: nodes - answered,
    nodesWaiting: 0,
    nodesAsked: 0,
    nodesRefused: 0,
    linksFound: links,
    requestsSent: nodes * 2,
    responses: answered,
    badResponses: 0,
    timeLeftMs: null,
  };
}

// {result, truth}: truth is what a page must say of it.
export function make_survey_result({ nodes = 1000, links = 10000, silent = 0.06, denied = 40, seed = 1 } = {}) {
  const random = make_random(seed);
  const ids = Array.from({ length: nodes }, (_, i) => survey_node_id(i));
  const region_of = ids.map(() => Math.floor(14 * Math.pow(random(), 1.35)));
  const version_of = ids.map(() => VERSIONS[Math.floor(VERSIONS.length * random() * random())]);
  const is_silent = ids.map((_, i) => i > 0 && random() < silent);
  const topology = {};
  const own_nodes = {};
  const unanswered = [];
  ids.forEach((id, i) => {
    topology[id] = is_silent[i] ? null : node_entry(random() < 0.12, random);
    const trouble = is_silent[i] ? problem_of(random) : { problem: 'none', detail: '' };
    own_nodes[id] = {
      state: is_silent[i] ? 'failed' : 'complete',
      ...trouble,
      version: version_of[i],
      requests: is_silent[i] ? 3 : i === 0 ? 0 : 1,
      badResponses: trouble.problem === 'bad' ? 1 : 0,
      namedBy: [],
    };
    if (is_silent[i]) unanswered.push({ nodeId: id, ...trouble, requests: 3, namedBy: [] });
  });
  const pairs = make_pairs(nodes, links, region_of, random).filter(([a, b]) => !is_silent[a] || !is_silent[b]);
  let left_denied = denied;
  for (const [from, to] of pairs) {
    const near = region_of[from] === region_of[to];
    const traffic = {
      forth: Math.floor(2e5 + 4e6 * random()),
      back: Math.floor(2e5 + 4e6 * random()),
      seconds: Math.floor(600 + 900000 * random()),
      latency: Math.floor(near ? 8 + 40 * random() : 70 + 160 * random()),
    };
    const is_denied = left_denied > 0 && !is_silent[from] && !is_silent[to] && random() < 0.01;
    if (is_denied) left_denied -= 1;
    const entry = (other, is_dialler) => peer_entry(ids[other], version_of[other], traffic, is_dialler, random);
    if (!is_silent[from]) topology[ids[from]].outboundPeers.push(entry(to, true));
    if (!is_silent[to] && !is_denied) topology[ids[to]].inboundPeers.push(entry(from, false));
  }
  for (const told of Object.values(topology)) {
    if (told === null) continue;
    told.numTotalInboundPeers = told.inboundPeers.length;
    told.numTotalOutboundPeers = told.outboundPeers.length;
  }
  const truth = { nodes, answered: nodes - unanswered.length, links: pairs.length, denied: denied - left_denied, ids };
  truth.one_sided = pairs.filter(([a, b]) => is_silent[a] || is_silent[b]).length;
  const badResponseNodes = ids.filter((id) => own_nodes[id].badResponses > 0);
  const overlayd = { ...make_status(truth), nodes: own_nodes, unanswered };
  return { result: { surveyInProgress: false, backlog: [], badResponseNodes, topology, overlayd }, truth };
}
