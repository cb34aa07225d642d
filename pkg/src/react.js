// crypto-diag/react: the capture as a React hook. React is the application's own; this file brings none.

// @ts-ignore React is a peer of the package, and is not installed where the package is built.
import { useSyncExternalStore } from 'react';
import * as diag from './index.js';

/** @typedef {import('./react.js').CryptoDiag} CryptoDiag */

/** @type {CryptoDiag} */
const NOTHING = Object.freeze({
  entries: diag.getServerSnapshot(),
  counts: diag.getServerCounts(),
  status: Object.freeze({ state: 'not-installed', reason: null, frames: 0, blindFrames: 0 }),
  marks: Object.freeze([]),
});

/**
 * One object for all values. It is taken between renders only: a line that is logged while React renders would
 * otherwise change what the next component reads, or, logged by a reader itself, make it render without end.
 * @type {CryptoDiag}
 */
let snapshot = NOTHING;

/** React's own listeners, one for each mounted reader. @type {Set<() => void>} */
const listeners = new Set();
let unsubscribe = () => {};
let awaitingFrame = false;

function take() {
  const entries = diag.getEntries();
  const counts = diag.getCounts();
  const status = diag.getCaptureStatus();
  const marks = diag.getMarks();
  const same =
    entries === snapshot.entries &&
    counts === snapshot.counts &&
    status === snapshot.status &&
    marks === snapshot.marks;
  if (!same) snapshot = Object.freeze({ entries, counts, status, marks });
}

function show() {
  awaitingFrame = false;
  const before = snapshot;
  take();
  if (snapshot !== before) for (const listener of [...listeners]) listener();
}

/** A burst is shown once, in the next frame that is painted; a hidden page paints none. */
function changed() {
  if (awaitingFrame) return;
  awaitingFrame = true;
  requestAnimationFrame(show);
}

/** @param {() => void} listener */
function subscribe(listener) {
  if (listeners.size === 0) {
    unsubscribe = diag.subscribe(changed);
    // Something may have changed since the first render. React compares once more after subscribing.
    take();
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) unsubscribe();
  };
}

function getSnapshot() {
  if (listeners.size === 0) take();
  return snapshot;
}

const getServerSnapshot = () => NOTHING;

/** @returns {CryptoDiag} */
export function useCryptoDiag() {
  return useSyncExternalStore(subscribe, getSnapshot, getServerSnapshot);
}
