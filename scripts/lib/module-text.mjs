// Writes a module's bytes as the text that pkg/src/capture/module-text.js reads.

import { ALPHABET, LEADS } from '../../pkg/src/capture/module-text.js';

/** @param {Uint8Array} bytes */
export function textOf(bytes) {
  /** @type {number[]} */
  const counts = Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const frequent = counts
    .map((count, byte) => ({ count, byte }))
    .sort((a, b) => b.count - a.count || a.byte - b.byte)
    .slice(0, ALPHABET.length - LEADS)
    // In the bytes' own order: neighbours stay neighbours.
    .map(({ byte }) => byte)
    .sort((a, b) => a - b);
  const long = (/** @type {number} */ byte) =>
    ALPHABET[Math.floor(byte / ALPHABET.length)] + ALPHABET[byte % ALPHABET.length];
  const letters = Array.from({ length: 256 }, (_, byte) => {
    const place = frequent.indexOf(byte);
    return place < 0 ? long(byte) : ALPHABET[LEADS + place];
  });
  return frequent.map(long).join('') + Array.from(bytes, (byte) => letters[byte]).join('');
}
