// Texts as UTF-8 and back, by builtins that the page cannot change any more.

import { Bytes, Decoder, Encoder, apply, decode, encode, encodeInto } from './builtins.js';

/** Bytes that one UTF-16 code unit needs in UTF-8 at most. */
export const BYTES_PER_UNIT = 3;

const encoder = Encoder && new Encoder();
const decoder = Decoder && new Decoder('utf-8', { ignoreBOM: true });

/** Writes a text and gives how many bytes it took. @param {string} text @param {Uint8Array} target @returns {number} */
export const write = (text, target) => apply(encodeInto, encoder, [text, target]).written;

/** @param {ArrayBuffer} buffer @param {number} at @param {number} size @returns {string} */
export const read = (buffer, at, size) => apply(decode, decoder, [new Bytes(buffer, at, size)]);

/** A copy of a text: a part of a longer one would keep all of it alive. @param {string} text @returns {string} */
export const compact = (text) => apply(decode, decoder, [apply(encode, encoder, [text])]);
