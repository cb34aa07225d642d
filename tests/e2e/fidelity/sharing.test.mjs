// @ts-check
// What others of the page's origin can reach of the capture, and what the app hands it: neither may break it.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const claim = fidelity();

claim('a frame can neither change the shared capture nor put another one in its place', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { MATCH, add, load, start } = await import('/kit.js');
    const { diag } = await start();
    const frame = await add('iframe', { src: '/' });
    const tries = frame.contentWindow.eval(`(() => {
      const key = Symbol.for('crypto-diag.capture.1');
      const fake = { install() {}, getEntries: () => ['forged'], buildReport: () => 'forged' };
      const attempt = (work) => {
        try {
          return String(work());
        } catch (error) {
          return error.name;
        }
      };
      return [
        attempt(() => Reflect.set(parent, key, fake)),
        attempt(() => Reflect.defineProperty(parent, key, { value: fake })),
        attempt(() => Reflect.defineProperty(parent, key, { get: () => fake, configurable: true })),
        attempt(() => Reflect.deleteProperty(parent, key)),
        attempt(() => Reflect.set(parent[key], 'buildReport', fake.buildReport)),
        attempt(() => Reflect.defineProperty(parent[key], 'getEntries', { value: fake.getEntries })),
        attempt(() => Reflect.deleteProperty(parent[key], 'install')),
        attempt(() => Reflect.setPrototypeOf(parent[key], fake)),
        attempt(() => Reflect.set(parent[key], 'more', 1)),
      ];
    })()`);
    console.error(MATCH['KE-1']);
    const copy = await load('2');
    const { entries } = JSON.parse(copy.buildReport(null));
    return { tries, entries: entries.length, same: copy.getEntries() === diag.getEntries() };
  });
  assert.deepEqual(seen.tries, Array(9).fill('false'));
  assert.deepEqual([seen.entries, seen.same], [1, true]);
});

claim(
  'what stands under the symbol and is not a fixed capture is not used, and no getter runs',
  async ({ page, site }) => {
    for (const kind of ['getter', 'writable', 'configurable', 'not frozen', 'proxy']) {
      // A page of its own for each: what is installed stands under the symbol for good.
      await page.goto(`${site.url}/`);
      const seen = await page.evaluate(async (kind) => {
        const { MATCH, load, silence } = await import('/kit.js');
        silence();
        const diag = await load();
        let ran = 0;
        const run = () => ran++;
        const forged = { install: run, buildReport: run, getEntries: run };
        const kinds = {
          getter: { get: run, configurable: true },
          writable: { value: Object.freeze(forged), configurable: true, writable: true },
          configurable: { value: Object.freeze(forged), configurable: true, writable: false },
          'not frozen': { value: { ...forged }, configurable: false, writable: false },
          proxy: { value: Proxy.revocable({}, {}).proxy, configurable: true },
        };
        Object.defineProperty(window, Symbol.for('crypto-diag.capture.1'), kinds[kind]);
        diag.install();
        console.error(MATCH['KE-2']);
        return [diag.getEntries().length, JSON.parse(diag.buildReport(null)).capture.state, ran];
      }, kind);
      assert.deepEqual(seen, [1, 'capturing', 0], kind);
    }
  },
);

claim('an option whose getter throws costs that option and nothing else', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { MATCH, load, silence } = await import('/kit.js');
    silence();
    const diag = await load();
    const hostile = new Error();
    Object.defineProperty(hostile, 'message', {
      get() {
        throw hostile;
      },
    });
    const throwing = (...names) => {
      const object = {};
      for (const name of names)
        Object.defineProperty(object, name, {
          get() {
            throw hostile;
          },
        });
      return object;
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const states = [];
    for (const options of [throwing('frames'), throwing('frames', 'sentKeys'), revoked.proxy, null, 7]) {
      diag.install(/** @type {any} */ (options));
      states.push(diag.getCaptureStatus().state);
      diag.uninstall();
    }
    diag.install(throwing('sentKeys'));
    console.error(MATCH['KE-1']);
    console.info('Enqueuing batch of to-device messages. type=x txnid=y', ['@a:b/C (msgid 1)']);
    const client = throwing('getDeviceId', 'getUserId', 'getSyncState', 'getCrypto');
    client.getRooms = 1;
    const reports = [];
    for (const [mx, extra] of [
      [null, throwing('sdkVersion', 'prefix')],
      [null, revoked.proxy],
      [client, undefined],
      [revoked.proxy, null],
      [7, 'text'],
    ]) {
      const odd = /** @type {any} */ (extra);
      for (const text of [diag.buildReport(mx, odd), await diag.collectReport(mx, odd)]) {
        const { sdkVersion, userId, cryptoReady, entries, sent, capture } = JSON.parse(text);
        reports.push([sdkVersion, userId, cryptoReady, entries.length, sent.length, capture.frames.watching]);
      }
    }
    const { failures } = JSON.parse(diag.buildReport(null)).capture;
    return { states, reports, failures: failures.map(({ what }) => what) };
  });
  assert.deepEqual(seen.states, Array(5).fill('capturing'));
  for (const report of seen.reports) assert.deepEqual(report, [null, null, null, 1, 1, true]);
  assert.equal(seen.failures.length, 9);
  for (const failure of seen.failures)
    assert.match(failure, /^install: the option (frames|sentKeys|calls|requests|keep): /);
});

claim('a download whose prefix throws has the usual name', async ({ page }) => {
  const file = await page.download(() =>
    page.evaluate(async () => {
      const { start } = await import('/kit.js');
      const { diag } = await start();
      await diag.downloadReport(null, {
        /** @returns {string} */
        get prefix() {
          throw new Error('a getter of the page');
        },
      });
    }),
  );
  assert.match(file.name, /^lotus-crypto-diag-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.json$/);
});
