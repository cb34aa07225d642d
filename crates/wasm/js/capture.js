// The one capture of a page: who owns which state, and what every export does.

import { EMPTY_REPORT, KES, MEANINGS } from 'crypto-diag/facts';
import { assign, defineProperty, freeze, now, parseJson } from './builtins.js';
import { clientFacts } from './client.js';
import * as core from './core.js';
import { watchFrames } from './frames.js';
import { hook, inPlace, unhook } from './hooks.js';
import { toJson } from './json.js';
import * as lines from './lines.js';
import { changed, listenerErrors, subscribe } from './notify.js';
import { pageEvents, pageFacts, timeOrigin, unwatchPage, watchPage } from './page.js';
import { clockFacts, collectFacts } from './questions.js';
import { clearSent, noteSent, sentBatches } from './sent.js';
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
/** @type {import('./hooks.js').Hook[]} */
let hooks = [];
/** Hooks in child documents: weak, or a removed frame would live as long as the page. @type {WeakRef<object>[]} */
let frameHooks = [];
let frames = null;
let workers = null;
let failures = [];
/** Counts changes, so that snapshots are made only when something has changed. */
let revision = 0;

function matched() {
  revision++;
  changed();
}

function noteFailure(what) {
  if (failures.length < FAILURES_MAX) failures.push({ ts: now(), what: String(what) });
}

/**
 * Starts the capture: synchronous, idempotent, complete; never throws.
 * @param {{frames?: boolean, sentKeys?: boolean}} [options]
 */
export function install(options = {}) {
  if (installed && !stopped) return;
  if (typeof globalThis.window !== 'object' || typeof globalThis.document !== 'object') return;
  try {
    const again = installed;
    installed = true;
    stopped = false;
    installedAt = now();
    if (!again) core.start(coreSettled);
    lines.open(matched);
    if (core.status === 'failed' && !core.hasMemory()) return;
    hooks = hookConsole(globalThis, main, options.sentKeys !== false);
    errorWatcher(globalThis, main)();
    watchPage();
    if (options.frames !== false) frames = watchFrames((window, path) => hookFrame(window, path, options));
  } catch (error) {
    noteFailure(`install: ${error?.message ?? error}`);
  }
}

function coreSettled() {
  lines.drain();
  if (core.status !== 'running') leave();
  matched();
}

function hookConsole(window, realm, sentKeys) {
  const { console } = window;
  const made = [
    hook(console, 'warn', (args) => lines.look(lines.WARN, args, realm)),
    hook(console, 'error', (args) => lines.look(lines.ERROR, args, realm)),
  ];
  if (sentKeys) made.push(hook(console, 'info', (args) => lookSent(args, realm)));
  return made;
}

function lookSent(args, realm) {
  if (stopped) return;
  try {
    if (noteSent(args, realm)) changed();
  } catch (error) {
    noteFailure(`sent keys: ${error?.message ?? error}`);
  }
}

/** Hooks a child document's Window, for `watchFrames`. */
function hookFrame(window, path, options) {
  // Asked for each kept line, not once: the hook survives the frame's first navigation, its address does not.
  const realm = () => ({ kind: 'frame', path: path() });
  const made = hookConsole(window, realm, options.sentKeys !== false);
  frameHooks = frameHooks.filter((ref) => ref.deref() !== undefined);
  for (const one of made) if (one.wrapper) frameHooks.push(new WeakRef(one));
  const hooked = made[0].wrapper !== null || made[0].ours === true;
  // Another copy of this package watches this Window's errors, too.
  const watchErrors = made[0].ours ? () => {} : errorWatcher(window, realm);
  watchErrors();
  return { hooked, watchErrors };
}

/**
 * Watches a Window's uncaught errors and unhandled rejections; the browser's own report of them is left alone.
 * @returns {() => void} Adds the listeners; once more after `document.open()` has removed them does no harm.
 */
function errorWatcher(window, realm) {
  const onError = (event) => {
    if (typeof event.message === 'string') lines.lookUncaught(event.error, event.message, realm);
  };
  const onRejection = (event) => lines.lookUncaught(event.reason, undefined, realm);
  return () => {
    window.addEventListener('error', onError);
    window.addEventListener('unhandledrejection', onRejection);
  };
}

/** Puts the consoles back as they were and stops looking. */
function leave() {
  lines.close();
  for (const one of hooks) unhook(one);
  for (const ref of frameHooks) {
    const one = ref.deref();
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
  clearSent();
  clearedAt = now();
  entryCache = new Map();
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

let entryCache = new Map();
let entriesSnapshot = NO_ENTRIES;
let entriesRevision = 0;
let countsSnapshot = makeCounts([]);
let countsRevision = 0;
const zeroCounts = countsSnapshot;

/** The kept entries, most recent last: frozen, and the same array until something changes. */
export function getEntries() {
  if (entriesRevision !== revision && core.hasMemory()) {
    const found = core.readEntries((id) => entryCache.get(id));
    entryCache = new Map(found.map(({ id, entry }) => [id, freezeEntry(entry)]));
    entriesSnapshot = freeze([...entryCache.values()]);
    entriesRevision = revision;
  }
  return entriesSnapshot;
}

function freezeEntry(entry) {
  freeze(entry.realm);
  return freeze(entry);
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
  const zero = () => Object.fromEntries(MEANINGS.map((meaning) => [meaning, 0]));
  const byKe = Object.fromEntries(KES.map((ke) => [ke, { total: 0, ...zero() }]));
  const byMeaning = zero();
  let total = 0;
  for (const row of tallies) {
    byKe[row.ke].total += row.total;
    byKe[row.ke][row.meaning] = row.total;
    byMeaning[row.meaning] += row.total;
    total += row.total;
  }
  for (const ke of KES) freeze(byKe[ke]);
  return freeze({ total, byKe: freeze(byKe), byMeaning: freeze(byMeaning) });
}

/** What a server renders: no entries, always the same array. */
export const getServerSnapshot = () => NO_ENTRIES;
/** What a server renders: no counts, always the same object. */
export const getServerCounts = () => zeroCounts;

let statusSnapshot = freeze({ state: 'not-installed', reason: null, frames: 0, blindFrames: 0 });

/** Whether lines are being kept, and where: frozen, and the same object until something changes. */
export function getCaptureStatus() {
  const { hooked, blind } = frames?.counts() ?? { hooked: 0, blind: 0 };
  const next = { state: state(), reason: reasonOf(), frames: hooked, blindFrames: blind };
  const same = Object.keys(next).every((key) => next[key] === statusSnapshot[key]);
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
  const origin = timeOrigin();
  return {
    state: state(),
    reason: reasonOf(),
    installedAt,
    timeOrigin: origin,
    installedAfter: installedAt !== null && origin !== null ? Math.max(0, installedAt - origin) : null,
    clearedAt,
    hooks: hooks.map((one) => ({ method: one.method, inPlace: inPlace(one), reason: one.reason })),
    linesSeen: lines.seen.lines,
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
  const facts = await collectFacts(mx, getEntries(), sentBatches());
  return toJson(assign(makeReport(mx, extra), facts));
}

function makeReport(mx, extra) {
  const report = parseJson(EMPTY_REPORT);
  assign(report, clientFacts(mx, extra), pageFacts(), { generatedAt: now(), clock: clockFacts(), sent: sentBatches() });
  assign(report.capture, captureFacts());
  if (core.hasMemory()) {
    const tallies = core.readTallies();
    report.tallies = tallies.filter((row) => row.total > 0);
    for (const row of tallies) report.counts[row.ke] += row.total;
    assign(report.capture, core.readCounters(), { linesMatched: getCounts().total });
    report.entries = getEntries();
  }
  return report;
}

/**
 * Gives the report to the user as a file.
 * @param {unknown} mx
 * @param {{sdkVersion?: string, prefix?: string}} [extra]
 * @returns {Promise<string>} The file's name: the prefix (`lotus-crypto-diag`) and the time in UTC, as
 *   `2026-11-23T19-30-00Z`: file systems do not take the colons.
 */
export async function downloadReport(mx, extra) {
  const time = new Date(now()).toISOString().slice(0, 19).replaceAll(':', '-');
  const name = `${extra?.prefix ?? 'lotus-crypto-diag'}-${time}Z.json`;
  const report = await collectReport(mx, extra);
  if (core.saveFile(name, report)) {
    setTimeout(core.releaseFile, RELEASE_AFTER);
  } else {
    saveWithoutCore(name, report);
  }
  return name;
}

/** Milliseconds after which a download's Blob is freed; a browser may read it after the click has returned. */
const RELEASE_AFTER = 60_000;

function saveWithoutCore(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), RELEASE_AFTER);
}

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

