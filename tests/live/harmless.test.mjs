// @ts-check
// Making the fuller report asks nobody and changes nothing: no request leaves the page, and what the browser keeps is the same
// afterwards, to the byte.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WAIT_MS, pause, until } from '../../scripts/lib/wait.mjs';
import { COMBINATIONS } from './matrix.mjs';
import { meet, signInTwo, startRig } from './rig.mjs';
import { startServers } from './servers.mjs';

/** A client is at rest if nothing has begun for so long but its /sync, which waits for news. Milliseconds. */
const QUIET_MS = 3000;

/** @type {import('./servers.mjs').Servers} */
let servers;
before(async () => {
  servers = await startServers();
});
after(() => servers?.stop());

/** Both SDKs; the browser's part in it is small. */
for (const { engine, sdk, version } of COMBINATIONS.filter((one) => one.engine === 'chromium')) {
  describe(`matrix-js-sdk ${version}`, () => {
    /** @type {import('./rig.mjs').Rig} */
    let rig;
    /** @type {import('./rig.mjs').Profile} */
    let alice;
    /** @type {string} */
    let roomId;

    before(async () => {
      rig = await startRig({ engine, sdk, servers });
      /** @type {import('./rig.mjs').Profile} */
      let bob;
      [alice, bob] = await signInTwo(rig);
      roomId = await meet(alice, bob);
      // An entry that names a user whose devices are looked up.
      const { deviceId } = await bob.call('identity');
      const content = { ciphertext: 'AwgA', sender_key: 'Y', session_id: 'Z', device_id: deviceId };
      const eventId = await bob.call('sendRawEvent', roomId, 'm.room.encrypted', content);
      await alice.tab.waitForEntry('the malformed event', ({ message }) => message.includes(eventId));
      await bob.call('stop');
    });
    after(() => rig?.stop());

    /** What has been asked for: through the proxy, and what else the page has asked for. */
    const asked = () => [
      alice.proxy.exchanges.map(({ method, path }) => `${method} ${path}`),
      /** @type {string[]} */ (alice.tab.page.requests()),
    ];

    /**
     * Waits until the client is at rest: for a while nothing has begun or ended, and nothing runs but a /sync that waits for news. An answer
     * that is late may be what the next request waits for. Resolves with that /sync.
     */
    async function rest() {
      const { exchanges } = alice.proxy;
      return until(
        () => {
          const [waiting, ...others] = exchanges.filter(({ end }) => end === null);
          const last = Math.max(...exchanges.map(({ start, end }) => end ?? start));
          const isQuiet = Date.now() - last >= QUIET_MS && others.length === 0;
          return isQuiet && waiting?.path.includes('/sync?') && waiting;
        },
        WAIT_MS,
        () => 'the client does not come to rest',
      );
    }

    /** What alice's page asks for while something is done, and shortly after, once she is at rest. */
    async function requestsDuring(/** @type {() => Promise<unknown>} */ work) {
      for (;;) {
        const waiting = await rest();
        const before = asked();
        await work();
        await pause(QUIET_MS);
        // If the waiting /sync ended, the client was not at rest for itself: once more.
        if (waiting.end === null) return asked().flatMap((list, i) => list.slice(before[i].length));
      }
    }

    test('no request is made', async () => {
      const report = await alice.call('collectReport');
      assert.deepEqual(report.unanswered, [], 'everything was answered');
      assert.ok(report.crypto.devices.length >= 2, 'devices of both users');
      assert.equal(typeof report.crypto.crossSigningReady, 'boolean', 'asked after the first sync');
      assert.deepEqual(await requestsDuring(() => alice.call('collectReport')), []);
    });

    test('a question that fetches is seen', async () => {
      const { userId } = await servers.register('stranger');
      const seen = await requestsDuring(() => alice.call('fetchDevices', userId));
      assert.ok(
        seen.some((request) => request.startsWith('POST') && request.endsWith('/keys/query')),
        'by the proxy',
      );
      assert.ok(
        seen.some((request) => request.startsWith('http') && request.endsWith('/keys/query')),
        'by the browser',
      );
    });

    test('nothing that the browser keeps is changed, and the databases keep their versions', async () => {
      /** @type {Record<string, string>[]} */
      const prints = [];
      await requestsDuring(async () => {
        prints.length = 0;
        prints.push(await alice.call('fingerprint'));
        await alice.call('collectReport');
        prints.push(await alice.call('fingerprint'));
      });
      assert.ok(
        Object.keys(prints[0]).some((name) => name.includes('::matrix-sdk-crypto@')),
        Object.keys(prints[0]).join('\n'),
      );
      assert.deepEqual(prints[1], prints[0]);
    });

    test('a message that is sent is seen in what the browser keeps', async () => {
      const first = await alice.call('fingerprint');
      await alice.call('sendMessage', roomId, 'this makes a Megolm session');
      assert.notDeepEqual(await alice.call('fingerprint'), first);
    });

    test('a message that came back tells how far the server’s clock is ahead, and its request how long it took', async () => {
      const report = await until(
        async () => {
          const found = await alice.call('report');
          return found.clock.serverMinusPage !== null && found;
        },
        WAIT_MS,
        () => 'no message of alice’s tells of the server’s clock',
      );
      // One machine, one clock; both sides cut their times to milliseconds.
      const { low, high } = report.clock.serverMinusPage;
      assert.ok(low <= 1 && high >= -1, `the server is ${low} to ${high} ms ahead`);
      const { rows } = report.requests;
      for (const route of ['sync', 'keys/upload', 'rooms/{}/send/{}/{}'])
        assert.ok(
          rows.some((/** @type {any} */ row) => row.route === route && row.status === 200),
          `${route} among ${JSON.stringify(rows)}`,
        );
    });
  });
}
