// A module's bytes, out of the text that a JavaScript file can hold, in one cheap pass: an inflater that no engine has compiled
// yet takes ten times as long, and whatever serves the file deflates it anyway.
//
// The text is printable ASCII without what quotes, templates and HTML give a meaning to, so no bundler rewrites it and no
// encoding of a page harms it. The most frequent bytes are one letter each, which is the byte's own where that can be; any other is
// two, a digit to the base of the alphabet's length before another. The text begins with the bytes that have a letter, in the order
// of the alphabet, in the long form.

import { Bytes } from './builtins.js';
import { write } from './utf8.js';

/** The first letters are the leading digits of the long form. */
export const ALPHABET =
  '!%& #()*+,-./0123456789:;=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~';
/** How many leading digits there are: as many as 256 needs. */
export const LEADS = 3;

/**
 * @param {string} text As the build made it; nothing else is expected here.
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf(text) {
  const base = ALPHABET.length;
  const letters = new Bytes(text.length);
  write(text, letters);
  const digits = new Bytes(128);
  for (let at = 0, letter = new Bytes(base), end = write(ALPHABET, letter); at < end; at++)
    digits[letter[at]] = at;
  const short = new Bytes(base);
  let at = 0;
  for (let digit = LEADS; digit < base; digit++, at += 2)
    short[digit] = digits[letters[at]] * base + digits[letters[at + 1]];
  // Written where it is read from: it never becomes longer.
  let size = 0;
  while (at < letters.length) {
    const digit = digits[letters[at++]];
    letters[size++] = digit < LEADS ? digit * base + digits[letters[at++]] : short[digit];
  }
  return new Bytes(letters.buffer, 0, size);
}
