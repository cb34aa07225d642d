// What the page says of itself, and the changes of its life that explain delays: a hidden or frozen tab runs its own
// timers late, so a delayed event's restart times out without any fault of the server.

import { indexOf, now, round, slice } from './builtins.js';
import { appended } from './lists.js';
import { state } from './state.js';

/** Changes kept; the oldest go first. */
const EVENTS_MAX = 100;

/** @type {{ts: number, event: string}[]} */
let events = [];
let stop = () => {};

/**
 * An address without what may hold secrets: user name, query and fragment.
 * @param {Location} location Its properties are its own and cannot be patched.
 */
export function plainAddress({ origin, protocol, pathname, href }) {
  if (isWeb(protocol)) return origin + pathname;
  return protocol === 'data:' ? protocol : upTo(upTo(href, '#'), '?');
}

/** The path of a Window's address; the whole of one that has no host, such as `about:srcdoc`. @param {Window} window */
export function pathOf(window) {
  try {
    const { location } = window;
    return isWeb(location.protocol) ? location.pathname : plainAddress(location);
  } catch {
    return null;
  }
}

const isWeb = (/** @type {string} */ protocol) => protocol === 'http:' || protocol === 'https:';

/** @param {string} text @param {string} mark */
function upTo(text, mark) {
  const at = indexOf(text, mark);
  return at < 0 ? text : slice(text, 0, at);
}

/** The page's half of a report. */
export function pageFacts() {
  const { location, navigator } = globalThis;
  return { userAgent: navigator?.userAgent ?? null, page: location ? plainAddress(location) : null };
}

/** When a Window's navigation began, in milliseconds since the epoch, or null. @param {{performance: Performance}} window */
export function timeOriginOf(window) {
  try {
    const origin = window.performance.timeOrigin;
    return typeof origin === 'number' ? round(origin) : null;
  } catch {
    return null;
  }
}

/** @param {string} event */
function note(event) {
  events = appended(events, [{ ts: now(), event }], EVENTS_MAX);
  // The page may be given no further event after these two, so store it now.
  if (event === 'hidden' || event === 'pagehide') state.keeper?.store(event === 'pagehide');
}

/**
 * Starts to note changes.
 * @returns {() => void} Adds the listeners again: `document.open()` removes them. Once more does no harm.
 */
export function watchPage() {
  const { document } = globalThis;
  const plain = (/** @type {Event} */ { type }) => note(type);
  const shown = (/** @type {any} */ event) => event.persisted && plain(event);
  const turned = () => note(document.visibilityState === 'visible' ? 'visible' : 'hidden');
  if (document.visibilityState === 'hidden') turned();
  const each = (/** @type {'addEventListener' | 'removeEventListener'} */ method) => {
    document[method]('visibilitychange', turned, true);
    document[method]('freeze', plain, true);
    document[method]('resume', plain, true);
    globalThis[method]('online', plain, true);
    globalThis[method]('offline', plain, true);
    globalThis[method]('pagehide', plain, true);
    globalThis[method]('pageshow', shown, true);
  };
  stop = () => each('removeEventListener');
  const listen = () => each('addEventListener');
  listen();
  return listen;
}

/** Notes no further changes; what was noted stays. */
export function unwatchPage() {
  stop();
  stop = () => {};
}

/** The changes noted, oldest first. */
export const pageEvents = () => events;
