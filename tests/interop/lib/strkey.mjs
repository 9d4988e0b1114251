// Strkey text of Ed25519 keys: version byte, key, CRC-16/XMODEM (little-endian), base32 without padding.
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; ++i) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

function encode(version, key) {
  const payload = Buffer.concat([Buffer.from([version]), key]);
  const crc = crc16(payload);
  const bytes = Buffer.concat([payload, Buffer.from([crc & 0xff, crc >> 8])]);
  let bits = 0;
  let value = 0;
  let text = '';
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(value >> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits ? text + ALPHABET[(value << (5 - bits)) & 31] : text;
}

export const node_id_text = (public_key) => encode(6 << 3, public_key);
export const seed_text = (seed) => encode(18 << 3, seed);
