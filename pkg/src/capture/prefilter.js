// The test that nearly every line of a page ends at: whether a needle of the table stands in it.

import { NEEDLES, PREFILTER } from 'crypto-diag/facts';
import { indexOf } from './builtins.js';

// Each word by itself: engines look for a rare first letter faster than a RegExp of all of them is run. A few words tell for
// nearly every line that it holds none of the needles.
/** @param {string} text */
function matches(text) {
  for (let at = 0; at < PREFILTER.length; at++)
    if (indexOf(text, PREFILTER[at]) >= 0 && holdsOne(text, NEEDLES[at])) return true;
  return false;
}

/** @param {string} text @param {readonly string[]} needles */
function holdsOne(text, needles) {
  for (let at = 0; at < needles.length; at++) if (indexOf(text, needles[at]) >= 0) return true;
  return false;
}

/**
 * Whether a line is one that the core knows: it decides alike, so it never starts for any other.
 * @param {string} text
 * @param {string} tail The last part of a line that was too long to look at whole, else empty.
 */
export const passes = (text, tail) => matches(text) || (tail !== '' && matches(tail));
