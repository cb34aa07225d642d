// How long the page's requests to a homeserver took, as the browser measured it. If nobody can save a HAR, this still tells whether and when
// answers came. Of an address only its place in a fixed list of routes is kept.

import { ROUTES } from 'crypto-diag/facts';
import { apply, execRegExp, now, round, steadyNow } from './builtins.js';
import { appended } from './lists.js';
import { noteFailure } from './state.js';

/** Rows kept; the oldest go first. */
const ROWS_MAX = 300;

/** @typedef {import('crypto-diag/report').Requests} Requests */

/** Matches the address of any Matrix route; each route of the list has a group of its own. */
const MATRIX = new RegExp(
  `^[^?#]*?/_matrix/(?:client/(?:unstable/)?[^/?#]+/(?:(${ROUTES.join(')|(').replaceAll('{}', '[^/?#]+')}))(?:[?#]|$))?`,
);

/** Null until something is observed. @type {Requests['rows'] | null} */
let rows = null;
let omitted = 0;
let other = 0;
/** Set as soon as `rows` is not null. @type {PerformanceObserver} */
let observer;

/** @param {PerformanceEntryList} ended */
function note(ended) {
  try {
    // Use Date.now()'s clock, like all other times of a report: it may have been set since the page was loaded.
    const epoch = now() - apply(steadyNow, performance, []);
    for (let at = 0; at < ended.length; at++) {
      const entry = /** @type {PerformanceResourceTiming} */ (ended[at]);
      const found = execRegExp(MATRIX, entry.name);
      if (!found) continue;
      let group = ROUTES.length;
      while (group && !found[group]) group--;
      if (!group) other++;
      else {
        const before = rows ?? [];
        if (before.length === ROWS_MAX) omitted++;
        // A page may have replaced the browser's measurements by anything, so every value is made a number. NaN, such as the status in
        // WebKit, becomes null in JSON.
        const row = {
          route: ROUTES[group - 1],
          ts: round(epoch + entry.startTime),
          duration: round(entry.duration),
          status: round(entry.responseStatus),
        };
        rows = appended(before, [row], ROWS_MAX);
      }
    }
  } catch (error) {
    noteFailure('requests', error);
  }
}

/** Starts to observe, including requests that ended before. Engines without `PerformanceObserver` observe nothing. */
export function watchRequests() {
  try {
    observer = new PerformanceObserver((list) => note(list.getEntries()));
    observer.observe({ type: 'resource', buffered: !rows });
    rows ??= [];
  } catch {
    // An old engine has no such observer.
  }
}

/** Stops observing. Rows stay. */
export const unwatchRequests = () => observer?.disconnect();

/** Those kept, in the order in which they ended; null if none were ever observed. @returns {Requests | null} */
export function requestFacts() {
  if (rows) note(observer.takeRecords());
  return rows && { rows, omitted, other };
}

/** Forgets them. */
export function clearRequests() {
  if (!requestFacts()) return;
  rows = [];
  omitted = other = 0;
}
