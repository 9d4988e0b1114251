// overlayd against @stellarbeat/js-stellar-node-connector:  node connector.mjs ROLE SCENARIO
// ROLE is what the connector is: "initiator" (they dial us) or "responder" (we dial them).
import { readdirSync } from 'node:fs';
import base from '@stellar/stellar-base';
import * as connector from './lib/connector_peer.mjs';
import { attach_consensus, logs, start_daemon, write_lines } from './lib/daemon.mjs';
import { base64, make_quorum_set, make_scp, make_transaction, make_tx_set } from './lib/fixtures.mjs';
import { sha256 } from './lib/identity.mjs';
import { check, check_equal, eventually, run_test, sleep, within } from './lib/process.mjs';

const { Keypair, xdr } = base;

// A daemon and an authenticated connector, in the asked role; the connector's key is known beforehand.
async function connect(role, options = {}) {
  const keys = Keypair.random();
  if (role === 'initiator') {
    // An address that nobody listens on gives the responder something to put into PEERS.
    const daemon = await start_daemon({ known: ['127.0.0.1:9'], ...options });
    return { daemon, peer: await connector.dial(daemon, keys), role };
  }
  const listener = await connector.listen(keys);
  const daemon = await start_daemon({ known: [listener.address], ...options });
  return { daemon, peer: await listener.accepted(), role };
}

const tx_hashes = (message) =>
  message
    .value()
    .txHashes()
    .map((hash) => hash.toString('hex'));

async function handshake({ daemon, peer, role }) {
  check_equal(peer.remote_key, daemon.node_id, 'the id in our HELLO');
  check_equal(
    [peer.remote_info.overlayVersion, peer.remote_info.overlayMinVersion, peer.remote_info.ledgerVersion],
    [42, 38, 28],
    'the versions in our HELLO',
  );
  await peer.wait_for('getScpState');
  const names = peer.received.map((entry) => entry.name).filter((name) => name !== 'peers');
  check_equal(names.slice(0, 4), ['hello', 'auth', 'sendMoreExtended', 'getScpState'], 'what we say first');
  check_equal(peer.credit.first, connector.FIRST_GRANT, 'our first grant');
  // Our ping: a query for a quorum set that cannot exist. The peer's answer gives the latency.
  await peer.wait_for('getScpQuorumset', () => true, 12_000);
  const shown = await eventually(5_000, 'overlayctl peers shows the latency and counts what passed', async () => {
    const [mine] = (await daemon.peers()).filter((p) => p.node_id === peer.node_id);
    const counts = ['messages_read', 'messages_written', 'bytes_read', 'bytes_written'];
    return mine && mine.latency_ms !== null && counts.every((name) => mine[name] > 0) ? mine : null;
  });
  check_equal(shown.direction, role === 'initiator' ? 'inbound' : 'outbound', 'direction in overlayctl peers');
  check_equal(shown.version, 'sb', 'version in overlayctl peers');
  const status = await daemon.status();
  check_equal([status.peers_inbound, status.peers_outbound], role === 'initiator' ? [1, 0] : [0, 1], 'peers in status');
  check_equal([status.node_id, status.overlay_version], [daemon.node_id, 42], 'who we are in status');
  check(peer.all('peers').length <= (role === 'initiator' ? 1 : 0), 'PEERS at most once, and only from the responder');
}

// They demand one of us: we broadcast, they see the advert, demand, and get the same bytes.
async function transaction_from_us({ daemon, peer }) {
  const tx = make_transaction(1);
  const file = write_lines(daemon, 'tx.jsonl', [{ envelope: base64(tx.envelope) }]);
  await daemon.ctl('broadcast', 'transactions', file);
  const hash = tx.full_hash.toString('hex');
  await peer.wait_for('floodAdvert', (message) => tx_hashes(message).includes(hash));
  check_equal(peer.all('transaction').length, 0, 'no TRANSACTION before it is demanded');
  await peer.send_flood(connector.demand([tx.full_hash]));
  const answer = await peer.wait_for('transaction');
  check_equal(base64(answer.message.value().toXDR()), base64(tx.envelope), 'the transaction demanded from us');
  // A demand for what nobody has is no fault and has no answer.
  await peer.send_flood(connector.demand([sha256(Buffer.from('unknown'))]));
  await sleep(300);
  check_equal(peer.all('transaction').length, 1, 'transactions received');
}

// We demand one of them, and our consensus process sees it.
async function transaction_from_them({ daemon, peer }) {
  const events = [];
  await attach_consensus(daemon, 'transactions', (event) => events.push(event));
  const tx = make_transaction(2);
  const hash = tx.full_hash.toString('hex');
  await peer.send_flood(connector.advert([tx.full_hash]));
  await peer.wait_for('floodDemand', (message) => tx_hashes(message).includes(hash));
  await peer.send_flood(tx.message);
  const event = await eventually(5_000, 'the event of the demanded transaction', () =>
    events.find((e) => e.hash === tx.hash),
  );
  check_equal(event.from, peer.node_id, 'the sender in the event');
  check_equal(event.xdr, base64(tx.envelope), 'the bytes in the event');
  check_equal(peer.all('floodDemand').length, 1, 'demands of one advertised hash');
}

async function scp_from_us({ daemon, peer }) {
  const ours = make_scp(1001, 1);
  await daemon.ctl('broadcast', 'scp', write_lines(daemon, 'scp.jsonl', [{ envelope: base64(ours.envelope) }]));
  const pushed = await peer.wait_for('scpMessage');
  check_equal(base64(pushed.message.value().toXDR()), base64(ours.envelope), 'the SCP envelope pushed to them');
}

async function scp_from_them({ daemon, peer }) {
  const events = [];
  const run = await attach_consensus(daemon, 'scp,transactions', (event) => events.push(event));
  for (const [node, kind] of [
    [2, 'nominate'],
    [3, 'externalize'],
  ]) {
    const theirs = make_scp(1002, node, kind);
    await peer.send_flood(theirs.message);
    const event = await eventually(5_000, `the event of the ${kind} envelope; ${run.stderr}`, () =>
      events.find((e) => e.xdr === base64(theirs.envelope)),
    );
    check_equal(event.from, peer.node_id, 'the sender in the event');
  }
  check_equal(peer.all('scpMessage').length, 0, 'envelopes sent back to the peer they came from');
}

// What one peer sends and the consensus process accepts goes on to another peer, and not back.
async function relay({ daemon, peer }) {
  const run = await attach_consensus(daemon, 'scp,transactions');
  const other = await connector.dial(daemon, Keypair.random());
  const tx = make_transaction(3);
  const hash = tx.full_hash.toString('hex');
  peer.handlers.floodDemand = () => peer.send_flood(tx.message);
  await peer.send_flood(connector.advert([tx.full_hash]));
  await other.wait_for('floodAdvert', (message) => tx_hashes(message).includes(hash));
  await other.send_flood(connector.demand([tx.full_hash]));
  const relayed = await other.wait_for('transaction');
  check_equal(base64(relayed.message.value().toXDR()), base64(tx.envelope), 'the relayed transaction');
  const envelope = make_scp(1003, 4);
  await peer.send_flood(envelope.message);
  const pushed = await other.wait_for('scpMessage');
  check_equal(base64(pushed.message.value().toXDR()), base64(envelope.envelope), 'the relayed SCP envelope');
  check_equal([peer.all('floodAdvert').length, peer.all('scpMessage').length], [0, 0], 'what came back to its sender');
  check_equal(other.faults, [], 'faults of the second peer');
  check(run.child.exitCode === null, 'subscribe goes on to the end');
  other.end();
}

const FLOOD_SCP = 700;
const FLOOD_TX = 400;

// More than 1,000 flood messages to us; the books in connector_peer.mjs see that neither side overdraws.
async function flow_in({ daemon, peer }) {
  const events = new Set();
  await attach_consensus(daemon, 'scp,transactions', (event) => events.add(event.xdr));
  const txs = Array.from({ length: FLOOD_TX }, (_, i) => make_transaction(10_000 + i));
  const by_hash = new Map(txs.map((tx) => [tx.full_hash.toString('hex'), tx]));
  const answers = [];
  peer.handlers.floodDemand = (message) => answers.push(...tx_hashes(message).map((hash) => by_hash.get(hash)));
  for (let i = 0; i < FLOOD_TX; i += 10)
    await peer.send_flood(connector.advert(txs.slice(i, i + 10).map((tx) => tx.full_hash)));
  const sent = [];
  for (let i = 0; i < FLOOD_SCP; ++i) {
    sent.push(make_scp(2000 + (i % 100), Math.floor(i / 100)));
    await peer.send_flood(sent.at(-1).message);
    while (answers.length) await peer.send_flood(answers.shift().message);
  }
  const wanted = [...sent, ...txs].map((item) => base64(item.envelope));
  await eventually(20_000, 'every flooded message becomes an event', async () => {
    while (answers.length) await peer.send_flood(answers.shift().message);
    return wanted.every((text) => events.has(text));
  });
  check(peer.spent_by_us > 1000, `more than 1,000 flood messages sent (${peer.spent_by_us})`);
  await sleep(300);
  // What was not given back is less than one batch on both axes.
  const missing = connector.FIRST_GRANT.messages - peer.credit.messages;
  check(missing >= 0 && missing < 40, `all credit but a started batch came back (${missing} messages missing)`);
  check(connector.FIRST_GRANT.bytes - peer.credit.bytes < 100_000, 'all bytes but a started batch came back');
}

// More than 1,000 flood messages from us, on the credit that the connector's own flow controller grants.
async function flow_out({ daemon, peer }) {
  const scp = Array.from({ length: FLOOD_SCP }, (_, i) => make_scp(3000 + (i % 100), Math.floor(i / 100)));
  const txs = Array.from({ length: FLOOD_TX }, (_, i) => make_transaction(20_000 + i));
  const demanded = [];
  peer.handlers.floodAdvert = (message) => {
    const hashes = message.value().txHashes();
    demanded.push(peer.send_flood(connector.demand(hashes)));
  };
  const lines = (items) => items.map((item) => ({ envelope: base64(item.envelope) }));
  await Promise.all([
    daemon.ctl('broadcast', 'scp', write_lines(daemon, 'scp.jsonl', lines(scp))),
    daemon.ctl('broadcast', 'transactions', write_lines(daemon, 'txs.jsonl', lines(txs))),
  ]);
  await eventually(
    20_000,
    'the connector gets every message',
    () => (peer.counts.scpMessage ?? 0) >= FLOOD_SCP && (peer.counts.transaction ?? 0) >= FLOOD_TX,
  ).catch((error) => {
    throw new Error(`${error.message}; got ${JSON.stringify(peer.counts)}`);
  });
  await Promise.all(demanded);
  const texts = (name) => new Set(peer.all(name).map((entry) => base64(entry.message.value().toXDR())));
  check(
    scp.every((item) => texts_has(texts, 'scpMessage', item)),
    'every SCP envelope arrives as it was broadcast',
  );
  check(
    txs.every((item) => texts_has(texts, 'transaction', item)),
    'every transaction arrives as it was broadcast',
  );
  check(peer.spent_by_them > 1000, `more than 1,000 flood messages received (${peer.spent_by_them})`);
  check(peer.granted.grants > 5, 'the connector granted credit in batches');
}

const cache = new Map();
function texts_has(texts, name, item) {
  if (!cache.has(name)) cache.set(name, texts(name));
  return cache.get(name).has(base64(item.envelope));
}

// What they ask of us: what the consensus process gave us, and what nobody did.
async function queries({ daemon, peer }) {
  const [tx_set, quorum_set] = [make_tx_set(1), make_quorum_set(1)];
  const put = [tx_set, quorum_set].map((item) => ({ xdr: base64(item.xdr) }));
  await daemon.ctl('put-items', write_lines(daemon, 'items.jsonl', put));
  peer.send(xdr.StellarMessage.getTxSet(tx_set.hash));
  const set = await peer.wait_for('generalizedTxSet');
  check_equal(base64(set.message.value().toXDR()), base64(tx_set.xdr), 'the transaction set that we hold');
  peer.send(xdr.StellarMessage.getScpQuorumset(quorum_set.hash));
  const quorum = await peer.wait_for('scpQuorumset');
  check_equal(base64(quorum.message.value().toXDR()), base64(quorum_set.xdr), 'the quorum set that we hold');
  const missing = ['no such quorum set', 'no such tx set'].map((text) => sha256(Buffer.from(text)));
  peer.send(xdr.StellarMessage.getScpQuorumset(missing[0]));
  peer.send(xdr.StellarMessage.getTxSet(missing[1]));
  for (const [hash, type] of [
    [missing[0], 'scpQuorumset'],
    [missing[1], 'generalizedTxSet'],
  ]) {
    const answer = await peer.wait_for('dontHave', (message) => message.value().reqHash().equals(hash));
    check_equal(answer.message.value().type().name, type, 'the type in DONT_HAVE');
  }
}

// What we ask of them: whatever a relevant envelope of theirs names, and what our consensus process wants.
async function fetching({ daemon, peer }) {
  const events = [];
  await attach_consensus(daemon, 'scp,items', (event) => events.push(event));
  const items = { tx_set: make_tx_set(2), quorum_set: make_quorum_set(2) };
  const wanted = make_tx_set(3);
  const held = new Map([...Object.values(items), wanted].map((item) => [item.hash.toString('hex'), item]));
  const answer = (message) => {
    const item = held.get(message.value().toString('hex'));
    if (item) peer.send(item.message);
  };
  peer.handlers.getTxSet = answer;
  const answer_ping = peer.handlers.getScpQuorumset;
  peer.handlers.getScpQuorumset = (message) =>
    held.has(message.value().toString('hex')) ? answer(message) : answer_ping(message);
  await peer.send_flood(make_scp(1004, 5, 'nominate', items).message);
  for (const [kind, item] of [
    ['generalized-tx-set', items.tx_set],
    ['quorum-set', items.quorum_set],
  ]) {
    const event = await eventually(5_000, `the event of the ${kind}`, () =>
      events.find((e) => e.topic === 'items' && e.hash === item.hash.toString('hex')),
    );
    check_equal([event.kind, event.change, event.from], [kind, 'arrived', peer.node_id], 'the event of an item');
    check_equal(event.xdr, base64(item.xdr), 'the bytes of an item');
    check_equal(event.peers_asked, 1, 'requests sent for it');
  }
  await daemon.ctl('fetch', wanted.hash.toString('hex'), '--kind', 'tx-set', '--wait', '5');
  const shown = JSON.parse(await daemon.ctl('get-item', wanted.hash.toString('hex'), '--kind', 'tx-set', '--json'));
  check_equal(shown.xdr, base64(wanted.xdr), 'the item that was asked for by name');
  check_equal((await daemon.status()).peers_inbound + (await daemon.status()).peers_outbound, 1, 'peers');
}

// Both ways: they get what we remember, and we ask them once we are connected and whenever we are told to.
async function scp_state({ daemon, peer }) {
  await peer.wait_for('getScpState');
  const events = [];
  await attach_consensus(daemon, 'scp,scp_state_requests', (event) => events.push(event));
  const ours = [make_scp(1006, 6), make_scp(1005, 6), make_scp(1005, 7, 'nominate')];
  const lines = ours.map((item) => ({ envelope: base64(item.envelope) }));
  await daemon.ctl('broadcast', 'scp', write_lines(daemon, 'state.jsonl', lines));
  await eventually(5_000, 'the envelopes are pushed', () => peer.all('scpMessage').length === 3);
  peer.send(xdr.StellarMessage.getScpState(1005));
  await eventually(5_000, 'the remembered envelopes are sent', () => peer.all('scpMessage').length === 6);
  const slots = peer.all('scpMessage').slice(3).map((entry) => Number(entry.message.value().statement().slotIndex()));
  check_equal(slots, [1005, 1005, 1006], 'the slots, ascending');
  const request = await eventually(5_000, 'the event of their question', () =>
    events.find((e) => e.topic === 'scp_state_requests'),
  );
  check_equal([request.from, request.from_ledger, request.envelopes_sent], [peer.node_id, 1005, 3], 'their question');
  peer.handlers.getScpState = () => peer.send_flood(make_scp(1007, 8).message);
  const asked = JSON.parse(await daemon.ctl('request-scp-state', '--json')).asked;
  check_equal(asked, [peer.node_id], 'whom request-scp-state asked');
  await eventually(5_000, 'the event of their answer', () =>
    events.find((e) => e.xdr === base64(make_scp(1007, 8).envelope)),
  );
}

// Longer than every timer of five seconds: nothing an honest, quiet peer does makes us drop it.
async function quiet({ peer }) {
  await sleep(12_000);
  check(!peer.closed, 'a quiet peer stays connected for 12 s');
  check(peer.all('getScpQuorumset').length >= 3, 'we ping at once and every 5 s');
  check(peer.all('peers').length <= 1, 'PEERS at most once');
}

async function shutdown({ daemon, peer }) {
  await daemon.stop();
  const error = await peer.wait_for('errorMsg');
  check_equal(
    [error.message.value().code().name, error.message.value().msg().toString()],
    ['errMisc', 'shutdown'],
    'our last word',
  );
  await eventually(2_000, 'the connection is closed', () => peer.closed);
  check(!readdirSync(daemon.dir).some((name) => name.endsWith('.sock')), 'the sockets are removed');
}

const scenarios = {
  handshake,
  transaction_from_us,
  transaction_from_them,
  scp_from_us,
  scp_from_them,
  relay,
  flow_in,
  flow_out,
  queries,
  fetching,
  scp_state,
  quiet,
  shutdown,
};

const [role, name] = process.argv.slice(2);
if (!['initiator', 'responder'].includes(role) || !scenarios[name]) {
  console.error(`usage: connector.mjs initiator|responder ${Object.keys(scenarios).join('|')}`);
  process.exit(2);
}
let context;
const describe = () =>
  `received: ${JSON.stringify(context?.peer.received.map((entry) => entry.name).slice(-40))}\n` +
  `faults: ${JSON.stringify(context?.peer.faults)}\n${logs()}`;
await run_test(
  `connector ${role} ${name}`,
  90_000,
  async () => {
    context = await connect(role);
    await scenarios[name](context);
    check_equal(context.peer.faults, [], 'faults of either side');
    if (name === 'shutdown') return;
    check(!context.peer.closed, 'the connection is still there at the end');
    context.peer.end();
    await within(10_000, 'overlayd stops', context.daemon.stop());
  },
  describe,
);
