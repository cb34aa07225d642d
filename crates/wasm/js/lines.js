// From a console call to a recorded line: the per-line path.

import { now } from './builtins.js';
import * as core from './core.js';
import { passes } from './prefilter.js';
import { noteSent } from './sent.js';
import { stackOf } from './stack.js';
import { forget, length, lineText, tail } from './text.js';

/** Lines that wait for a core which the browser compiles asynchronously, and their length together. */
const QUEUE_LINES = 500;
const QUEUE_UNITS = 1 << 20;

export const WARN = 0;
export const ERROR = 1;

/**
 * Where a line was written, in the report's words.
 * @typedef {{kind: 'main' | 'frame' | 'worker', path: string | null}} Realm
 */

/** The core's numbers for kinds of realms. */
const KINDS = { main: 0, frame: 1, worker: 2 };

/** What has happened on this path so far. */
export const seen = { lines: 0, nested: 0, queued: 0, overflow: 0, failed: 0, partly: 0 };

/** True while a line is being looked at: what is logged meanwhile, by a Proxy's trap say, is not looked at. */
let looking = false;
let active = false;
let queue = [];
let queueUnits = 0;
let onMatch = () => {};

/** Starts looking; `matched` is called after each line that a signature stands in. */
export function open(matched) {
  onMatch = matched;
  active = true;
}

/** Stops looking: the wrappers that are still in place become mere passages. */
export function close() {
  active = false;
}

/**
 * Looks at a console call; never throws.
 * @param {number} level `WARN` or `ERROR`.
 * @param {ArrayLike<unknown>} args
 * @param {() => Realm} realm Asked only for lines that pass the prefilter.
 * @param {number} [uncaught] 1 for what the browser reports itself.
 */
export function look(level, args, realm, uncaught = 0) {
  if (!active) return;
  if (looking) {
    seen.nested++;
    return;
  }
  looking = true;
  try {
    seen.lines++;
    const text = lineText(args);
    if (passes(text, tail)) keep(level, text, tail, length, realm(), uncaught, stackOf(args), now());
    if (tail !== '') {
      seen.partly++;
      forget();
    }
  } catch {
    seen.failed++;
  } finally {
    looking = false;
  }
}

/**
 * Looks at a call that may tell of sent keys; never throws.
 * @param {ArrayLike<unknown>} args
 * @param {() => Realm} realm
 */
export function lookSent(args, realm) {
  if (!active || looking) return;
  looking = true;
  try {
    if (noteSent(args, realm)) onMatch();
  } catch {
    seen.failed++;
  } finally {
    looking = false;
  }
}

/** Takes a line that another realm has formatted; whatever it holds, it is only a text here. */
export function receive(ts, level, text, rest, units, realm, uncaught, stack) {
  if (!active) return;
  seen.lines++;
  if (rest !== '') seen.partly++;
  if (passes(text, rest)) keep(level, text, rest, units, realm, uncaught, stack, ts);
}

function keep(level, text, rest, units, realm, uncaught, stack, ts) {
  if (core.status === 'starting') {
    wait([level, core.compact(text), core.compact(rest), units, realm, uncaught, core.compact(stack), ts]);
  } else {
    // The core knows the main window from the start.
    const number = realm.kind === 'main' ? 0 : core.addRealm(KINDS[realm.kind], realm.path ?? '');
    if (core.record(ts, level, number, uncaught, text, rest, stack, units)) onMatch();
  }
}

function wait(line) {
  const size = line[1].length + line[2].length + line[6].length;
  if (queue.length >= QUEUE_LINES || queueUnits + size > QUEUE_UNITS) {
    seen.overflow++;
    return;
  }
  queue[queue.length] = line;
  queueUnits += size;
  seen.queued++;
}

/** Gives the core the lines that waited for it, or lets them go if it did not come. */
export function drain() {
  const waiting = queue;
  queue = [];
  queueUnits = 0;
  for (let at = 0; at < waiting.length; at++) {
    const line = waiting[at];
    if (core.status === 'running')
      keep(line[0], line[1], line[2], line[3], line[4], line[5], line[6], line[7]);
    else seen.overflow++;
  }
}
