// A peer made of @stellarbeat/js-stellar-node-connector, with what that library leaves to its user: outbound flow
// control, and books on the credit of both sides. Each flood message is checked against the books as it passes, so a
// message too many on either side is a fault that fails the test.
import base from '@stellar/stellar-base';
import connector from '@stellarbeat/js-stellar-node-connector';
import { PASSPHRASE } from './daemon.mjs';
import { eventually, free_port, within } from './process.mjs';

const { xdr } = base;
const FLOOD = new Set(['scpMessage', 'transaction', 'floodAdvert', 'floodDemand']);
// What stellar-core grants at first (protocol.md section 5), and so what both sides must start with.
export const FIRST_GRANT = { messages: 200, bytes: 300_000 };

process.env.OVERLAY_VERSION = '42';
process.env.OVERLAY_MIN_VERSION = '38';
process.env.LEDGER_VERSION = '28';
process.env.NETWORK = PASSPHRASE;
process.env.RECEIVE_TRANSACTION_MSG = 'true';
process.env.RECEIVE_SCP_MSG = 'true';

const silent = { info() {}, debug() {}, trace() {}, warn() {}, error() {}, child: () => silent };

function make_node(keys) {
  const config = connector.getConfigFromEnv();
  if (keys) config.privateKey = keys.secret();
  return connector.createNode(config, silent);
}

// They dial us.
export async function dial(daemon, keys) {
  const node = make_node(keys);
  const peer = make_peer(node.connectTo('127.0.0.1', daemon.port), node);
  await peer.ready;
  return peer;
}

// We dial them: `address` goes into overlayd's peers.known, `accepted` resolves to the peer.
export async function listen(keys) {
  const node = make_node(keys);
  const port = await free_port();
  const accepted = new Promise((resolve, reject) => {
    node.on('error', reject);
    node.on('connection', (connection) => resolve(make_peer(connection, node)));
  });
  const listening = new Promise((resolve) => node.on('listening', resolve));
  node.acceptIncomingConnections(port, '127.0.0.1');
  await listening;
  return {
    address: `127.0.0.1:${port}`,
    accepted: async () => {
      const peer = await within(15_000, 'overlayd dials the address in peers.known', accepted);
      await peer.ready;
      return peer;
    },
  };
}

function make_peer(connection, node) {
  const peer = {
    connection,
    node_id: node.keyPair.publicKey(),
    received: [], // {name, message, size}, in order, SEND_MORE_EXTENDED included
    counts: {},
    faults: [],
    granted: { messages: 0, bytes: 0, first: null, grants: 0 }, // what we let overlayd send
    credit: { messages: 0, bytes: 0, first: null, grants: 0 }, // what overlayd lets us send
    spent_by_us: 0,
    spent_by_them: 0,
    closed: false,
    handlers: {},
  };
  watch_outgoing(peer);
  watch_incoming(peer);
  const ready = new Promise((resolve, reject) => {
    connection.once('connect', (key, info) => resolve(Object.assign(peer, { remote_key: key, remote_info: info })));
    connection.once('error', reject);
    connection.once('close', () => reject(new Error('closed before the handshake was complete')));
  });
  peer.ready = within(10_000, 'handshake with the connector', ready);
  connection.on('error', (error) => peer.faults.push(`connection: ${error.message}`));
  connection.on('close', () => (peer.closed = true));
  peer.ready.catch(() => {}); // whoever waits for it is told; nobody may be waiting yet
  peer.handlers.getScpQuorumset = (message) => connection.sendStellarMessage(dont_have(message.value()));
  // Everything is consumed at once; done() lets the library's flow controller give the credit back.
  connection.on('data', (data) => data.done());
  return Object.assign(peer, verbs(peer));
}

function watch_outgoing(peer) {
  const { connection } = peer;
  const write = connection._write.bind(connection);
  connection._write = (message, encoding, callback) => {
    if (message.switch().name === 'sendMoreExtended') book(peer.granted, message.value());
    write(message, encoding, callback);
  };
}

function watch_incoming(peer) {
  const { connection } = peer;
  const handle = connection.handleStellarMessage.bind(connection);
  connection.handleStellarMessage = (message, size) => {
    const { name } = message.switch();
    peer.received.push({ name, message, size, at: Date.now() });
    peer.counts[name] = (peer.counts[name] ?? 0) + 1;
    if (name === 'sendMoreExtended') book(peer.credit, message.value());
    if (FLOOD.has(name)) {
      peer.spent_by_them += 1;
      spend(peer, peer.granted, size, `overlayd's ${name}`);
    }
    const result = handle(message, size);
    peer.handlers[name]?.(message);
    return result;
  };
}

function book(account, grant) {
  const [messages, bytes] = [grant.numMessages(), grant.numBytes()];
  account.first ??= { messages, bytes };
  account.messages += messages;
  account.bytes += bytes;
  account.grants += 1;
}

function spend(peer, account, size, what) {
  account.messages -= 1;
  account.bytes -= size;
  if (account.messages < 0 || account.bytes < 0)
    peer.faults.push(`${what} exceeds the credit: ${account.messages} messages, ${account.bytes} bytes`);
}

function verbs(peer) {
  const { connection } = peer;
  return {
    send: (message) => connection.sendStellarMessage(message),
    // Sends a flood message once there is credit for it on both axes.
    send_flood: async (message) => {
      const size = message.toXDR().length;
      const { name } = message.switch();
      const has_credit = () => peer.credit.messages >= 1 && peer.credit.bytes >= size;
      if (!has_credit()) await eventually(15_000, `overlayd grants credit for ${name}`, has_credit);
      peer.spent_by_us += 1;
      spend(peer, peer.credit, size, `our ${name}`);
      connection.sendStellarMessage(message);
    },
    all: (name) => peer.received.filter((entry) => entry.name === name),
    wait_for: (name, wanted = () => true, ms = 10_000) =>
      eventually(ms, `${name} from overlayd`, () =>
        peer.received.find((entry) => entry.name === name && wanted(entry.message)),
      ),
    end: () => connection.destroy(),
  };
}

// What every node answers to a query for a quorum set it lacks; overlayd's pings are such queries.
const dont_have = (hash) =>
  xdr.StellarMessage.dontHave(new xdr.DontHave({ type: xdr.MessageType.scpQuorumset(), reqHash: hash }));
export const advert = (hashes) => xdr.StellarMessage.floodAdvert(new xdr.FloodAdvert({ txHashes: hashes }));
export const demand = (hashes) => xdr.StellarMessage.floodDemand(new xdr.FloodDemand({ txHashes: hashes }));
