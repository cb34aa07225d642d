// How far the homeserver's clock is ahead of the page's, by what the SDK holds of messages that this page has sent. The page made
// a transaction's id before the server stamped the event, and the event came back after that.

import { max } from './builtins.js';

/** Events that are looked at of each room, the newest. */
const EVENTS_MAX = 50;
/** When the page made it. Source: matrix-js-sdk 41.6.0-rc.0, src/client.ts, `makeTxnId`. */
const TRANSACTION = /^m(\d+)\.\d+$/;

/**
 * Two bounds of the difference; null where no message tells, or messages contradict one another, as after a step of a clock.
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
        // The SDK has taken the age off the time at which the event came.
        const came = event.localTimestamp + age;
        if (made >= since && came >= made) {
          low = max(low, event.getTs() - came);
          high = -max(-high, made - event.getTs());
        }
      }
  } catch {
    // Another client, or none.
  }
  return low <= high && high < Infinity ? { low, high } : null;
}
