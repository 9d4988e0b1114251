// Ed25519 and X25519 keys from raw bytes, with node's own cryptography: nothing here is shared with overlayd or with
// the connector, so the three can disagree.
import crypto from 'node:crypto';

const ED25519_PRIVATE = Buffer.from('302e020100300506032b657004220420', 'hex');
const X25519_PRIVATE = Buffer.from('302e020100300506032b656e04220420', 'hex');
const X25519_PUBLIC = Buffer.from('302a300506032b656e032100', 'hex');

const private_key = (prefix, seed) =>
  crypto.createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' });
const public_bytes = (key) => crypto.createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);

export const sha256 = (...parts) => crypto.createHash('sha256').update(Buffer.concat(parts)).digest();
export const hmac = (key, ...parts) => crypto.createHmac('sha256', key).update(Buffer.concat(parts)).digest();
export const network_id = (passphrase) => sha256(Buffer.from(passphrase));

export function make_identity(seed = crypto.randomBytes(32)) {
  const key = private_key(ED25519_PRIVATE, seed);
  return { seed, public_key: public_bytes(key), sign: (data) => crypto.sign(null, data, key) };
}

export function make_session_key(secret = crypto.randomBytes(32)) {
  const key = private_key(X25519_PRIVATE, secret);
  const agree = (remote) =>
    crypto.diffieHellman({
      privateKey: key,
      publicKey: crypto.createPublicKey({ key: Buffer.concat([X25519_PUBLIC, remote]), format: 'der', type: 'spki' }),
    });
  return { public_key: public_bytes(key), agree };
}
