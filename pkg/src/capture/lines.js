// From a console call to the queue: the per-line path.

import { now, startsWith } from './builtins.js';
import { passes } from './prefilter.js';
import { put } from './queue.js';
import { stackOf } from './stack.js';
import { putOff } from './task.js';
import { forget, length, lineText, tail } from './text.js';

export const WARN = 0;
export const ERROR = 1;

/**
 * Where a line was written, in the report's words.
 * @typedef {{kind: 'main' | 'frame' | 'worker', path: string | null}} Realm
 */

/** What has happened on this path so far. */
export const seen = { lines: 0, nested: 0, failed: 0, partly: 0 };

/** True while arguments are read that may run the page's code. What that code logs, in a Proxy's trap for example, is ignored. */
let looking = false;
/** Resets `looking` in the next task. In Firefox a runaway recursion can end without running `finally` blocks, so `looking` may stay
 * true; no look lasts longer than its task, so the next task may reset it. */
const recover = putOff(() => {
  looking = false;
});
let active = false;
let onFact = () => {};

/** Starts looking at lines; `noted` is called after each line of which a fact was kept. @param {() => void} noted */
export function open(noted) {
  onFact = noted;
  active = true;
}

/** Stops looking at lines. Wrappers that are still in place only pass calls on. */
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
    recover();
    return;
  }
  looking = mayRunCode(args);
  try {
    seen.lines++;
    const text = lineText(args);
    if (passes(text, tail)) {
      const stack = stackOf(args);
      put({ ts: now(), level, text, rest: tail, length, realm: realm(), uncaught, stack, next: null });
    }
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

/** Whether reading some arguments may run code of the page: texts and numbers cannot. @param {ArrayLike<unknown>} args */
function mayRunCode(args) {
  for (let at = 0; at < args.length; at++) {
    const value = args[at];
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') return true;
  }
  return false;
}

/**
 * @typedef {object} FactLine A line at info that tells a fact.
 * @property {string} start How it begins.
 * @property {(args: ArrayLike<unknown>, at: number, realm: () => Realm) => boolean} keep Keeps the fact, if it is one; `at` is the
 *   line's place among the arguments.
 */

/**
 * Looks at a console call at info for facts. The line itself is never kept. Never throws.
 * @param {ArrayLike<unknown>} args
 * @param {() => Realm} realm
 * @param {readonly FactLine[]} kinds
 */
export function lookForFacts(args, realm, kinds) {
  if (!active || looking) return;
  // A logger may pass its prefix as the first argument, so look at two.
  for (let at = 0; at < 2; at++) {
    const line = args[at];
    if (typeof line !== 'string') return;
    const first = line[0];
    for (let kind = 0; kind < kinds.length; kind++) {
      const { start } = kinds[kind];
      if (first === start[0] && startsWith(line, start)) keepFact(kinds[kind], args, at, realm);
    }
  }
}

/** @param {FactLine} kind @param {ArrayLike<unknown>} args @param {number} at @param {() => Realm} realm */
function keepFact(kind, args, at, realm) {
  looking = mayRunCode(args);
  try {
    if (kind.keep(args, at, realm)) onFact();
  } catch {
    seen.failed++;
  } finally {
    looking = false;
  }
}

/**
 * Takes a line that a worker has formatted. It is handled as plain text, whatever it holds.
 * @param {import('./queue.js').Line} line
 */
export function receive(line) {
  if (!active) return;
  seen.lines++;
  if (line.rest !== '') seen.partly++;
  if (passes(line.text, line.rest)) put(line);
}
