// @ts-check
// What a report tells of the page's requests to a homeserver: times and answers by route, as the browser lists them for a server of
// another origin that allows its script (CORS) and nothing more (no Timing-Allow-Origin). What each browser leaves out is asserted,
// too, so that a change shows: WebKit tells no status, and lists no request that failed.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after } from 'node:test';
import { listen } from '../../../scripts/lib/server.mjs';
import { schemaErrors } from '../../support/report-schema.mjs';
import { fidelity } from './harness.mjs';

const claim = fidelity();

/** Answers after 150 ms with the status that the query asks for; resets a connection that asks for that, and answers some never. */
const answering = listen(
  createServer((request, response) => {
    const url = request.url ?? '';
    if (url.includes('reset')) return void request.socket.destroy();
    if (url.includes('never')) return;
    response.setHeader('access-control-allow-origin', '*');
    response.statusCode = Number(/status=(\d+)/.exec(url)?.[1] ?? 200);
    setTimeout(() => response.end('{}'), 150);
  }),
);
after(async () => (await answering).close());

const TOKEN = 'syt_YWxpY2U_kTqWvNzXcBmLpRtYgHjQ_2fG7hK';
/** What a client asks for, and the route that is kept of it; null: counted alone; undefined: none of ours. @type {[string, (string | null)?][]} */
const ASKED = [
  [`client/v3/sync?since=s72595_4483&timeout=30000&access_token=${TOKEN}`, 'sync'],
  ['client/unstable/org.matrix.simplified_msc3575/sync?pos=s8472_1', 'sync'],
  ['client/v3/keys/upload?status=400', 'keys/upload'],
  ['client/r0/keys/query', 'keys/query'],
  ['client/v3/keys/claim', 'keys/claim'],
  ['client/v3/sendToDevice/m.room.encrypted/m1795423336054.7', 'sendToDevice/m.room.encrypted/{}'],
  ['client/v3/sendToDevice/com.example.hidden/m1795423336054.8', 'sendToDevice/{}/{}'],
  ['client/v3/rooms/!hiddenroom%3Aexample.org/send/m.room.encrypted/m1795423336054.9', 'rooms/{}/send/{}/{}'],
  [
    'client/v3/rooms/!hiddenroom:example.org/send/com.example.hidden/m1795423336054.10',
    'rooms/{}/send/{}/{}',
  ],
  [
    'client/v3/rooms/!hiddenroom:example.org/state/org.matrix.msc3401.call.member/_%40alice%3Aexample.org_HIDDEN',
    'rooms/{}/state/org.matrix.msc3401.call.member/{}',
  ],
  ['client/v3/rooms/!hiddenroom:example.org/state/com.example.hidden/x', 'rooms/{}/state/{}/{}'],
  [
    'client/unstable/org.matrix.msc4140/delayed_events/syd_hiddendelay/restart?status=502',
    'delayed_events/{}/restart',
  ],
  ['client/unstable/org.matrix.msc4140/delayed_events/syd_hiddendelay/send', 'delayed_events/{}/{}'],
  ['client/v1/delayed_events/syd_hiddendelay/cancel?status=404', 'delayed_events/{}/{}'],
  ['client/unstable/org.matrix.msc4140/delayed_events/syd_hiddendelay', 'delayed_events/{}'],
  ['client/v1/media/download/example.org/hiddenpicture', null],
  ['client/v3/rooms/!hiddenroom:example.org/messages?from=t1', null],
  ['client/v3/synchronise', null],
  ['media/v3/thumbnail/example.org/hiddenpicture', null],
  ['../other?to=/_matrix/client/v3/sync'],
];

claim(
  'requests to Matrix routes are kept by route, and nothing of their addresses is',
  async ({ page, engine }) => {
    const { url } = await answering;
    const { report, text, before, later } = await page.evaluate(
      async ([url, asked, rows]) => {
        const { start, until } = await import('/kit.js');
        const { diag } = await start();
        const before = Date.now();
        for (const path of asked) await (await fetch(`${url}/_matrix/${path}`)).text();
        const ask = () => diag.buildReport(null);
        const all = () => JSON.parse(ask()).requests;
        await until(() => all().rows.length === rows && all().other >= 4);
        const text = ask();
        return { report: JSON.parse(text), text, before, later: Date.now() };
      },
      /** @type {[string, string[], number]} */ ([
        url,
        ASKED.map(([path]) => path),
        ASKED.filter(([, route]) => route).length,
      ]),
    );
    assert.deepEqual(schemaErrors(report), []);
    const { rows, omitted, other } = report.requests;
    assert.deepEqual(
      rows.map((/** @type {any} */ { route, status }) => [route, status]),
      ASKED.filter(([, route]) => route).map(([path, route]) => [
        route,
        engine === 'webkit' ? null : Number(/status=(\d+)/.exec(path)?.[1] ?? 200),
      ]),
    );
    assert.deepEqual([omitted, other], [0, ASKED.filter(([, route]) => route === null).length]);
    for (const row of rows) {
      assert.deepEqual(Object.keys(row), ['route', 'ts', 'duration', 'status']);
      // Clocks that engines round.
      assert.ok(row.ts >= before - 20 && row.ts + row.duration <= later + 20, JSON.stringify(row));
      assert.ok(row.duration >= 100, `the server answers after 150 ms: ${JSON.stringify(row)}`);
    }
    for (const secret of [TOKEN, 'kTqWvNzX', 'hidden', 'HIDDEN', 's72595', 'm17954', 's8472', url])
      assert.ok(!text.includes(secret), `${secret} is in the report`);
  },
);

claim(
  'a request without an answer has the status 0, but in WebKit, which lists none that failed',
  async ({ page, engine }) => {
    const { url } = await answering;
    const rows = await page.evaluate(async (url) => {
      const { start, until } = await import('/kit.js');
      const { report } = await start();
      const ask = (/** @type {string} */ path, /** @type {object} */ init = {}) =>
        fetch(`${url}/_matrix/client/v3/${path}`, init).catch(() => {});
      await ask('sync?reset');
      await ask('keys/query?never', { signal: AbortSignal.timeout(100) });
      await ask('keys/claim');
      await until(() => report().requests.rows.at(-1)?.route === 'keys/claim');
      return report().requests.rows.map((/** @type {any} */ { route, status }) => [route, status]);
    }, url);
    const failed = [
      ['sync', 0],
      ['keys/query', 0],
    ];
    assert.deepEqual(rows, engine === 'webkit' ? [['keys/claim', null]] : [...failed, ['keys/claim', 200]]);
  },
);

claim('requests are bounded, the newest stay, and clear() forgets them', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { start, until } = await import('/kit.js');
    const { diag, report } = await start();
    const ask = async (/** @type {string} */ route, /** @type {number} */ count) => {
      for (let at = 0; at < count; at += 10)
        await Promise.all(Array.from({ length: 10 }, () => fetch(`/_matrix/client/v3/keys/${route}`)));
    };
    await ask('query', 100);
    await ask('claim', 290);
    await until(() => report().requests.rows.length + report().requests.omitted === 390);
    const { rows, omitted } = report().requests;
    const claims = rows.filter((/** @type {any} */ { route }) => route === 'keys/claim').length;
    diag.clear();
    const { requests } = report();
    return { rows: rows.length, claims, omitted, requests };
  });
  assert.deepEqual(seen, {
    rows: 300,
    claims: 290,
    omitted: 90,
    requests: { rows: [], omitted: 0, other: 0 },
  });
});

claim(
  'requests from before install are told once, and none from after uninstall; the page’s own list is left alone',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { load, until } = await import('/kit.js');
      /** @type {string[]} */
      const called = [];
      for (const name of [
        'clearResourceTimings',
        'setResourceTimingBufferSize',
        'getEntries',
        'getEntriesByType',
      ])
        Object.defineProperty(performance, name, { value: () => called.push(name) });
      await fetch('/_matrix/client/v3/sync');
      const diag = await load();
      const requests = () => JSON.parse(diag.buildReport(null)).requests;
      const routes = () => requests()?.rows.map((/** @type {any} */ { route }) => route);
      const never = requests();
      diag.install({ requests: false });
      const off = requests();
      diag.uninstall();
      diag.install();
      await until(() => routes().length === 1);
      await fetch('/_matrix/client/v3/keys/query');
      await until(() => routes().length === 2);
      diag.uninstall();
      let ended = false;
      new PerformanceObserver((list) => {
        ended ||= list.getEntries().some(({ name }) => name.endsWith('keys/claim'));
      }).observe({ type: 'resource' });
      await fetch('/_matrix/client/v3/keys/claim');
      await until(() => ended);
      const stopped = routes();
      diag.install();
      await fetch('/_matrix/client/v3/keys/upload');
      await until(() => routes().at(-1) === 'keys/upload');
      return { called, never, off, stopped, again: routes() };
    });
    assert.deepEqual(seen, {
      called: [],
      never: null,
      off: null,
      stopped: ['sync', 'keys/query'],
      again: ['sync', 'keys/query', 'keys/upload'],
    });
  },
);

claim(
  'without an observer nothing is told of requests, and what a page puts in the place of a measurement is no text',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { load, until } = await import('/kit.js');
      const diag = await load();
      const report = () => JSON.parse(diag.buildReport(null));
      const { PerformanceObserver: real } = globalThis;
      Reflect.deleteProperty(globalThis, 'PerformanceObserver');
      diag.install();
      const without = report();
      diag.uninstall();
      globalThis.PerformanceObserver = real;
      diag.install();
      let read = 0;
      const put = (
        /** @type {object} */ prototype,
        /** @type {string} */ name,
        /** @type {() => unknown} */ get,
      ) => Object.defineProperty(prototype, name, { configurable: true, get });
      put(PerformanceEntry.prototype, 'duration', () => '7');
      put(PerformanceEntry.prototype, 'startTime', () => 'syt_hidden');
      put(PerformanceResourceTiming.prototype, 'responseStatus', () => 'syt_hidden');
      await fetch('/_matrix/client/v3/sync');
      await until(() => report().requests.rows.length === 1);
      const odd = report();
      put(PerformanceEntry.prototype, 'name', () => {
        read++;
        throw new Error('hidden');
      });
      await fetch('/_matrix/client/v3/sync');
      await until(() => read > 0);
      return { without, odd, last: report() };
    });
    assert.deepEqual(schemaErrors(seen.without), []);
    assert.equal(seen.without.requests, null);
    // Numbers alone, whatever they are worth; no text of the page's.
    assert.deepEqual(seen.odd.requests.rows, [{ route: 'sync', ts: null, duration: 7, status: null }]);
    assert.equal(seen.last.requests.rows.length, 1);
    assert.match(seen.last.capture.failures[0].what, /^requests: /);
  },
);
