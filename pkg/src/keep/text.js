// A stored page as text: its report within bounds. If it is too long, the newest entries are kept.

import { copy } from '../capture/json.js';
import { SHORT_UNITS } from './shape.js';

/** @typedef {import('../capture/report.js').KeptPart} KeptPart */

/** UTF-16 code units that each list may take; what they leave is for the entries. */
const MARKS_UNITS = 4 * 1024;
const FACTS_UNITS = 6 * 1024;
const SENT_UNITS = 8 * 1024;

/** An entry's text, which never changes. @type {WeakMap<object, string>} */
const texts = new WeakMap();

const { stringify } = JSON;

/**
 * @param {KeptPart} part
 * @param {object} more What the keeper knows beside it.
 * @param {number} units The text's bound.
 */
export function textOf({ page, timeOrigin, clockOffset, tallies, ...lists }, more, units) {
  // An address may be longer than whoever reads it takes.
  const address = page === null ? null : page.slice(0, SHORT_UNITS);
  const head = stringify(copy({ page: address, timeOrigin, clockOffset, ...more, tallies }));
  const marks = newest(lists.marks, MARKS_UNITS);
  const facts = newest(lists.facts, FACTS_UNITS);
  const sent = newest(lists.sent, SENT_UNITS);
  const rest = `,"marks":${marks.text},"facts":${facts.text},"sent":${sent.text},"omitted":`;
  // The last number and what closes the object.
  const entries = newest(lists.entries, units - head.length - rest.length - 40);
  const omitted = marks.omitted + facts.omitted + sent.omitted + entries.omitted;
  return `${head.slice(0, -1)}${rest}${omitted},"entries":${entries.text}}`;
}

/**
 * As many of a list as fit, as JSON, in their order.
 * @param {readonly object[]} list Oldest first.
 * @param {number} units
 */
function newest(list, units) {
  /** @type {string[]} */
  const kept = [];
  let left = units - 2;
  for (let at = list.length - 1; at >= 0; at--) {
    const text = jsonOf(list[at]);
    if (text.length + 1 > left) continue;
    left -= text.length + 1;
    kept.unshift(text);
  }
  return { text: `[${kept.join(',')}]`, omitted: list.length - kept.length };
}

/** @param {object} row */
function jsonOf(row) {
  let text = texts.get(row);
  if (text === undefined) texts.set(row, (text = stringify(copy(row))));
  return text;
}
