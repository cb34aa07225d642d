// How far the homeserver's clock is ahead of the page's, from messages that this page has sent. The page made the transaction id, then the
// server stamped the event, then the event came back: so the server's stamp lies between two times of the page's clock.

import { max } from './builtins.js';

/** Events that are looked at of each room, the newest. */
const EVENTS_MAX = 50;
/** A transaction id, which begins with the page's time in milliseconds. Source: matrix-js-sdk 41.6.0-rc.0, src/client.ts, `makeTxnId`. */
const TRANSACTION = /^m(\d+)\.\d+$/;

/**
 * Bounds of the difference in milliseconds. Null if there is no such message, or if messages contradict each other because a clock was set.
 * @param {any} mx The Matrix client, or null.
 * @param {number} since Messages sent earlier were another page's, whose clock may have been set meanwhile.
 */
export function serverMinusPage(mx, since) {
  let low = -Infinity;
  let high = Infinity;
  try {
    for (const room of mx.getRooms())
      for (const event of room.getLiveTimeline().getEvents().slice(-EVENTS_MAX)) {
        // The server gives the id to the device that made it, and to nobody else.
        const { transaction_id: id, age } = event.getUnsigned();
        const made = Number(TRANSACTION.exec(id)?.[1]);
        // `localTimestamp` is the time of arrival minus the age, so add the age again.
        const came = event.localTimestamp + age;
        if (made >= since && came >= made) {
          low = max(low, event.getTs() - came);
          high = -max(-high, made - event.getTs());
        }
      }
  } catch {
    // The client has no such methods, or there is none.
  }
  return low <= high && high < Infinity ? { low, high } : null;
}
