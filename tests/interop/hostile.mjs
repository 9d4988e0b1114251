// What overlayd does to peers that break the rules:  node hostile.mjs all|GROUP|CASE...
// Each case misbehaves in one way and says how it must end: with which ERROR_MSG (or none), how soon, and under which
// label it is counted. An honest peer is connected all the while and must be served before and after.
import crypto from 'node:crypto';
import { logs, start_daemon } from './lib/daemon.mjs';
import { make_identity } from './lib/identity.mjs';
import { check, check_equal, eventually, run_test, sleep, within } from './lib/process.mjs';
import { frame, hello_message, make_cert, opaque, RawPeer, TYPE, u32, u64 } from './lib/raw_peer.mjs';

const words = (...values) => Buffer.concat(values.map(u32));
const conf = (text) => ({ code: 'ERR_CONF', text });
const sequence_error = { code: 'ERR_AUTH', text: 'unexpected auth sequence' };
const corrupt = { code: 'ERR_DATA', text: 'received corrupt XDR' };

// act(peer, {daemon, honest}) misbehaves on a connected socket; what is sent last is the fault.
// error: the ERROR_MSG expected, or null; label: the drop reason counted; after: least milliseconds until the drop.
const before_hello = {
  empty_frame: { error: null, label: 'frame_empty', act: (peer) => peer.write(u32(0x80000000)) },
  oversized_frame: { error: null, label: 'frame_too_large', act: (peer) => peer.write(u32(0x80000000 | 4097)) },
  undecodable_frame: {
    error: corrupt,
    label: 'frame_malformed',
    act: (peer) => peer.write(peer.plain(words(99, 1, 2, 3))),
  },
  frame_shorter_than_a_head: {
    error: corrupt,
    label: 'frame_malformed',
    act: (peer) => peer.write(frame(Buffer.alloc(8))),
  },
  truncated_frame_then_idle: {
    error: null,
    label: 'auth_timeout',
    after: 1_500,
    act: (peer) => peer.write(Buffer.concat([u32(0x80000000 | 200), Buffer.alloc(50)])),
  },
  silence: { error: null, label: 'auth_timeout', after: 1_500, act: () => {} },
  auth_before_hello: {
    error: { code: 'ERR_MISC', text: 'out-of-order AUTH message' },
    label: 'auth_out_of_order',
    act: (peer) => peer.write(peer.plain(words(TYPE.auth, 200))),
  },
  query_before_hello: {
    error: null,
    label: 'before_handshake',
    act: (peer) => peer.write(peer.plain(words(TYPE.get_scp_state, 0))),
  },
};

const cert_of = (peer, fields) => make_cert({ signer: peer.identity, session: peer.session, ...fields });
const with_hello = (change) => (peer, context) => {
  Object.assign(peer.hello, change(peer, context));
  peer.say_hello();
};

const bad_hello = {
  expired_certificate: {
    error: null,
    label: 'auth_cert_invalid',
    act: with_hello((peer) => ({ cert: cert_of(peer, { expiration: Math.floor(Date.now() / 1000) - 10 }) })),
  },
  forged_certificate: {
    error: null,
    label: 'auth_cert_invalid',
    act: with_hello((peer) => ({ cert: cert_of(peer, { signer: make_identity() }) })),
  },
  certificate_of_another_network: {
    error: null,
    label: 'auth_cert_invalid',
    act: with_hello((peer) => {
      const network = crypto.randomBytes(32);
      return { network, cert: cert_of(peer, { network }) };
    }),
  },
  another_network: {
    error: conf('wrong network passphrase'),
    label: 'wrong_network',
    act: with_hello(() => ({ network: crypto.randomBytes(32) })),
  },
  our_own_id: {
    error: conf('connecting to self'),
    label: 'connecting_to_self',
    act: with_hello((peer, { daemon }) => ({
      peer_id: daemon.identity.public_key,
      cert: cert_of(peer, { signer: daemon.identity }),
    })),
  },
  too_old: {
    error: conf('wrong protocol version'),
    label: 'wrong_protocol_version',
    act: with_hello(() => ({ overlay_version: 37, overlay_min_version: 30 })),
  },
  too_new: {
    error: conf('wrong protocol version'),
    label: 'wrong_protocol_version',
    act: with_hello(() => ({ overlay_version: 50, overlay_min_version: 43 })),
  },
  versions_the_wrong_way_round: {
    error: conf('wrong protocol version'),
    label: 'wrong_protocol_version',
    act: with_hello(() => ({ overlay_version: 40, overlay_min_version: 41 })),
  },
  port_zero: { error: conf('bad address'), label: 'bad_address', act: with_hello(() => ({ port: 0 })) },
  port_too_large: { error: conf('bad address'), label: 'bad_address', act: with_hello(() => ({ port: 65_536 })) },
  same_id_twice: {
    error: conf(/^already-connected peer: G/),
    label: 'already_connected',
    act: with_hello((peer, { honest }) => ({
      peer_id: honest.identity.public_key,
      cert: cert_of(peer, { signer: honest.identity }),
    })),
  },
};

const after_hello = {
  // Once keys are agreed on everything but ERROR_MSG is checked, so a second HELLO gets as far as its MAC lets it.
  second_hello: {
    error: { code: 'ERR_AUTH', text: 'unexpected MAC' },
    label: 'auth_mac',
    act: async (peer) => {
      await peer.exchange_hellos();
      peer.say_hello();
    },
  },
  second_hello_with_mac: {
    error: null,
    label: 'hello_unexpected',
    act: async (peer) => {
      await peer.exchange_hellos();
      peer.send(hello_message(peer.hello));
    },
  },
  query_before_auth: {
    error: null,
    label: 'before_handshake',
    act: async (peer) => {
      await peer.exchange_hellos();
      peer.send(words(TYPE.get_scp_state, 0));
    },
  },
  hello_then_silence: { error: null, label: 'auth_timeout', after: 1_500, act: (peer) => peer.exchange_hellos() },
  auth_without_flow_control_in_bytes: {
    error: conf('flow control bytes disabled'),
    label: 'flow_control_bytes_disabled',
    act: async (peer) => {
      await peer.exchange_hellos();
      peer.send(words(TYPE.auth, 100));
    },
  },
  auth_with_wrong_mac: {
    error: { code: 'ERR_AUTH', text: 'unexpected MAC' },
    label: 'auth_mac',
    act: async (peer) => {
      await peer.exchange_hellos();
      peer.send_key = crypto.randomBytes(32);
      peer.send(words(TYPE.auth, 200));
    },
  },
};

// A TRANSACTION (Soroban upload of `size` bytes of code, no signature) that is well-formed and too large for the grant.
function huge_transaction(size) {
  const source = Buffer.concat([u32(0), crypto.randomBytes(32)]);
  const resources = Buffer.concat([words(0, 0), words(1, 1, 1)]);
  return Buffer.concat([
    words(TYPE.transaction, 2),
    source,
    u32(100),
    u64(1),
    words(0, 0, 1),
    words(0, 24, 2),
    opaque(Buffer.alloc(size, 7)),
    u32(0),
    words(1, 0),
    resources,
    u64(1),
    u32(0),
  ]);
}

const query = () => Buffer.concat([u32(TYPE.get_scp_quorumset), crypto.randomBytes(32)]);
const once_authenticated = (act) => async (peer, context) => {
  await peer.authenticate();
  check(await peer.is_served(), 'a peer is served before it misbehaves');
  await act(peer, context);
};

const authenticated = {
  empty_frame_later: {
    error: null,
    label: 'frame_empty',
    act: once_authenticated((peer) => peer.write(u32(0x80000000))),
  },
  oversized_frame_later: {
    error: null,
    label: 'frame_too_large',
    act: once_authenticated((peer) => peer.write(u32(0x80000000 | 0x1000001))),
  },
  undecodable_message: {
    error: corrupt,
    label: 'frame_malformed',
    act: once_authenticated((peer) => peer.send(words(TYPE.transaction, 2, 7))),
  },
  message_with_bytes_left_over: {
    error: corrupt,
    label: 'frame_malformed',
    act: once_authenticated((peer) => peer.send(Buffer.concat([query(), u32(0)]))),
  },
  frame_out_of_order: {
    error: sequence_error,
    label: 'auth_sequence',
    act: once_authenticated((peer) => peer.write(peer.sealed(query(), peer.sequence + 1n))),
  },
  frame_replayed: {
    error: sequence_error,
    label: 'auth_sequence',
    act: once_authenticated((peer) => {
      const sealed = peer.sealed(query());
      peer.write(Buffer.concat([sealed, sealed]));
    }),
  },
  frame_with_wrong_mac: {
    error: { code: 'ERR_AUTH', text: 'unexpected MAC' },
    label: 'auth_mac',
    act: once_authenticated((peer) => {
      const sealed = peer.sealed(query());
      sealed[sealed.length - 1] ^= 1;
      peer.write(sealed);
    }),
  },
  frame_with_changed_content: {
    error: { code: 'ERR_AUTH', text: 'unexpected MAC' },
    label: 'auth_mac',
    act: once_authenticated((peer) => {
      const sealed = peer.sealed(query());
      sealed[30] ^= 1;
      peer.write(sealed);
    }),
  },
  second_auth: {
    error: { code: 'ERR_MISC', text: 'out-of-order AUTH message' },
    label: 'auth_out_of_order',
    act: once_authenticated((peer) => peer.send(words(TYPE.auth, 200))),
  },
  hello_after_auth: {
    error: sequence_error,
    label: 'auth_sequence',
    act: once_authenticated((peer) => peer.say_hello()),
  },
  hello_after_auth_with_mac: {
    error: null,
    label: 'hello_unexpected',
    act: once_authenticated((peer) => peer.send(hello_message(peer.hello))),
  },
  send_more: {
    error: null,
    label: 'send_more_unexpected',
    act: once_authenticated((peer) => peer.send(words(TYPE.send_more, 10))),
  },
  grant_of_no_bytes: {
    error: null,
    label: 'send_more_invalid',
    act: once_authenticated((peer) => peer.send(words(TYPE.send_more_extended, 10, 0))),
  },
  more_bytes_than_granted: {
    error: null,
    label: 'over_capacity',
    act: once_authenticated((peer) => peer.send(huge_transaction(400_000))),
  },
  peers_from_an_initiator: {
    error: null,
    label: 'peers_unexpected',
    act: once_authenticated((peer) => peer.send(words(5, 0))),
  },
};

const groups = { before_hello, bad_hello, after_hello, authenticated };
const cases = Object.assign({}, ...Object.values(groups));
const DROP_LIMIT_MS = 3_500; // the deadline of two seconds before authentication, and room for a busy machine

async function drop_count(daemon, label) {
  const { counters } = await daemon.status();
  if (counters === undefined) return null;
  const rows = Array.isArray(counters) ? counters : Object.entries(counters).map(([name, value]) => ({ name, value }));
  const row = rows.find(({ name }) => name === `drops_${label}`);
  return row ? Number(row.value) : 0;
}

async function run_case(name, context) {
  const { error, label, after = 0, act } = cases[name];
  const { daemon, honest } = context;
  const counted = await drop_count(daemon, label);
  const peer = await new RawPeer().connect(daemon.port);
  const connected_at = Date.now();
  await act(peer, context);
  const faulted_at = Date.now();
  await within(DROP_LIMIT_MS, `${name}: overlayd drops the peer`, peer.closed);
  if (error === null) check_equal(peer.error, null, `${name}: ERROR_MSG`);
  else {
    check(peer.error, `${name}: an ERROR_MSG ${error.code} "${error.text}"`);
    check_equal(peer.error.code, error.code, `${name}: code of the ERROR_MSG`);
    const fits = error.text instanceof RegExp ? error.text.test(peer.error.text) : error.text === peer.error.text;
    check(fits, `${name}: the text ${error.text}, not "${peer.error.text}"`);
  }
  check(peer.closed_at - connected_at >= after, `${name}: dropped only after ${after} ms`);
  if (counted !== null)
    await eventually(
      2_000,
      `${name}: one more drop is counted as ${label}`,
      async () => (await drop_count(daemon, label)) === counted + 1,
    );
  check(await honest.is_served(), `${name}: the honest peer is still served`);
  console.log(`ok ${name} (dropped ${peer.closed_at - faulted_at} ms after the fault)`);
}

const named = (name) => (name === 'all' ? Object.keys(cases) : groups[name] ? Object.keys(groups[name]) : [name]);
const wanted = process.argv.slice(2).flatMap(named);
if (!wanted.length || wanted.some((name) => !cases[name])) {
  const usage = Object.entries(groups).map(([name, group]) => `${name}: ${Object.keys(group).join(' ')}`);
  console.error(`usage: hostile.mjs all|GROUP|CASE...\n${usage.join('\n')}`);
  process.exit(2);
}
await run_test(
  `hostile ${process.argv.slice(2).join(' ')}`,
  110_000,
  async () => {
    const daemon = await start_daemon();
    const honest = await new RawPeer().connect(daemon.port);
    await honest.authenticate();
    check(await honest.is_served(), 'the honest peer is served at first');
    const failures = [];
    for (const name of wanted) {
      await run_case(name, { daemon, honest }).catch((error) => failures.push(`${name}: ${error.message}`));
      await sleep(20);
    }
    if (failures.length)
      throw new Error(`${failures.length} of ${wanted.length} cases failed:\n  ${failures.join('\n  ')}`);
    honest.end();
    await daemon.stop();
  },
  logs,
);
