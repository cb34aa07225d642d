// @ts-check
// How far the homeserver's clock is ahead of the page's, by messages that the page sent itself: what is asked of the client, and what
// is made of its answers. The SDK's own events are asked first, so that a change of theirs shows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MatrixEvent } from 'matrix-js-sdk/lib/models/event.js';
import { serverMinusPage } from '../../../pkg/src/capture/server-clock.js';
import { fidelity } from './harness.mjs';

const claim = fidelity();

test('an event of the SDK tells when it came, and its transaction when it was sent', () => {
  const made = Date.now() - 400;
  // The server's clock is an hour ahead: it stamped the event 100 ms after it was sent, and gave it out 50 ms later.
  const stamped = made + 100 + 3_600_000;
  const event = new MatrixEvent({
    type: 'm.room.encrypted',
    sender: '@alice:example.org',
    event_id: '$e',
    room_id: '!r:example.org',
    content: {},
    origin_server_ts: stamped,
    unsigned: { age: 50, transaction_id: `m${made}.3` },
  });
  const came = Date.now();
  const room = { getLiveTimeline: () => ({ getEvents: () => [event] }) };
  const found = serverMinusPage({ getRooms: () => [room] }, made - 1000);
  assert.ok(found);
  assert.equal(found.high, 3_600_100);
  assert.ok(found.low <= 3_600_100 && found.low >= stamped - came, JSON.stringify(found));
});

claim(
  'the bounds of the server’s clock are those that all messages of this page allow, and nothing that acts is called',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { start } = await import('/kit.js');
      const { diag } = await start();
      const begun = Math.ceil(performance.timeOrigin);
      /** @type {Set<string>} */
      const read = new Set();
      const watched = (/** @type {string} */ name, /** @type {any} */ object) =>
        new Proxy(object, {
          get(target, key) {
            read.add(`${name}.${String(key)}`);
            return target[key];
          },
        });
      /** A message: when the page sent it, the server stamped it by its own clock, and it came; since the page began. */
      const message = (
        /** @type {number} */ sent,
        /** @type {number} */ stamped,
        /** @type {number} */ came,
      ) =>
        watched('event', {
          getUnsigned: () => ({ age: 30, transaction_id: `m${begun + sent}.7` }),
          getTs: () => begun + stamped,
          localTimestamp: begun + came - 30,
        });
      const told = (/** @type {any[]} */ ...events) => {
        const timeline = watched('timeline', { getEvents: () => events });
        const room = watched('room', { getLiveTimeline: () => timeline });
        const mx = watched('mx', {
          getRooms: () => [watched('room', { getLiveTimeline: () => timeline }), room],
        });
        return JSON.parse(diag.buildReport(mx)).clock.serverMinusPage;
      };
      const one = message(1000, 6100, 1300);
      const foreign = {
        getUnsigned: () => ({ age: 30 }),
        getTs: () => 7,
        localTimestamp: 7,
      };
      return {
        one: told(one),
        both: told(one, message(2000, 7050, 2900)),
        earlier: told(message(-5000, 0, -4900), one),
        // The clock was set between them.
        contradiction: told(one, message(2000, 9_000_000, 2900)),
        foreign: told(foreign, { ...foreign, getUnsigned: () => ({ age: 30, transaction_id: 'm.7' }) }),
        ageless: told({ ...foreign, getUnsigned: () => ({ transaction_id: `m${begun + 5}.7` }) }),
        none: told(),
        broken: told({ getUnsigned: () => null }),
        nobody: JSON.parse(diag.buildReport(null)).clock.serverMinusPage,
        read: [...read]
          .filter((name) => !/^mx\.(?:get(?:DeviceId|UserId|SyncState|Crypto))$/.test(name))
          .sort(),
      };
    });
    assert.deepEqual(seen, {
      one: { low: 4800, high: 5100 },
      both: { low: 4800, high: 5050 },
      earlier: { low: 4800, high: 5100 },
      contradiction: null,
      foreign: null,
      ageless: null,
      none: null,
      broken: null,
      nobody: null,
      read: [
        'event.getTs',
        'event.getUnsigned',
        'event.localTimestamp',
        'mx.getRooms',
        'room.getLiveTimeline',
        'timeline.getEvents',
      ],
    });
  },
);
