// A module's bytes, out of the text that a JavaScript file can hold.

import { inflateSync } from 'fflate';

/**
 * @param {string} text Base64 of deflated bytes.
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function unpack(text) {
  const packed = atob(text);
  const deflated = new Uint8Array(packed.length);
  for (let at = 0; at < packed.length; at++) deflated[at] = packed.charCodeAt(at);
  return /** @type {Uint8Array<ArrayBuffer>} */ (inflateSync(deflated));
}
