// One capture for a page, also where two copies of the package are loaded: the first that is installed stands under a symbol
// of the global object, where the other finds it.

import { defineProperty, freeze, getOwnPropertyDescriptor, isFrozen } from './builtins.js';
import { clear, install, uninstall, workerChannel } from './capture.js';
import { downloadReport } from './download.js';
import { getMarks, mark } from './marks.js';
import { subscribe } from './notify.js';
import { buildReport, collectReport } from './report.js';
import { getCaptureStatus, getCounts, getEntries, getServerCounts, getServerSnapshot } from './snapshots.js';

/** Everything that the page's one capture does, under the names of the package's exports. */
export const capture = freeze({
  install,
  uninstall,
  clear,
  mark,
  getMarks,
  getEntries,
  getCounts,
  getServerSnapshot,
  getServerCounts,
  getCaptureStatus,
  subscribe,
  buildReport,
  collectReport,
  downloadReport,
  workerChannel,
});

/** Raised with the API. */
const SHARED = Symbol.for('crypto-diag.capture.1');

/** Whether this copy has been installed: it asks for no other any more. */
let claimed = false;

/**
 * The page's one capture: that of the first copy of this package that was asked for it to be installed. Anything that could
 * be changed later, by a frame say, is none of ours; a getter is not run.
 */
export function shared() {
  if (claimed) return capture;
  const found = getOwnPropertyDescriptor(globalThis, SHARED);
  const other = found?.value;
  const kept = found?.configurable === false && found.writable === false;
  const fixed = kept && typeof other === 'object' && other !== null && isFrozen(other);
  return fixed && typeof getOwnPropertyDescriptor(other, 'install')?.value === 'function' ? other : capture;
}

/** Makes this copy the page's capture, unless there is one. */
export function claim() {
  const found = shared();
  if (!claimed && found === capture && typeof globalThis.window === 'object') {
    claimed = true;
    try {
      // Neither writable nor configurable: a frame of this origin can reach it, too.
      const fixed = { value: capture, writable: false, enumerable: false, configurable: false };
      defineProperty(globalThis, SHARED, fixed);
    } catch {
      // A frozen global: each copy is on its own, and finds the other's hooks in place.
    }
  }
  return found;
}
