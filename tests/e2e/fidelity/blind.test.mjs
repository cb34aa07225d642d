// @ts-check
// A report without a core: what no redactor has looked at is not in it.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const POLICY = "script-src 'self' 'unsafe-inline' 'nonce-tZ3xQ9vWk7mYpLr2sN8bFhJ4cG6dA1uE'";

const claim = fidelity({
  '/policy.html': (_, response) => {
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
    });
    response.end('<!doctype html><title>Policy</title><body>');
  },
});

/** The ways to have no core; each runs in the page, before and after the capture is installed. */
const WAYS = {
  'a policy': { path: '/policy.html', before: '', after: '' },
  'no WebAssembly': { path: '/', before: 'delete globalThis.WebAssembly', after: '' },
  'a core that is being compiled': {
    path: '/',
    before: `
      WebAssembly.Module = class { constructor() { throw new RangeError('too large'); } };
      WebAssembly.instantiate = () => new Promise(() => {});`,
    after: '',
  },
  'a core that died': {
    path: '/',
    before: `
      const { Instance } = WebAssembly;
      WebAssembly.Instance = class {
        constructor(...args) {
          const { exports } = new Instance(...args);
          this.exports = { ...exports, record() { throw new Error(SECRET); } };
        }
      };`,
    after: `console.error('missing key at index 1', SECRET);`,
  },
};

/** Secrets without a form that would give them away, and with one. */
const SECRETS = ['tZ3xQ9vWk7mYpLr2sN8bFhJ4cG6dA1uEoIiXwKqVz5M', 'syt_YWxpY2U_kTqWvNzXcBmLpRtYgHjQ_2fG7hK'];

claim(
  'a report that no core has looked at holds nothing but forms that are public in their place',
  async (scene) => {
    const { page, site } = scene;
    for (const [way, { path, before, after }] of Object.entries(WAYS)) {
      for (const secret of SECRETS) {
        await page.goto(`${site.url}${path}`);
        const text = await page.evaluate(
          async (secret, before, after) => {
            const { add, load, silence } = await import('/kit.js');
            silence();
            const run = (source) => {
              const script = document.createElement('script');
              script.textContent = `{ const SECRET = ${JSON.stringify(secret)}; ${source} }`;
              document.head.append(script);
            };
            run(before);
            const diag = await load();
            diag.install({
              /** @returns {boolean} */
              get frames() {
                throw new Error(secret);
              },
            });
            history.replaceState(null, '', `/room/${secret}/x`);
            const frame = await add('iframe', { src: '/' });
            frame.contentWindow.history.replaceState(null, '', `/frame/${secret}`);
            await add('iframe', { src: `/missing/${secret}` });
            console.info(`Enqueuing batch of to-device messages. type=a txnid=${secret}`, [
              `@a:b/${secret} (msgid ${secret})`,
            ]);
            run(after);
            await new Promise((resolve, reject) => {
              const opening = indexedDB.open(`store ${secret}`, 1);
              opening.onsuccess = () => {
                opening.result.close();
                resolve(null);
              };
              opening.onerror = reject;
            });
            Object.defineProperty(navigator, 'userAgent', {
              value: `Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/153.0 ${secret}`,
            });
            Object.defineProperty(document, 'visibilityState', { value: secret, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
            const fail = () => Promise.reject(new Error(`[401] access_token=${secret}`));
            const crypto = {
              getVersion: () => `v password=${secret}`,
              getOwnDeviceKeys: async () => ({ ed25519: secret, curve25519: secret }),
              getUserDeviceInfo: async () => new Map([[secret, new Map([[secret, {}]])]]),
              getDeviceVerificationStatus: fail,
              getActiveSessionBackupVersion: async () => secret,
            };
            const mx = {
              getDeviceId: () => secret,
              getUserId: () => `@${secret}:server`,
              getSyncState: () => secret,
              getCrypto: () => crypto,
              isInitialSyncComplete: fail,
            };
            const report = await diag.collectReport(mx, { sdkVersion: `token=${secret}` });
            const databases = indexedDB.deleteDatabase(`store ${secret}`);
            await new Promise((resolve) => (databases.onsuccess = databases.onerror = resolve));
            return (
              report + diag.buildReport(mx, { sdkVersion: secret }) + JSON.stringify(diag.getCaptureStatus())
            );
          },
          secret,
          before,
          after,
        );
        for (let at = 0; at + 8 <= secret.length; at++) {
          const found = text.indexOf(secret.slice(at, at + 8));
          assert.equal(found, -1, `${way}: ${text.slice(Math.max(0, found - 200), found + 60)}`);
        }
        assert.ok(!text.includes('nonce-'), way);
        assert.ok(text.includes('"userAgent": "Firefox/153.0"'), way);
      }
    }
  },
);

claim(
  'a report that no core has looked at still names versions, ids and the page in their usual forms',
  async (scene) => {
    const { page, site } = scene;
    await page.goto(`${site.url}/policy.html`);
    const seen = await page.evaluate(async () => {
      const { load } = await import('/kit.js');
      const diag = await load();
      diag.install();
      const mx = {
        getDeviceId: () => 'NFQILHVQCC',
        getUserId: () => '@alice:matrix.example.org:8448',
        getSyncState: () => 'SYNCING',
        getCrypto: () => ({ getVersion: () => 'Rust SDK 0.19.1 (b4305e2), Vodozemac 0.10.0' }),
      };
      history.replaceState(null, '', '/room/x');
      const report = JSON.parse(diag.buildReport(mx, { sdkVersion: '41.6.0-rc.0' }));
      return { report, origin: location.origin };
    });
    const { report, origin } = seen;
    assert.deepEqual(
      [
        report.sdkVersion,
        report.cryptoVersion,
        report.deviceId,
        report.userId,
        report.syncState,
        report.page,
      ],
      [
        '41.6.0-rc.0',
        'Rust SDK 0.19.1 (b4305e2), Vodozemac 0.10.0',
        'NFQILHVQCC',
        '@alice:matrix.example.org:8448',
        'SYNCING',
        origin,
      ],
    );
    assert.match(report.userAgent, /^(?:Firefox|HeadlessChrome|Chrome|Version)\/[\d.]+( Safari\/[\d.]+)?$/);
    assert.equal(report.capture.reason, 'The browser refused to compile the core: CompileError');
  },
);
