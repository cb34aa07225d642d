// What the page says of itself, and the changes of its life that explain delays: a hidden or frozen tab runs its own
// timers late, so a delayed event's restart times out without any fault of the server.

import { now } from './builtins.js';

/** Changes kept; the oldest go first. */
const EVENTS_MAX = 100;

/** @type {{ts: number, event: string}[]} */
let events = [];
let stop = () => {};

/** An address without what may hold secrets: query and fragment. */
export function plainAddress(href) {
  try {
    const url = new URL(href);
    return url.origin === 'null' ? `${url.protocol}${url.pathname}` : url.origin + url.pathname;
  } catch {
    return null;
  }
}

/** The page's half of a report. */
export function pageFacts() {
  const { location, navigator } = globalThis;
  return { userAgent: navigator?.userAgent ?? null, page: location ? plainAddress(location.href) : null };
}

/** When the page's navigation began, in milliseconds since the epoch, or null. */
export function timeOrigin() {
  const origin = globalThis.performance?.timeOrigin;
  return typeof origin === 'number' ? Math.round(origin) : null;
}

/** Starts to note changes. */
export function watchPage() {
  const { document } = globalThis;
  const note = (event) => {
    if (events.length >= EVENTS_MAX) events = events.slice(1);
    events.push({ ts: now(), event });
  };
  const listeners = [
    [document, 'visibilitychange', () => note(document.visibilityState)],
    [document, 'freeze', () => note('freeze')],
    [document, 'resume', () => note('resume')],
    [globalThis, 'online', () => note('online')],
    [globalThis, 'offline', () => note('offline')],
    [globalThis, 'pageshow', (event) => event.persisted && note('pageshow')],
    [globalThis, 'pagehide', () => note('pagehide')],
  ];
  if (document?.visibilityState === 'hidden') note('hidden');
  for (const [target, type, listener] of listeners) target?.addEventListener?.(type, listener, true);
  stop = () => {
    for (const [target, type, listener] of listeners) target?.removeEventListener?.(type, listener, true);
  };
}

/** Notes no further changes; what was noted stays. */
export function unwatchPage() {
  stop();
  stop = () => {};
}

/** The changes noted, oldest first. */
export const pageEvents = () => events.slice();
