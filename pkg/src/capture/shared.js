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

/** The version of the shared object; raise it when its functions change. */
const SHARED = Symbol.for('crypto-diag.capture.1');

/** Whether this copy has been installed. Then it is used without looking for another copy. */
let claimed = false;

/**
 * The page's one capture: that of the first copy of this package on which `install` was called. A property that could be changed later, by a
 * frame for example, was not put there by us and is ignored; a getter is not run.
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
      // The global object is frozen. Each copy then works by itself, and finds the other's hooks in place.
    }
  }
  return found;
}
