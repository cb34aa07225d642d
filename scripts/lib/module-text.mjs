// Writes a module's bytes as the text that pkg/src/capture/module-text.js reads.

import { ALPHABET, LEADS } from '../../pkg/src/capture/module-text.js';

/** @param {Uint8Array} bytes */
export function textOf(bytes) {
  /** @type {number[]} */
  const counts = Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const letters = ALPHABET.slice(LEADS);
  const frequent = counts
    .map((count, byte) => ({ count, byte }))
    .sort((a, b) => b.count - a.count || a.byte - b.byte)
    .slice(0, letters.length)
    .map(({ byte }) => byte)
    .sort((a, b) => a - b);
  // A letter stands for itself where it can: what stands in the module's texts and in the file around it is packed once then.
  const own = new Set(frequent.filter((byte) => letters.includes(String.fromCharCode(byte))));
  const others = frequent.filter((byte) => !own.has(byte));
  const ordered = Array.from(letters, (letter) => {
    const byte = letter.charCodeAt(0);
    return own.has(byte) ? byte : /** @type {number} */ (others.shift());
  });
  const long = (/** @type {number} */ byte) =>
    ALPHABET[Math.floor(byte / ALPHABET.length)] + ALPHABET[byte % ALPHABET.length];
  const written = Array.from({ length: 256 }, (_, byte) => {
    const place = ordered.indexOf(byte);
    return place < 0 ? long(byte) : letters[place];
  });
  return ordered.map(long).join('') + Array.from(bytes, (byte) => written[byte]).join('');
}
