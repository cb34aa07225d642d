// What the page's requests to a homeserver took, as the browser measured it: where nobody can save a HAR, this still tells whether
// answers came, and when. Of an address nothing is kept but which of a fixed list of routes it is.

import { ROUTES } from 'crypto-diag/facts';
import { apply, execRegExp, now, round, steadyNow } from './builtins.js';
import { appended } from './lists.js';
import { noteFailure } from './state.js';

/** Rows kept; the oldest go first. */
const ROWS_MAX = 300;

/** @typedef {import('crypto-diag/report').Requests} Requests */

/** The address of any Matrix route, with a group for each one that is told apart. */
const MATRIX = new RegExp(
  `^[^?#]*?/_matrix/(?:client/(?:unstable/)?[^/?#]+/(?:(${ROUTES.join(')|(').replaceAll('{}', '[^/?#]+')}))(?:[?#]|$))?`,
);

/** Null until something is observed. @type {Requests['rows'] | null} */
let rows = null;
let omitted = 0;
let other = 0;
/** There as soon as rows are. @type {PerformanceObserver} */
let observer;

/** @param {PerformanceEntryList} ended */
function note(ended) {
  try {
    // By the clock that all other times are of: it may have been set since the page began.
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
        // A page may have put anything in the place of what the browser measures: numbers are all that can come of it. What is
        // none, as the status in WebKit, becomes null in JSON.
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

/** The first time, what has ended before is looked at, too. Without a `PerformanceObserver` nothing is observed. */
export function watchRequests() {
  try {
    observer = new PerformanceObserver((list) => note(list.getEntries()));
    observer.observe({ type: 'resource', buffered: !rows });
    rows ??= [];
  } catch {
    // An engine of old.
  }
}

/** Looks no more; what was kept stays. */
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
