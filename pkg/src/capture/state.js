// What the page's one capture knows of itself: whether it runs, what it hooked, what went wrong.

import { now } from './builtins.js';
import * as core from './core.js';
import { wordsOf } from './error-words.js';
import { changed } from './notify.js';

/**
 * @typedef {object} Keeper What keeps this page for the report of the next one (`pkg/src/keep.js`); it never throws.
 * @property {(left: boolean) => void} store Stores the page now. `left`: the user leaves it.
 * @property {(report: import('crypto-diag/report').Report) => void} addTo Adds the earlier pages to a report.
 * @property {() => void} clear Forgets all pages.
 * @property {() => void} stop Forgets all pages and keeps no more.
 *
 * @typedef {object} KeptCapture What it is given of the capture.
 * @property {() => readonly object[]} getEntries
 * @property {() => readonly object[]} getMarks
 * @property {typeof import('./report.js').keptPart} keptPart
 * @property {typeof import('./report.js').cleanClient} cleanClient
 * @property {typeof import('./clean.js').clean} clean
 * @property {(listener: () => void) => () => void} subscribe
 */

/** Failures of the capture itself that a report lists. */
const FAILURES_MAX = 20;

export const state = {
  installed: false,
  stopped: false,
  /** @type {number | null} */
  installedAt: null,
  /** @type {number | null} */
  clearedAt: null,
  /** @type {import('./hooks.js').Hook[]} */
  hooks: [],
  /** @type {import('./frames.js').FrameWatch | null} */
  frames: null,
  /** Whether frames are asked for their call, once a report is made. */
  calls: false,
  /** Null unless the app asks for it. @type {Keeper | null} */
  keeper: null,
  /** @type {{ts: number, what: string}[]} */
  failures: [],
  /** Counts changes, so that snapshots are made only when something has changed. */
  revision: 0,
};

/** Something has changed that a subscriber may want to see. */
export function noteChange() {
  state.revision++;
  changed();
}

/**
 * Notes a failure of the capture itself. These notes are not redacted, so they may hold no text of the page.
 * @param {string} what In words of ours.
 * @param {unknown} [error]
 */
export function noteFailure(what, error) {
  const { failures } = state;
  if (failures.length >= FAILURES_MAX) return;
  failures[failures.length] = {
    ts: now(),
    what: error === undefined ? what : `${what}: ${wordsOf(error)}`,
  };
}

/** The capture's state, by the names that the report has for it. */
export function stateName() {
  if (!state.installed) return 'not-installed';
  if (core.status === 'failed') return core.hasMemory() ? 'failed' : 'blind';
  if (state.stopped) return 'stopped';
  return core.status === 'starting' ? 'starting' : 'capturing';
}

/** Why nothing is being kept, as a sentence. */
export function reasonOf() {
  if (core.reason !== null) return core.reason;
  if (state.installed) return null;
  return typeof globalThis.window === 'object' ? 'install() was not called.' : 'There is no window to watch.';
}
