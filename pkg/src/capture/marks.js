// Moments that the user marks while a call goes on: what was heard and seen, which no line tells. Nothing leaves the page.

import { now, slice } from './builtins.js';
import { noteChange } from './state.js';
import { compact } from './utf8.js';
import { Waiting } from './waiting.js';

/** Marks kept; nobody makes more in one call. The first ones are kept, since they say when the trouble began. */
const MARKS_MAX = 200;
/** UTF-16 code units of a label. */
const LABEL_UNITS = 200;

/** @typedef {import('crypto-diag/report').Mark} Mark */

/** Without a core the labels are closed, and the times stay. */
const marks = /** @type {Waiting<Mark>} */ (new Waiting(MARKS_MAX, true));

/**
 * Marks this moment; never throws.
 * @param {string} [label] What was heard or seen, in the user's words.
 * @param {Mark['kind']} [kind]
 */
export function mark(label, kind) {
  if (marks.size() >= MARKS_MAX) return;
  const text = typeof label === 'string' ? label : '';
  marks.add({
    ts: now(),
    kind: kind === 'start' || kind === 'end' ? kind : 'symptom',
    label: compact(slice(text, 0, LABEL_UNITS)),
  });
  noteChange();
}

/** The marks, oldest first. */
export const getMarks = () => marks.list();

/** Forgets them. */
export const clearMarks = () => marks.clear();
