// Moments that the user marks while a call goes on: what was heard and seen, which no line tells. Nothing leaves the page.

import { freeze, now, slice } from './builtins.js';
import { clean } from './clean.js';
import * as core from './core.js';
import { noteChange } from './state.js';
import { compact } from './utf8.js';

/** Marks kept; more are none that a person makes in one call. The first ones stay: they say when it began. */
const MARKS_MAX = 200;
/** UTF-16 code units of a label. */
const LABEL_UNITS = 200;

/** @typedef {import('crypto-diag/report').Mark} Mark */

/** As they were given: only the redactor reads them. @type {Mark[]} */
let raw = [];
/** What is shown of them. @type {readonly Mark[]} */
let shown = freeze([]);
/** Whether the redactor has looked at all that is shown. */
let settled = true;

/**
 * Marks this moment; never throws.
 * @param {string} [label] What was heard or seen, in the user's words.
 * @param {Mark['kind']} [kind]
 */
export function mark(label, kind) {
  if (raw.length >= MARKS_MAX) return;
  const text = typeof label === 'string' ? label : '';
  raw[raw.length] = {
    ts: now(),
    kind: kind === 'start' || kind === 'end' ? kind : 'symptom',
    label: compact(text.length > LABEL_UNITS ? slice(text, 0, LABEL_UNITS) : text),
  };
  settled = false;
  noteChange();
}

/** The marks, oldest first: frozen, without secrets, and the same array until something changes. */
export function getMarks() {
  if (!settled) {
    core.start();
    const { facts, byCore } = clean(raw);
    for (let at = 0; at < facts.length; at++) freeze(facts[at]);
    shown = freeze(facts);
    settled = byCore || core.status === 'failed';
  }
  return shown;
}

/** Forgets them. */
export function clearMarks() {
  raw = [];
  shown = freeze([]);
  settled = true;
}
