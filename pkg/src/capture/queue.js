// Lines that have passed the prefilter and have not been given to the core yet: the one place that holds raw text. Nothing
// reads it but the core's redactor; whoever asks for entries, counts or a report empties it first.
//
// A console call only puts its line here. The rest is done in a task of its own, soon after, or when somebody asks.

import * as core from './core.js';
import { putOff } from './task.js';
import { compact } from './utf8.js';

/** UTF-16 code units that wait at most, unless it is one line alone: what the core looks at in a millisecond or two. A line that
 * finds no room sends the oldest ones to the core, within its call. */
const UNITS_MAX = 1 << 16;
/** Units that a line is counted for in addition to its text. */
const LINE_UNITS = 64;
/** Bounds of units and lines while the browser compiles the core asynchronously. That may take seconds, or never end. */
const STARTING_UNITS_MAX = 1 << 20;
const STARTING_LINES_MAX = 500;

/**
 * @typedef {object} Line
 * @property {number} ts
 * @property {number} level
 * @property {string} text
 * @property {string} rest The end of a line whose middle was left out, else empty.
 * @property {number} length Of the whole line, in UTF-16 code units.
 * @property {{kind: 'main' | 'frame' | 'worker', path: string | null}} realm
 * @property {number} uncaught
 * @property {string} stack
 * @property {Line | null} [next]
 */

/** How many lines have waited for the core to be compiled, and how many were lost. */
export const waited = { queued: 0, overflow: 0 };

/** @type {Line | null} */
let oldest = null;
/** @type {Line | null} */
let newest = null;
let count = 0;
let units = 0;
let onMatch = () => {};

/** The core's numbers for kinds of realms. */
const KINDS = { main: 0, frame: 1, worker: 2 };

const unitsOf = (/** @type {Line} */ line) =>
  line.text.length + line.rest.length + line.stack.length + LINE_UNITS;

const soon = putOff(drain);

/** Says whom to call after lines that a signature stands in. @param {() => void} matched */
export function open(matched) {
  onMatch = matched;
}

/** @param {Line} line */
export function put(line) {
  const size = unitsOf(line);
  while (oldest !== null && units + size > UNITS_MAX && give(1));
  if (isFull(size)) {
    waited.overflow++;
    return;
  }
  if (core.status === 'starting') waitLong(line);
  line.next = null;
  if (newest === null) oldest = line;
  else newest.next = line;
  newest = line;
  count++;
  units += size;
  if (!soon()) drain();
}

/** @param {number} size */
function isFull(size) {
  if (core.status === 'failed') return true;
  if (core.status === 'starting') return count >= STARTING_LINES_MAX || units + size > STARTING_UNITS_MAX;
  // The queue is still full although the core was given lines: the page's stack is exhausted.
  return oldest !== null && units + size > UNITS_MAX;
}

/** Gives all lines to the core. While the core is being compiled, they stay in the queue. */
export function drain() {
  give(Infinity);
}

/** Forgets the lines. */
export function drop() {
  oldest = newest = null;
  count = units = 0;
}

/**
 * Gives the core lines, oldest first, until so many units have gone; starts it if need be.
 * @param {number} most
 * @returns {boolean} Whether any went.
 */
function give(most) {
  if (oldest === null) return false;
  if (core.status === 'ready' && core.start() === 'starting') keepForLong();
  let gone = 0;
  let matched = false;
  core.enter(() => {
    while (oldest !== null && gone < most) {
      const line = oldest;
      const size = unitsOf(line);
      // Remove the line before recording it: a line that makes the core fail must not be given to it again.
      oldest = line.next ?? null;
      if (oldest === null) newest = null;
      count--;
      units -= size;
      gone += size;
      if (record(line)) matched = true;
    }
  });
  if (core.status === 'failed') {
    waited.overflow += count;
    drop();
  }
  if (matched) onMatch();
  return gone > 0;
}

/** @param {Line} line */
function record({ ts, level, text, rest, length, realm, uncaught, stack }) {
  // The core knows the main window from the start.
  const number = realm.kind === 'main' ? 0 : core.addRealm(KINDS[realm.kind], realm.path ?? '');
  return core.record(ts, level, number, uncaught, text, rest, stack, length);
}

/** Called when the core is compiled asynchronously: drops the lines that exceed the bounds of such a wait. */
function keepForLong() {
  let line = oldest;
  drop();
  while (line !== null) {
    const next = line.next ?? null;
    put(line);
    line = next;
  }
}

/** @param {Line} line */
function waitLong(line) {
  line.text = compact(line.text);
  line.rest = compact(line.rest);
  line.stack = compact(line.stack);
  waited.queued++;
}
