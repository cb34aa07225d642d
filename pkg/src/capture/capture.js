// The one capture of a page: what it hooks, and how it starts, stops and forgets.

import { call, errorOfEvent, freeze, messageOfEvent, now, reasonOfEvent } from './builtins.js';
import { CALL_LINES, clearCallLines } from './call-lines.js';
import { clean } from './clean.js';
import { hookConnections } from './connections.js';
import * as core from './core.js';
import { FrameWatch } from './frames.js';
import { hook, unhook } from './hooks.js';
import * as lines from './lines.js';
import { eachLiving, living } from './lists.js';
import { clearMarks, getMarks } from './marks.js';
import { subscribe } from './notify.js';
import { option } from './options.js';
import { unwatchPage, watchPage } from './page.js';
import * as queue from './queue.js';
import { cleanClient, keptPart } from './report.js';
import { clearRequests, unwatchRequests, watchRequests } from './requests.js';
import { SENT_LINE, clearSent } from './sent.js';
import { forgetIds, getEntries } from './snapshots.js';
import { noteChange, noteFailure, state } from './state.js';
import { openWorkerChannel } from './worker-channel.js';

/** @typedef {import('./lines.js').Realm} Realm */
/** @typedef {import('./lines.js').FactLine} FactLine */

/** @type {Readonly<{kind: 'main', path: null}>} */
const MAIN = freeze({ kind: 'main', path: null });
const main = () => MAIN;

/** A new object each time the capture starts. Listeners compare it, so those of an earlier start do nothing. */
let session = {};
/** Hooks of consoles and constructors in child documents. They are held weakly, so that a removed frame can be collected. @type {WeakRef<import('./hooks.js').Hook>[]} */
let frameHooks = [];
/** @type {ReturnType<typeof openWorkerChannel> | null} */
let workers = null;

/**
 * Starts the capture: synchronous, idempotent, complete; never throws. The core starts when a line needs it.
 * @param {import('../index.js').InstallOptions} [options]
 */
export function install(options) {
  if (state.installed && !state.stopped) return;
  if (typeof globalThis.window !== 'object' || typeof globalThis.document !== 'object') return;
  state.installed = true;
  state.stopped = false;
  state.installedAt = now();
  session = {};
  try {
    const given = (/** @type {string} */ name) =>
      option(options, name, (error) => noteFailure(`install: the option ${name}`, error));
    const wanted = (/** @type {'frames' | 'sentKeys' | 'calls' | 'requests'} */ name) =>
      given(name) !== false;
    const ofPage = wanted('sentKeys') ? [SENT_LINE] : [];
    const withFrames = wanted('frames');
    state.calls = wanted('calls');
    const ofFrames = state.calls ? [...CALL_LINES, ...ofPage] : ofPage;
    core.prepare(coreChanged);
    if (core.status === 'failed') return;
    queue.open(noteChange);
    lines.open(noteChange);
    state.hooks = hookConsole(globalThis, main, ofPage);
    const watchErrors = errorWatcher(globalThis, main);
    watchErrors();
    const listenToPage = watchPage();
    if (wanted('requests')) watchRequests();
    keepWith(given('keep'));
    if (!withFrames) return;
    state.frames = new FrameWatch(
      (window, path) => hookFrame(window, path, ofFrames),
      () => {
        watchErrors();
        listenToPage();
      },
    );
  } catch (error) {
    noteFailure('install', error);
  }
}

/** Starts to store this page for the report of the next one. @param {any} keep `keepPages` of `crypto-diag/keep`, if the app passed it. */
function keepWith(keep) {
  if (!keep) return;
  try {
    state.keeper = keep({ getEntries, getMarks, keptPart, cleanClient, clean, subscribe });
  } catch (error) {
    noteFailure('install: the option keep', error);
  }
}

/** Called when the core has started or failed. */
function coreChanged() {
  if (core.status === 'failed') {
    noteFailure(core.reason ?? '');
    lines.close();
    // A core that never ran holds no entries, so there is nothing to watch for any more.
    if (!core.hasMemory()) leave();
  }
  queue.drain();
  noteChange();
}

/** @param {{console: Console}} window @param {() => Realm} realm @param {FactLine[]} facts What is looked for at info. */
function hookConsole(window, realm, facts) {
  const { console } = window;
  const made = [
    hook(console, 'warn', (args) => lines.look(lines.WARN, args, realm)),
    hook(console, 'error', (args) => lines.look(lines.ERROR, args, realm)),
  ];
  if (facts.length > 0) made[2] = hook(console, 'info', (args) => lines.lookForFacts(args, realm, facts));
  return made;
}

/**
 * Hooks a child document's Window, for the frame watch.
 * @param {Window & typeof globalThis} window
 * @param {() => string | null} path
 * @param {FactLine[]} facts
 */
function hookFrame(window, path, facts) {
  // The path is read for each kept line, not once: the hook outlives the frame's first navigation, which changes the address.
  const realm = () => /** @type {Realm} */ ({ kind: 'frame', path: path() });
  const made = hookConsole(window, realm, facts);
  const hooked = made[0].wrapper !== null || made[0].ours === true;
  // Another copy of this package watches this Window, its connections and errors, too.
  const isOurs = made[0].ours !== true;
  const connections = state.calls && isOurs ? hookConnections(window) : [];
  for (let at = 0; at < connections.length; at++) made[made.length] = connections[at];
  frameHooks = living(frameHooks);
  for (let at = 0; at < made.length; at++)
    if (made[at].wrapper) frameHooks[frameHooks.length] = new WeakRef(made[at]);
  const watchErrors = isOurs ? errorWatcher(window, realm) : () => {};
  return { hooked, watchErrors };
}

/**
 * Watches a Window's uncaught errors and unhandled rejections; the browser's own report of them is left alone.
 * @param {EventTarget} window
 * @param {() => Realm} realm
 * @returns {() => void} Adds the listeners; once more after `document.open()` has removed them does no harm.
 */
function errorWatcher(window, realm) {
  const mine = session;
  const listener = (/** @type {(event: Event) => unknown} */ read) => (/** @type {Event} */ event) => {
    try {
      if (mine === session) lines.look(lines.ERROR, [read(event)], realm, 1);
    } catch {
      // The page may dispatch such an event itself, with anything in it.
    }
  };
  // If the event has no error object, use the browser's own message.
  const onError = listener((event) => call(errorOfEvent, event) ?? call(messageOfEvent, event));
  const onRejection = listener((event) => call(reasonOfEvent, event));
  return () => {
    window.addEventListener('error', onError);
    window.addEventListener('unhandledrejection', onRejection);
  };
}

/** Puts the consoles back as they were and stops looking. */
function leave() {
  session = {};
  lines.close();
  for (let at = 0; at < state.hooks.length; at++) if (state.hooks[at].wrapper) unhook(state.hooks[at]);
  eachLiving(frameHooks, unhook);
  frameHooks = [];
  state.frames?.stop();
  workers?.close();
  workers = null;
  unwatchPage();
  unwatchRequests();
}

/** Stops the capture. Its entries stay; pages that were stored for later reports are erased. */
export function uninstall() {
  if (!state.installed || state.stopped) return;
  state.stopped = true;
  state.keeper?.stop();
  leave();
  noteChange();
}

/** Forgets entries, counts, sent batches, requests, what a call's frame said, marks, and earlier pages. */
export function clear() {
  queue.drop();
  core.clear();
  forgetIds();
  clearSent();
  clearRequests();
  clearMarks();
  clearCallLines();
  state.keeper?.clear();
  state.clearedAt = now();
  noteChange();
}

/** The name of a channel for `installInWorker`. Random, since every tab of the origin hears every BroadcastChannel. */
export function workerChannel() {
  workers ??= openWorkerChannel(lines.receive);
  return workers.name;
}
