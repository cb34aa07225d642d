// The MatrixRTC session: who is in the call, as a client sees it. What is asked here is held in memory already. Nothing is asked that
// would make a session, a request or a listener (`getRoomSession`), hand out keys (`reemitEncryptionKeys`, `encryptionManager`),
// or tell what may end a membership (`delayId`).

import { isArray, isSafeInteger } from './builtins.js';
import { ask } from './client.js';
import { option as read } from './options.js';
import { text, truth } from './values.js';

/** Memberships listed. */
const MEMBERSHIPS_MAX = 500;

/** @typedef {import('crypto-diag/report').CallSession} CallSession */

/**
 * The session that a frame's client takes part in (Element Call's `rtcSession`), else the one that the page's client observes
 * in the room that a frame's address names; null if there is none.
 * @param {{window: Window}[]} windows
 * @param {any} mx
 * @returns {CallSession | null}
 */
export function sessionFacts(windows, mx) {
  const find = (/** @type {boolean} */ own) => {
    for (const { window } of windows) {
      const session = sessionOf(own ? read(window, 'rtcSession') : observed(window, mx), own);
      if (session) return session;
    }
    return null;
  };
  return find(true) ?? find(false);
}

/** @param {Window} window @param {any} mx */
function observed({ location }, mx) {
  try {
    for (const part of [location.search, location.hash]) {
      const roomId = new URLSearchParams(part.slice(part.indexOf('?') + 1)).get('roomId');
      const room = roomId && mx.getRoom(roomId);
      if (room) return mx.matrixRTC.getActiveRoomSession(room);
    }
  } catch {
    // The client has no sessions, or the frame is gone.
  }
  return null;
}

/** @param {any} session @param {boolean} own @returns {CallSession | null} */
function sessionOf(session, own) {
  const memberships = read(session, 'memberships');
  if (!isArray(memberships)) return null;
  return {
    own,
    joined: truth(ask(session, 'isJoined')),
    roomId: text(read(read(session, 'room'), 'roomId')),
    memberships: memberships.slice(0, MEMBERSHIPS_MAX).map((one) => ({
      userId: text(read(one, 'userId')),
      deviceId: text(read(one, 'deviceId')),
      participant: text(read(one, 'rtcBackendIdentity')),
      createdAt: whole(ask(one, 'createdTs')),
      expiresAt: whole(ask(one, 'getAbsoluteExpiry')),
      focus: focusOf(one, memberships[0]),
    })),
  };
}

/** Memberships are written by other users, so every field may be anything. @param {unknown} value */
const whole = (value) => (isSafeInteger(value) ? /** @type {number} */ (value) : null);

/** The server that a member publishes to. In older calls, all publish to the server that the oldest member names. @param {any} one @param {any} oldest */
function focusOf(one, oldest) {
  try {
    const { origin } = new URL(one.getTransport(oldest).livekit_service_url);
    return origin === 'null' ? null : origin;
  } catch {
    return null;
  }
}
