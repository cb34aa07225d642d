// The prefilter: whether a line contains a needle of the table. Nearly every line of a page is dropped here.

import { NEEDLES, PREFILTER } from 'crypto-diag/facts';
import { indexOf } from './builtins.js';

// The literals are searched one by one: engines find a rare first letter faster than they run a RegExp of all literals. A few literals
// are enough to drop nearly every line.
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
 * Whether a line contains a needle. The core decides in the same way, so it is never started for a line that does not.
 * @param {string} text
 * @param {string} tail The last part of a line that was too long to look at whole, else empty.
 */
export const passes = (text, tail) => matches(text) || (tail !== '' && matches(tail));
