// Values that a card or React reads repeatedly: frozen, and the same object until something changes. Waiting lines are given to the core
// first. If no line has ever matched, the core is not started.

import { KES, MEANINGS } from 'crypto-diag/facts';
import { freeze } from './builtins.js';
import * as core from './core.js';
import { drain } from './queue.js';
import { reasonOf, state, stateName } from './state.js';

/** @typedef {import('../index.js').Counts} Counts */
/** @typedef {import('crypto-diag/report').Entry} Entry */

/** @type {readonly Entry[]} */
const NO_ENTRIES = freeze([]);

/** Entries that were read before, by their ids. */
/** @type {Record<number, Entry>} */
let known = {};
let entriesSnapshot = NO_ENTRIES;
let entriesRevision = 0;
const zeroCounts = makeCounts([]);
let countsSnapshot = zeroCounts;
let countsRevision = 0;

/** Called after `clear`: the core numbers its entries from the beginning again. */
export function forgetIds() {
  known = {};
}

/** The kept entries, most recent last: frozen, and the same array until something changes. */
export function getEntries() {
  drain();
  if (entriesRevision !== state.revision && core.hasMemory()) {
    const found = core.readEntries((id) => known[id]);
    /** @type {Entry[]} */
    const entries = [];
    known = {};
    for (let at = 0; at < found.length; at++) {
      const { id, entry } = found[at];
      freeze(entry.realm);
      entries[at] = known[id] = freeze(entry);
    }
    entriesSnapshot = freeze(entries);
    entriesRevision = state.revision;
  }
  return entriesSnapshot;
}

/** How many lines matched, by family and meaning: frozen, and the same object until something changes. */
export function getCounts() {
  drain();
  if (countsRevision !== state.revision && core.hasMemory()) {
    countsSnapshot = makeCounts(core.readTallies());
    countsRevision = state.revision;
  }
  return countsSnapshot;
}

/** @param {ReturnType<typeof core.readTallies>} tallies @returns {Counts} */
function makeCounts(tallies) {
  /** @type {Record<string, Record<string, number>>} */
  const byKe = {};
  /** @type {Record<string, number>} */
  const byMeaning = {};
  let total = 0;
  for (let at = 0; at < MEANINGS.length; at++) byMeaning[MEANINGS[at]] = 0;
  for (let at = 0; at < KES.length; at++) byKe[KES[at]] = { total: 0, ...byMeaning };
  for (let at = 0; at < tallies.length; at++) {
    const row = tallies[at];
    byKe[row.ke].total += row.total;
    byKe[row.ke][row.meaning] = row.total;
    byMeaning[row.meaning] += row.total;
    total += row.total;
  }
  for (let at = 0; at < KES.length; at++) freeze(byKe[KES[at]]);
  return /** @type {any} */ (freeze({ total, byKe: freeze(byKe), byMeaning: freeze(byMeaning) }));
}

/** What a server renders: no entries, always the same array. */
export const getServerSnapshot = () => NO_ENTRIES;
/** What a server renders: no counts, always the same object. */
export const getServerCounts = () => zeroCounts;

/** @type {Readonly<{state: string, reason: string | null, frames: number, blindFrames: number}>} */
let statusSnapshot = freeze({ state: 'not-installed', reason: null, frames: 0, blindFrames: 0 });

/** Whether lines are being kept, and where: frozen, and the same object until something changes. */
export function getCaptureStatus() {
  drain();
  const { hooked, blind } = state.frames?.counts() ?? { hooked: 0, blind: 0 };
  const next = { state: stateName(), reason: reasonOf(), frames: hooked, blindFrames: blind };
  const old = statusSnapshot;
  const same =
    old.state === next.state &&
    old.reason === next.reason &&
    old.frames === next.frames &&
    old.blindFrames === next.blindFrames;
  if (!same) statusSnapshot = freeze(next);
  return statusSnapshot;
}
