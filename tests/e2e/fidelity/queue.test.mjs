// @ts-check
// Between a console call and the core: lines wait for a task of their own, and nobody sees them before the core has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fidelity, inNode, root } from './harness.mjs';

const claim = fidelity({
  '/leaving.html': `<!doctype html><title>Leaving</title><script type="module">
    import { MATCH, start } from '/kit.js';
    const { diag } = await start();
    addEventListener('pagehide', () => sessionStorage.setItem('report', diag.buildReport(null)));
    window.leave = (to) => {
      for (let at = 0; at < 20; at++) console.error(MATCH['KE-1'], at);
      location.href = to;
    };
  </script>`,
});

claim('whatever is asked while lines wait, no raw text is in the answer', async ({ page }) => {
  const secret = 'syt_YWxpY2U_QwErTyUiOpAsDfGhJkLz_9z8y7x';
  const seen = await page.evaluate(async (secret) => {
    const { MATCH, start, until } = await import('/kit.js');
    const { diag } = await start();
    const fill = () => {
      diag.clear();
      for (let at = 0; at < 100; at++) console.error(MATCH['KE-1'], secret, new Error(secret), { at });
      console.info(`Enqueuing batch of to-device messages. type=x txnid=${secret}`, [`@a:b/${secret}`]);
    };
    const answers = {};
    const told = [];
    diag.subscribe(() => told.push([diag.getEntries(), diag.getCounts(), diag.getCaptureStatus()]));
    for (const [name, work] of Object.entries(diag)) {
      fill();
      answers[name] = JSON.stringify([
        await work(/** @type {any} */ (name === 'subscribe' ? () => {} : null)),
      ]);
    }
    diag.install();
    fill();
    const shared = globalThis[Symbol.for('crypto-diag.capture.1')];
    answers['the shared object'] = Object.values(shared)
      .map((value) => typeof value)
      .join();
    told.length = 0;
    await until(() => told.length > 0);
    answers['a subscriber'] = JSON.stringify(told);
    return { answers, entries: told.at(-1)[0].length, total: told.at(-1)[1].total };
  }, secret);
  for (const [name, answer] of Object.entries(seen.answers)) {
    assert.ok(
      !answer.includes('QwErTyUi') && !answer.includes('YWxpY2U'),
      `${name} shows ${answer.slice(0, 500)}`,
    );
  }
  assert.ok(Object.keys(seen.answers).length >= 17, Object.keys(seen.answers).join());
  assert.deepEqual([seen.entries, seen.total], [100, 100], 'the subscriber sees every line');
  assert.match(seen.answers['the shared object'], /^function(,function)*$/);
});

claim(
  'lines are kept in the order in which they were written, however they reach the core',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { start } = await import('/kit.js');
      const { diag } = await start();
      const frame = document.body.appendChild(document.createElement('iframe'));
      await new Promise((resolve) => setTimeout(resolve));
      const consoles = [console, /** @type {any} */ (frame.contentWindow).console];
      let state = 7;
      const next = (below) => (state = (state * 1103515245 + 12345) & 0x7fffffff) % below;
      const questions = [() => diag.getEntries(), () => diag.getCounts(), () => diag.buildReport(null)];
      const LINES = 800;
      for (let at = 0; at < LINES; at++) {
        const length = next(40) === 0 ? 30_000 : next(300);
        consoles[next(2)].error(`missing key at index ${at} ` + 'x '.repeat(length));
        const event = next(300);
        if (event < questions.length) questions[event]();
        if (event === 299) await new Promise((resolve) => setTimeout(resolve));
      }
      const entries = diag.getEntries();
      const numbers = entries.map(({ message }) => Number(/index (\d+)/.exec(message)?.[1]));
      const times = entries.map(({ ts }) => ts);
      const { capture } = JSON.parse(diag.buildReport(null));
      return { numbers, times, total: diag.getCounts().total, overflow: capture.queueOverflow, LINES };
    });
    const { numbers, times, LINES } = seen;
    assert.deepEqual([seen.total, seen.overflow, numbers.at(-1)], [LINES, 0, LINES - 1]);
    const sorted = (/** @type {number[]} */ list) => [...list].sort((a, b) => a - b);
    assert.deepEqual(numbers, sorted(numbers));
    assert.deepEqual(times, sorted(times));
  },
);

claim('a matching call leaves all work to a task soon after, which needs no timer', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { MATCH, load, silence } = await import('/kit.js');
    silence();
    const { Instance } = /** @type {any} */ (WebAssembly);
    let records = 0;
    WebAssembly.Instance = class {
      constructor(...args) {
        /** @type {any} */ const { exports } = new Instance(...args);
        const record = (...given) => {
          records++;
          return exports.record(...given);
        };
        this.exports = { ...exports, record };
      }
    };
    const timers = [];
    for (const name of ['setTimeout', 'setInterval', 'requestAnimationFrame', 'requestIdleCallback']) {
      const original = window[name];
      window[name] = (...args) => {
        // A driver waits by timers as well, in a page that answers slowly.
        if (String(new Error().stack).includes('/pkg/')) timers.push(name);
        return original.apply(window, args);
      };
    }
    const diag = await load();
    diag.install();
    for (let at = 0; at < 50; at++) console.error(MATCH['KE-1'], { at });
    const inCall = records;
    // Messages are delivered in turn, and the queue's came first.
    const { port1, port2 } = new MessageChannel();
    await new Promise((resolve) => {
      port1.onmessage = resolve;
      port2.postMessage(null);
    });
    for (let round = 0; records === 0 && round < 1000; round++)
      await new Promise((resolve) => {
        port1.onmessage = resolve;
        port2.postMessage(null);
      });
    return { inCall, records, timers, total: diag.getCounts().total };
  });
  assert.deepEqual(seen, { inCall: 0, records: 50, timers: [], total: 50 });
});

claim('clear() forgets lines that wait, uninstall() keeps them', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { MATCH, kept, start } = await import('/kit.js');
    const { diag } = await start();
    console.error(MATCH['KE-1']);
    diag.clear();
    console.error(MATCH['KE-2']);
    diag.uninstall();
    console.error(MATCH['KE-3']);
    return [kept(diag), diag.getCounts().total];
  });
  assert.deepEqual(seen, [['missing key at index 3 for participant @user:server:DEVICE'], 1]);
});

claim(
  'a page that leaves in the task of its lines has them all in a report made on the way out',
  async (scene) => {
    const { page, site } = scene;
    await page.goto(`${site.url}/leaving.html`);
    await page.waitFor(() => typeof window['leave'] === 'function');
    await page.evaluate((to) => void window['leave'](to), `${site.url}/`);
    const text = await page.waitFor(() => location.pathname === '/' && sessionStorage.getItem('report'));
    const report = JSON.parse(text);
    assert.equal(report.entries.length, 20);
    assert.equal(report.capture.queueOverflow, 0);
  },
);

test('in Node with a window, lines that wait do not keep the process alive', () => {
  const program = `
    globalThis.window = globalThis;
    globalThis.document = new EventTarget();
    globalThis.addEventListener = globalThis.removeEventListener = () => {};
    console.error = () => {};
    const diag = await import(${JSON.stringify(`${root}pkg/dist/index.js`)});
    diag.install({ frames: false });
    diag.subscribe(() => {});
    console.error('missing key at index 1');
    const before = diag.getEntries().length;
    console.error('missing key at index 2');
    process.on('exit', () => process.stdout.write(JSON.stringify([before, diag.getEntries().length])));
  `;
  assert.deepEqual(inNode(program), [1, 2]);
});
