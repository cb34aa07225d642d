// The test that nearly every line of a page ends at. A superset of the table's needles; the core decides.

import { PREFILTER } from 'crypto-diag/facts';
import { indexOf } from './builtins.js';

// Each word by itself: engines look for a rare first letter faster than a RegExp of all of them is run.
function hasWord(text) {
  for (let at = 0; at < PREFILTER.length; at++) if (indexOf(text, PREFILTER[at]) >= 0) return true;
  return false;
}

/**
 * Whether a line may be one that the core knows.
 * @param {string} text
 * @param {string} tail The last part of a line that was too long to look at whole, else empty.
 */
export const passes = (text, tail) => hasWord(text) || (tail !== '' && hasWord(tail));
