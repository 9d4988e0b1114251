// A peer written down byte by byte, so that a test can get any of them wrong. Knows HELLO, AUTH, ERROR_MSG and frames;
// everything else is opaque. Facts: Stellar-overlay.x and stellar-core's src/overlay.
import crypto from 'node:crypto';
import net from 'node:net';
import { NETWORK_ID } from './daemon.mjs';
import { hmac, make_identity, make_session_key, sha256 } from './identity.mjs';
import { within } from './process.mjs';

export const TYPE = {
  error: 0,
  auth: 2,
  dont_have: 3,
  transaction: 8,
  get_scp_quorumset: 9,
  get_scp_state: 12,
  hello: 13,
  send_more: 16,
  flood_advert: 18,
  send_more_extended: 20,
};
const CODES = ['ERR_MISC', 'ERR_DATA', 'ERR_CONF', 'ERR_AUTH', 'ERR_LOAD'];

export const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
export const u64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
export const opaque = (bytes) => Buffer.concat([u32(bytes.length), bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
export const frame = (body) => Buffer.concat([u32((0x80000000 | body.length) >>> 0), body]);

// An AuthCert. `signer` may be another than the one HELLO names, `network` another than that of HELLO.
export function make_cert({
  signer,
  session,
  expiration = Math.floor(Date.now() / 1000) + 3600,
  network = NETWORK_ID,
}) {
  const signature = signer.sign(sha256(network, u32(3), u64(expiration), session.public_key));
  return Buffer.concat([session.public_key, u64(expiration), opaque(signature)]);
}

// The fields of a right HELLO; a test replaces some.
export function hello_fields(identity, session) {
  return {
    ledger_version: 28,
    overlay_version: 42,
    overlay_min_version: 38,
    network: NETWORK_ID,
    version: 'raw peer',
    port: 11625,
    peer_id: identity.public_key,
    cert: make_cert({ signer: identity, session }),
    nonce: crypto.randomBytes(32),
  };
}

export const hello_message = (h) =>
  Buffer.concat([
    u32(TYPE.hello),
    u32(h.ledger_version),
    u32(h.overlay_version),
    u32(h.overlay_min_version),
    h.network,
    opaque(Buffer.from(h.version)),
    u32(h.port),
    u32(0),
    h.peer_id,
    h.cert,
    h.nonce,
  ]);

function read_hello(message) {
  const version_length = message.readUInt32BE(48);
  let at = 52 + Math.ceil(version_length / 4) * 4 + 4 + 4;
  const take = (n) => message.subarray(at, (at += n));
  const hello = { peer_id: take(32), session: take(32) };
  at += 8;
  const signature_length = take(4).readUInt32BE();
  at += Math.ceil(signature_length / 4) * 4;
  return { ...hello, nonce: take(32) };
}

export class RawPeer {
  constructor(identity = make_identity()) {
    this.identity = identity;
    this.session = make_session_key();
    this.hello = hello_fields(identity, this.session);
    this.sequence = 0n;
    this.messages = []; // {type, body}
    this.error = null; // {code, text} of a received ERROR_MSG
    this.closed_at = null;
    this.waiting = [];
    this.rest = Buffer.alloc(0);
  }

  async connect(port) {
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => {}); // a reset is one way of being dropped
    this.socket.on('data', (data) => this.#take(data));
    this.closed = new Promise((resolve) =>
      this.socket.on('close', () => {
        this.closed_at = Date.now();
        this.#wake();
        resolve();
      }),
    );
    await within(3_000, 'connecting', new Promise((resolve) => this.socket.on('connect', resolve)));
    return this;
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  // A frame without authentication, as HELLO and ERROR_MSG travel.
  plain(message) {
    return frame(Buffer.concat([u32(0), u64(0), message, Buffer.alloc(32)]));
  }

  // The frame of `message` with the sequence number it would have now, or a given one. Does not count it.
  sealed(message, sequence = this.sequence) {
    const body = Buffer.concat([u64(sequence), message]);
    return frame(Buffer.concat([u32(0), body, hmac(this.send_key, body)]));
  }

  send(message) {
    this.write(this.sealed(message));
    this.sequence += 1n;
  }

  say_hello() {
    this.write(this.plain(hello_message(this.hello)));
  }

  async hear_hello() {
    const { message } = await this.next(TYPE.hello);
    this.remote = read_hello(message);
    const shared = hmac(
      Buffer.alloc(32),
      this.session.agree(this.remote.session),
      this.session.public_key,
      this.remote.session,
    );
    this.send_key = hmac(shared, Buffer.from([0]), this.hello.nonce, this.remote.nonce, Buffer.from([1]));
    this.receive_key = hmac(shared, Buffer.from([1]), this.remote.nonce, this.hello.nonce, Buffer.from([1]));
  }

  async exchange_hellos() {
    this.say_hello();
    await this.hear_hello();
  }

  async authenticate(flags = 200) {
    await this.exchange_hellos();
    this.send(Buffer.concat([u32(TYPE.auth), u32(flags)]));
    await this.next(TYPE.auth);
    this.send(Buffer.concat([u32(TYPE.send_more_extended), u32(200), u32(300_000)]));
    await this.next(TYPE.send_more_extended);
  }

  // The next message of this type, which must come within `ms`.
  async next(type, ms = 3_000) {
    const deadline = Date.now() + ms;
    for (;;) {
      const at = this.messages.findIndex((entry) => entry.type === type && !entry.taken);
      if (at >= 0) {
        this.messages[at].taken = true;
        return this.messages[at];
      }
      if (this.closed_at)
        throw new Error(`closed while waiting for message type ${type}; error ${JSON.stringify(this.error)}`);
      await within(
        Math.max(1, deadline - Date.now()),
        `message type ${type}`,
        new Promise((resolve) => this.waiting.push(resolve)),
      );
    }
  }

  // Asks for a quorum set that cannot exist; the answer proves that the other side serves this connection.
  async is_served() {
    const hash = crypto.randomBytes(32);
    this.send(Buffer.concat([u32(TYPE.get_scp_quorumset), hash]));
    const { message } = await this.next(TYPE.dont_have);
    return message.subarray(8, 40).equals(hash);
  }

  end() {
    this.socket.destroy();
  }

  #wake() {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  #take(data) {
    this.rest = Buffer.concat([this.rest, data]);
    while (this.rest.length >= 4) {
      const length = this.rest.readUInt32BE() & 0x7fffffff;
      if (this.rest.length < 4 + length) break;
      const message = this.rest.subarray(16, 4 + length - 32);
      const type = message.readUInt32BE();
      if (type === TYPE.error)
        this.error = {
          code: CODES[message.readUInt32BE(4)],
          text: message.subarray(12, 12 + message.readUInt32BE(8)).toString(),
        };
      this.messages.push({ type, message });
      this.rest = this.rest.subarray(4 + length);
    }
    this.#wake();
  }
}
