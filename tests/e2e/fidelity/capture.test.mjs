// @ts-check
// What the report says of the capture itself: since when it hears, whether it still does, and why it does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fidelity, inNode, root } from './harness.mjs';

/** @param {string} policy */
const withPolicy = (policy) => (_, response) => {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy });
  response.end('<!doctype html><title>Policy</title><body>');
};

const claim = fidelity({
  '/early.html': `<!doctype html><script type="module">
    import { install } from '/pkg/index.js';
    install();
    window.installedBy = Date.now();
  </script>`,
  '/leaf.html': `<!doctype html><script>console.warn('missing key at index 5')</script>`,
  '/no-wasm.html': withPolicy(
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'".replace(
      / '(wasm-)?unsafe-eval'/g,
      '',
    ),
  ),
});

claim(
  'the report says when install ran, relative to the beginning of the navigation',
  async ({ page, site }) => {
    await page.goto(`${site.url}/early.html`);
    const seen = await page.evaluate(async () => {
      const { buildReport } = await import('/pkg/index.js');
      const { capture } = JSON.parse(buildReport(null));
      return { capture, origin: performance.timeOrigin, by: window['installedBy'] };
    });
    const { installedAt, timeOrigin, installedAfter, state, reason } = seen.capture;
    assert.deepEqual([state, reason], ['capturing', null]);
    assert.equal(timeOrigin, Math.round(seen.origin));
    assert.ok(installedAt <= seen.by && installedAt >= timeOrigin - 5);
    assert.equal(installedAfter, Math.max(0, installedAt - timeOrigin));
  },
);

claim('the report counts lines seen, matched, redacted, nested and unreadable', async ({ page }) => {
  const { capture } = await page.evaluate(async () => {
    const { MATCH, start } = await import('/kit.js');
    const { report } = await start();
    for (let at = 0; at < 5; at++) console.warn('nothing to see');
    console.info('not a line that is read');
    console.error(MATCH['KE-1'], 'access_token=opaque-secret-value');
    console.error('nothing', Proxy.revocable({}, {}).proxy);
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    console.error('nothing', proxy, proxy);
    return report();
  });
  assert.equal(capture.linesSeen, 8);
  assert.equal(capture.linesMatched, 1);
  assert.equal(capture.redactions, 1);
  assert.equal(capture.unreadable, 2);
  assert.deepEqual([capture.evicted, capture.truncated, capture.partlyScanned, capture.nested], [0, 0, 0, 0]);
  assert.deepEqual([capture.failures, capture.listenerErrors, capture.clearedAt], [[], 0, null]);
});

claim(
  "changes of the page's life are noted, bounded, and come back after document.open()",
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { start } = await import('/kit.js');
      const { report } = await start();
      const show = (state) => {
        Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      };
      const before = Date.now();
      show('hidden');
      document.dispatchEvent(new Event('freeze'));
      document.dispatchEvent(new Event('resume'));
      dispatchEvent(new Event('offline'));
      dispatchEvent(new Event('online'));
      show('visible');
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }));
      const first = report().capture.pageEvents;
      for (let at = 0; at < 150; at++) dispatchEvent(new Event(at % 2 ? 'online' : 'offline'));
      const many = report().capture.pageEvents;
      document.open();
      document.write('<p>rewritten');
      document.close();
      await new Promise((resolve) => setTimeout(resolve));
      dispatchEvent(new Event('offline'));
      document.dispatchEvent(new Event('freeze'));
      const last = report().capture.pageEvents.slice(-2);
      return { first, times: [before, Date.now()], many: many.length, last: last.map(({ event }) => event) };
    });
    assert.deepEqual(
      seen.first.map(({ event }) => event),
      ['hidden', 'freeze', 'resume', 'offline', 'online', 'visible'],
    );
    for (const { ts } of seen.first) assert.ok(ts >= seen.times[0] && ts <= seen.times[1]);
    assert.equal(seen.many, 100);
    assert.deepEqual(seen.last, ['offline', 'freeze']);
  },
);

claim(
  'under a policy without wasm-unsafe-eval the page is left alone, and a valid report says that the capture was blind',
  async ({ page, site }) => {
    await page.goto(`${site.url}/no-wasm.html`);
    const seen = await page.evaluate(async () => {
      const { MATCH, calls, load, silence } = await import('/kit.js');
      silence();
      const { warn, error, info } = console;
      let violations = 0;
      document.addEventListener('securitypolicyviolation', () => violations++);
      const diag = await load();
      diag.install();
      const untouched = [console.warn === warn, console.error === error, console.info === info];
      console.error(MATCH['KE-1']);
      const told = [];
      diag.subscribe(() => told.push(1));
      diag.clear();
      diag.uninstall();
      diag.install();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const report = JSON.parse(diag.buildReport(null));
      return {
        untouched,
        report,
        status: diag.getCaptureStatus(),
        entries: diag.getEntries(),
        calls: calls.length,
        violations,
      };
    });
    assert.deepEqual(seen.untouched, [true, true, true]);
    assert.equal(seen.calls, 1);
    assert.deepEqual(seen.entries, []);
    const { capture, schema, counts } = seen.report;
    assert.deepEqual(
      [schema, counts['KE-1'], capture.state, capture.hooks],
      ['crypto-diag/report', 0, 'blind', []],
    );
    assert.match(capture.reason, /^The browser refused to compile the core: /);
    assert.deepEqual([seen.status.state, seen.status.reason], ['blind', capture.reason]);
    assert.ok(seen.violations <= 1, 'the browser complains once at most');
  },
);

claim('without WebAssembly every export answers, and the report says why it is blind', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { load, silence } = await import('/kit.js');
    silence();
    const { warn } = console;
    Reflect.deleteProperty(globalThis, 'WebAssembly');
    const diag = await load();
    diag.install();
    const url = diag.workerChannel();
    const { capture } = JSON.parse(await diag.collectReport(null));
    return [capture.state, capture.reason, console.warn === warn, diag.getCounts().total, typeof url];
  });
  assert.deepEqual(seen, ['blind', 'This browser has no WebAssembly.', true, 0, 'string']);
});

claim(
  'where only asynchronous compilation is allowed, lines wait for the core and none is lost',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { MATCH, add, kept, load, silence, until } = await import('/kit.js');
      silence();
      const { Module, instantiate } = WebAssembly;
      // As older Chromium does with more than 4 KB on the main thread.
      /** @type {any} */ (WebAssembly).Module = class {
        constructor() {
          throw new RangeError('WebAssembly.Compile is disallowed on the main thread');
        }
      };
      WebAssembly.Module.prototype = Module.prototype;
      let release = (/** @type {any} */ _) => {};
      const gate = new Promise((resolve) => (release = resolve));
      /** @type {any} */ (WebAssembly).instantiate = async (/** @type {[any, any]} */ ...args) => {
        await gate;
        return instantiate(...args);
      };
      const diag = await load();
      diag.install();
      const before = Date.now();
      const huge = 'filler '.repeat(1_000_000);
      console.warn(MATCH['KE-1'], new Error('missing key at index 1'));
      console.error(huge, MATCH['KE-3']);
      await add('iframe', { src: '/leaf.html' });
      Promise.reject(new Error('missing key at index 6'));
      await new Promise((resolve) => setTimeout(resolve, 30));
      console.info('Enqueuing batch of to-device messages. type=x txnid=y', ['@a:b/C (msgid 1)']);
      const waiting = [
        diag.getCaptureStatus().state,
        diag.getEntries().length,
        JSON.parse(diag.buildReport(null)).capture,
      ];
      const after = Date.now();
      let told = 0;
      diag.subscribe(() => told++);
      release();
      await until(() => diag.getCaptureStatus().state === 'capturing');
      await until(() => told > 0);
      console.error(MATCH['KE-4']);
      return {
        waiting,
        entries: diag.getEntries(),
        messages: kept(diag),
        times: [before, after],
        report: JSON.parse(diag.buildReport(null)),
      };
    });
    const [state, kept, capture] = seen.waiting;
    assert.deepEqual([state, kept, capture.state, capture.queued], ['starting', 0, 'starting', 4]);
    assert.equal(seen.entries.length, 5);
    assert.match(seen.messages[0], /^One time key .* Error: missing key at index 1$/);
    assert.match(seen.messages[1], /^filler .*DecryptionError\[msg: missing field\]$/);
    assert.deepEqual(seen.entries[2].realm, { kind: 'frame', path: '/leaf.html' });
    assert.equal(seen.entries[3].source, 'uncaught');
    for (const { ts } of seen.entries.slice(0, 4)) assert.ok(ts >= seen.times[0] && ts <= seen.times[1]);
    assert.equal(seen.report.capture.queueOverflow, 0);
    assert.equal(seen.report.sent.length, 1);
  },
);

claim(
  'the queue is bounded and counts what it lost; a core that never comes leaves the page as it was',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { MATCH, load, silence, until } = await import('/kit.js');
      silence();
      const { warn } = console;
      const { Module } = WebAssembly;
      /** @type {any} */ (WebAssembly).Module = class {
        constructor() {
          throw new RangeError('too large');
        }
      };
      WebAssembly.Module.prototype = Module.prototype;
      let refuse = () => {};
      WebAssembly.instantiate = () =>
        new Promise((_, reject) => (refuse = () => reject(new Error('refused at last'))));
      const diag = await load();
      diag.install();
      for (let at = 0; at < 600; at++) console.warn(MATCH['KE-1']);
      const { queued, queueOverflow } = JSON.parse(diag.buildReport(null)).capture;
      await until(() => (refuse(), diag.getCaptureStatus().state === 'blind'));
      const { capture } = JSON.parse(diag.buildReport(null));
      return { queued, queueOverflow, capture, restored: console.warn === warn };
    });
    assert.deepEqual([seen.queued, seen.queueOverflow, seen.restored], [500, 100, true]);
    assert.deepEqual([seen.capture.state, seen.capture.queueOverflow], ['blind', 600]);
    assert.equal(seen.capture.reason, 'The browser refused to compile the core: refused at last');
    assert.deepEqual(
      seen.capture.failures.map(({ what }) => what),
      [seen.capture.reason],
    );
  },
);

claim(
  'listeners run once for a burst, never inside a console call, and cannot loop; what they throw is counted',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { MATCH, load, until } = await import('/kit.js');
      let inside = false;
      const log = [];
      console.warn = () => {};
      const diag = await load();
      diag.install();
      let rounds = 0;
      const end = diag.subscribe(() => {
        rounds++;
        log.push(inside);
        // What a listener logs is kept, and asks for no further round.
        console.warn(MATCH['KE-3']);
      });
      diag.subscribe(() => {
        throw new Error('a listener of the page');
      });
      const burst = (times) => {
        inside = true;
        for (let at = 0; at < times; at++) console.warn(MATCH['KE-1']);
        inside = false;
      };
      const first = diag.getEntries();
      burst(100);
      const now = [
        rounds,
        diag.getEntries().length,
        Object.isFrozen(diag.getEntries()),
        diag.getEntries() === diag.getEntries(),
      ];
      await until(() => rounds === 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const quiet = rounds;
      console.warn('of no concern');
      await new Promise((resolve) => setTimeout(resolve, 50));
      const same = [diag.getEntries() === diag.getEntries(), diag.getCounts() === diag.getCounts(), rounds];
      burst(1);
      await until(() => rounds === 2);
      end();
      burst(1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { listenerErrors } = JSON.parse(diag.buildReport(null)).capture;
      return {
        now,
        quiet,
        same,
        rounds,
        log,
        listenerErrors,
        first: first.length,
        total: diag.getCounts().byKe['KE-3'].total,
      };
    });
    assert.deepEqual(seen, {
      now: [0, 100, true, true],
      quiet: 1,
      same: [true, true, 1],
      rounds: 2,
      log: [false, false],
      listenerErrors: 3,
      first: 0,
      total: 2,
    });
  },
);

claim('the report downloads under its documented name, and its Blob is freed', async ({ page }) => {
  const file = await page.download(() =>
    page.evaluate(async () => {
      const { MATCH, start } = await import('/kit.js');
      const { diag } = await start();
      console.error(MATCH['KE-1']);
      const made = (window['made'] = []);
      const gone = (window['gone'] = []);
      const { createObjectURL, revokeObjectURL } = URL;
      URL.createObjectURL = (blob) => {
        made.push(createObjectURL.call(URL, blob));
        return made[0];
      };
      URL.revokeObjectURL = (address) => {
        gone.push(address);
        revokeObjectURL.call(URL, address);
      };
      // The only timer that the package sets: a browser may read the Blob after the click.
      const later = (window['later'] = []);
      const { setTimeout } = globalThis;
      /** @type {any} */ (globalThis).setTimeout = (
        /** @type {() => void} */ work,
        /** @type {number} */ ms,
        ...rest
      ) => (ms >= 30_000 ? later.push(work) : setTimeout(work, ms, ...rest));
      window['name'] = await diag.downloadReport(null, { prefix: 'test-diag' });
      globalThis.setTimeout = setTimeout;
    }),
  );
  const seen = await page.evaluate(() => {
    const before = window['gone'].length;
    for (const work of window['later']) work();
    return { before, made: window['made'], gone: window['gone'], name: window['name'] };
  });
  assert.match(file.name, /^test-diag-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.json$/);
  assert.equal(file.name, seen.name);
  assert.equal(JSON.parse(file.text).entries.length, 1);
  assert.equal(seen.made.length, 1);
  assert.deepEqual([seen.before, seen.gone], [0, seen.made]);
});

test('under Node the package imports, every export answers, and the process ends by itself', () => {
  const program = `
    import * as diag from ${JSON.stringify(`${root}pkg/dist/index.js`)};
    diag.install();
    const end = diag.subscribe === undefined;
    diag.uninstall();
    diag.clear();
    const { capture } = JSON.parse(diag.buildReport(null));
    const { storage } = JSON.parse(await diag.collectReport(null));
    process.stdout.write(JSON.stringify([capture.state, capture.reason, diag.getEntries().length, diag.getCounts().total,
      diag.getServerSnapshot() === diag.getServerSnapshot(), diag.getCaptureStatus().state, typeof storage]));
  `;
  assert.deepEqual(inNode(program), [
    'not-installed',
    'There is no window to watch.',
    0,
    0,
    true,
    'not-installed',
    'object',
  ]);
});
