// One-time codes as an authenticator app makes them: RFC 6238 with SHA-1, six digits, thirty seconds.
import { createHmac } from 'node:crypto';

const STEP_SECONDS = 30;

/** The bytes of a text in base 32 (RFC 4648, without padding); spaces are left out. */
export function fromBase32(text) {
  const bits = [...text.replaceAll(' ', '').toUpperCase()]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** The code of a time step. */
export function codeOfStep(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac('sha1', fromBase32(secret)).update(counter).digest();
  const at = hash[19] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** The time step of an instant, in milliseconds. */
export function stepAt(milliseconds = Date.now()) {
  return Math.floor(milliseconds / 1000 / STEP_SECONDS);
}
