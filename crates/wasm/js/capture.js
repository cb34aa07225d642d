// The one capture of a page: who owns which state, and what every export does.

import { EMPTY_REPORT, KES, MEANINGS } from 'crypto-diag/facts';
import {
  apply,
  assign,
  defineProperty,
  deref,
  errorOfEvent,
  freeze,
  max,
  messageOfEvent,
  now,
  parseJson,
  reasonOfEvent,
  slice,
} from './builtins.js';
import { clientFacts } from './client.js';
import * as core from './core.js';
import { watchFrames } from './frames.js';
import { hook, inPlace, unhook } from './hooks.js';
import { copy, toJson } from './json.js';
import * as lines from './lines.js';
import { changed, listenerErrors, subscribe } from './notify.js';
import { pageEvents, pageFacts, timeOriginOf, unwatchPage, watchPage } from './page.js';
import { clockFacts, collectFacts } from './questions.js';
import { clearSent, sentBatches } from './sent.js';
import { unreadable } from './text.js';
import { openWorkerChannel } from './worker-channel.js';

/** Failures of the capture itself that a report lists. */
const FAILURES_MAX = 20;

const NO_ENTRIES = freeze([]);
const MAIN = freeze({ kind: 'main', path: null });
const main = () => MAIN;

let installed = false;
let stopped = false;
let installedAt = null;
let clearedAt = null;
/** One for each time that the capture was started: listeners of an earlier one look no more. */
let session = {};
/** @type {import('./hooks.js').Hook[]} */
let hooks = [];
/** Hooks in child documents: weak, or a removed frame would live as long as the page. @type {WeakRef<object>[]} */
let frameHooks = [];
let frames = null;
let workers = null;
const failures = [];
/** Counts changes, so that snapshots are made only when something has changed. */
let revision = 0;

function matched() {
  revision++;
  changed();
}

function noteFailure(what) {
  if (failures.length < FAILURES_MAX) failures[failures.length] = { ts: now(), what };
}

/**
 * Starts the capture: synchronous, idempotent, complete; never throws.
 * @param {{frames?: boolean, sentKeys?: boolean}} [options]
 */
export function install(options) {
  if (installed && !stopped) return;
  if (typeof globalThis.window !== 'object' || typeof globalThis.document !== 'object') return;
  const sentKeys = options?.sentKeys !== false;
  installed = true;
  stopped = false;
  installedAt = now();
  session = {};
  try {
    core.start(coreChanged);
    if (core.status === 'failed') return;
    lines.open(matched);
    hooks = hookConsole(globalThis, main, sentKeys);
    const watchErrors = errorWatcher(globalThis, main);
    watchErrors();
    const listenToPage = watchPage();
    if (options?.frames === false) return;
    frames = watchFrames(
      (window, path) => hookFrame(window, path, sentKeys),
      () => {
        watchErrors();
        listenToPage();
      },
    );
  } catch (error) {
    noteFailure(`install: ${error?.message ?? error}`);
  }
}

/** The core runs at last, or has failed. */
function coreChanged() {
  if (core.status === 'failed') {
    noteFailure(core.reason);
    lines.close();
    // What never ran has nothing to look for.
    if (!core.hasMemory()) leave();
  }
  lines.drain();
  matched();
}

function hookConsole(window, realm, sentKeys) {
  const { console } = window;
  const made = [
    hook(console, 'warn', (args) => lines.look(lines.WARN, args, realm)),
    hook(console, 'error', (args) => lines.look(lines.ERROR, args, realm)),
  ];
  if (sentKeys) made[2] = hook(console, 'info', (args) => lines.lookSent(args, realm));
  return made;
}

/** Hooks a child document's Window, for `watchFrames`. */
function hookFrame(window, path, sentKeys) {
  // Asked for each kept line, not once: the hook survives the frame's first navigation, its address does not.
  const realm = () => ({ kind: 'frame', path: path() });
  const made = hookConsole(window, realm, sentKeys);
  const alive = [];
  for (let at = 0; at < frameHooks.length; at++)
    if (apply(deref, frameHooks[at], [])) alive[alive.length] = frameHooks[at];
  for (let at = 0; at < made.length; at++) if (made[at].wrapper) alive[alive.length] = new WeakRef(made[at]);
  frameHooks = alive;
  const hooked = made[0].wrapper !== null || made[0].ours === true;
  // Another copy of this package watches this Window's errors, too.
  const watchErrors = made[0].ours ? () => {} : errorWatcher(window, realm);
  return { hooked, watchErrors };
}

/**
 * Watches a Window's uncaught errors and unhandled rejections; the browser's own report of them is left alone.
 * @returns {() => void} Adds the listeners; once more after `document.open()` has removed them does no harm.
 */
function errorWatcher(window, realm) {
  const mine = session;
  const listener = (read) => (event) => {
    try {
      if (mine === session) lines.look(lines.ERROR, [read(event)], realm, 1);
    } catch {
      // An event of the page's own making.
    }
  };
  // Where the error itself is not to be had, the browser's sentence is.
  const onError = listener((event) => apply(errorOfEvent, event, []) ?? apply(messageOfEvent, event, []));
  const onRejection = listener((event) => apply(reasonOfEvent, event, []));
  return () => {
    window.addEventListener('error', onError);
    window.addEventListener('unhandledrejection', onRejection);
  };
}

/** Puts the consoles back as they were and stops looking. */
function leave() {
  session = {};
  lines.close();
  for (let at = 0; at < hooks.length; at++) if (hooks[at].wrapper) unhook(hooks[at]);
  for (let at = 0; at < frameHooks.length; at++) {
    const one = apply(deref, frameHooks[at], []);
    if (one) unhook(one);
  }
  frameHooks = [];
  frames?.stop();
  workers?.close();
  workers = null;
  unwatchPage();
}

/** Stops the capture; what was kept stays. */
export function uninstall() {
  if (!installed || stopped) return;
  stopped = true;
  leave();
  matched();
}

/** Forgets entries, counts and sent batches. */
export function clear() {
  core.clear();
  // The core counts its ids anew.
  known = {};
  clearSent();
  clearedAt = now();
  matched();
}

/** The name of a channel for `installInWorker`. Random, since every tab of the origin hears every BroadcastChannel. */
export function workerChannel() {
  workers ??= openWorkerChannel((line) => {
    const realm = { kind: 'worker', path: line.path };
    lines.receive(line.ts, line.level, line.text, line.tail, line.length, realm, line.uncaught, line.stack);
  });
  return workers.name;
}

/** Entries that were read before, by their ids. */
let known = {};
let entriesSnapshot = NO_ENTRIES;
let entriesRevision = 0;
const zeroCounts = makeCounts([]);
let countsSnapshot = zeroCounts;
let countsRevision = 0;

/** The kept entries, most recent last: frozen, and the same array until something changes. */
export function getEntries() {
  if (entriesRevision !== revision && core.hasMemory()) {
    const found = core.readEntries((id) => known[id]);
    const entries = [];
    known = {};
    for (let at = 0; at < found.length; at++) {
      const { id, entry } = found[at];
      freeze(entry.realm);
      entries[at] = known[id] = freeze(entry);
    }
    entriesSnapshot = freeze(entries);
    entriesRevision = revision;
  }
  return entriesSnapshot;
}

/** How many lines matched, by family and meaning: frozen, and the same object until something changes. */
export function getCounts() {
  if (countsRevision !== revision && core.hasMemory()) {
    countsSnapshot = makeCounts(core.readTallies());
    countsRevision = revision;
  }
  return countsSnapshot;
}

function makeCounts(tallies) {
  const byKe = {};
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
  return freeze({ total, byKe: freeze(byKe), byMeaning: freeze(byMeaning) });
}

/** What a server renders: no entries, always the same array. */
export const getServerSnapshot = () => NO_ENTRIES;
/** What a server renders: no counts, always the same object. */
export const getServerCounts = () => zeroCounts;

/** @type {Readonly<{state: string, reason: string | null, frames: number, blindFrames: number}>} */
let statusSnapshot = freeze({ state: 'not-installed', reason: null, frames: 0, blindFrames: 0 });

/** Whether lines are being kept, and where: frozen, and the same object until something changes. */
export function getCaptureStatus() {
  const { hooked, blind } = frames?.counts() ?? { hooked: 0, blind: 0 };
  const next = { state: state(), reason: reasonOf(), frames: hooked, blindFrames: blind };
  const old = statusSnapshot;
  const same =
    old.state === next.state &&
    old.reason === next.reason &&
    old.frames === next.frames &&
    old.blindFrames === next.blindFrames;
  if (!same) statusSnapshot = freeze(next);
  return statusSnapshot;
}

function state() {
  if (!installed) return 'not-installed';
  if (core.status === 'failed') return core.hasMemory() ? 'failed' : 'blind';
  if (stopped) return 'stopped';
  return core.status === 'starting' ? 'starting' : 'capturing';
}

function reasonOf() {
  if (core.reason !== null) return core.reason;
  if (installed) return null;
  return typeof globalThis.window === 'object' ? 'install() was not called.' : 'There is no window to watch.';
}

/** The capture's half of a report; the core adds the numbers that it keeps. */
function captureFacts() {
  const origin = timeOriginOf(globalThis);
  const states = [];
  for (let at = 0; at < hooks.length; at++) {
    states[at] = { method: hooks[at].method, inPlace: inPlace(hooks[at]), reason: hooks[at].reason };
  }
  return {
    state: state(),
    reason: reasonOf(),
    installedAt,
    timeOrigin: origin,
    installedAfter: installedAt !== null && origin !== null ? max(0, installedAt - origin) : null,
    clearedAt,
    hooks: states,
    linesSeen: lines.seen.lines,
    partlyScanned: lines.seen.partly,
    unreadable: unreadable + lines.seen.failed,
    nested: lines.seen.nested,
    queued: lines.seen.queued,
    queueOverflow: lines.seen.overflow,
    listenerErrors,
    failures,
    frames: frames?.report() ?? { watching: false, documents: [], omitted: 0 },
    pageEvents: pageEvents(),
  };
}

/**
 * The report as JSON: two-space indentation, keys in the order of the Rust types. It always answers, also where nothing
 * could be captured: then `capture` says why.
 * @param {unknown} mx The Matrix client, or null.
 * @param {{sdkVersion?: string}} [extra]
 * @returns {string}
 */
export function buildReport(mx, extra) {
  return toJson(makeReport(mx, extra));
}

/**
 * The same with what only an asynchronous question can tell: storage, keys, devices. It makes no request and changes
 * nothing; each question has a limit of time.
 * @param {unknown} mx
 * @param {{sdkVersion?: string}} [extra]
 * @returns {Promise<string>}
 */
export async function collectReport(mx, extra) {
  let facts = {};
  try {
    facts = copy(await collectFacts(mx, getEntries(), sentBatches()), core.scrub);
  } catch (error) {
    noteFailure(`collectReport: ${error?.message ?? error}`);
  }
  return toJson(assign(makeReport(mx, extra), facts));
}

function makeReport(mx, extra) {
  const report = parseJson(EMPTY_REPORT);
  assign(report, clientFacts(mx, extra), pageFacts(), {
    generatedAt: now(),
    clock: clockFacts(),
    sent: sentBatches(),
  });
  assign(report.capture, captureFacts());
  // A path or an error's text may hold a secret, too; entries have been looked through.
  const clean = copy(report, core.scrub);
  if (core.hasMemory()) {
    const tallies = core.readTallies();
    clean.tallies = [];
    for (let at = 0; at < tallies.length; at++) {
      const row = tallies[at];
      if (row.total > 0) clean.tallies[clean.tallies.length] = row;
      clean.counts[row.ke] += row.total;
    }
    assign(clean.capture, core.readCounters(), { linesMatched: getCounts().total });
    clean.entries = getEntries();
  }
  return clean;
}

/**
 * Gives the report to the user as a file.
 * @param {unknown} mx
 * @param {{sdkVersion?: string, prefix?: string}} [extra]
 * @returns {Promise<string>} The file's name: the prefix (`lotus-crypto-diag`) and the time in UTC, as
 *   `2026-11-23T19-30-00Z`: file systems do not take the colons.
 */
export async function downloadReport(mx, extra) {
  const time = new Date(now()).toISOString();
  const part = (from, to) => slice(time, from, to);
  const name = `${extra?.prefix ?? 'lotus-crypto-diag'}-${part(0, 13)}-${part(14, 16)}-${part(17, 19)}Z.json`;
  const report = await collectReport(mx, extra);
  const address = core.fileUrl(report);
  const url = address ?? URL.createObjectURL(new Blob([report], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(address ? core.releaseFile : () => URL.revokeObjectURL(url), RELEASE_AFTER);
  return name;
}

/** Milliseconds after which a download's Blob is freed; a browser may read it after the click has returned. */
const RELEASE_AFTER = 60_000;

/** Everything that the page's one capture does, under the names of the package's exports. */
export const capture = {
  install,
  uninstall,
  clear,
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
};

/** Where the capture of a page stands, so that a second copy of the package finds it. Raised with the API. */
const SHARED = Symbol.for('crypto-diag.capture.1');

/** The page's one capture: that of the first copy of this package that was asked for it to be installed. */
export function shared() {
  const other = globalThis[SHARED];
  return other && typeof other.install === 'function' ? other : capture;
}

/** Makes this copy the page's capture, unless there is one. */
export function claim() {
  if (shared() === capture && typeof globalThis.window === 'object') {
    try {
      defineProperty(globalThis, SHARED, { value: capture, configurable: true });
    } catch {
      // A frozen global: each copy is on its own, and finds the other's hooks in place.
    }
  }
  return shared();
}
