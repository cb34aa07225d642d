// @ts-check
// Workers have consoles of their own: an app that owns a worker's script asks for it to be watched.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const claim = fidelity({
  '/worker.js': `
    import { installInWorker } from '/pkg/worker.js';
    onmessage = ({ data: channel }) => {
      const originals = [];
      console.warn = (...args) => originals.push(args);
      console.error = (...args) => originals.push(args);
      const leave = installInWorker({ channel });
      installInWorker({ channel });
      const object = { get a() { originals.push('ran'); return 1; } };
      console.warn('skipping decryption due to %s', 'missing key at index 3', object);
      console.error('nothing to see', object);
      console.error('wrapped', new Error('missing key at index 4'), 'access_token=syt_c2VjcmV0_AbCdEfGhIjKlMnOp_1a2B3c');
      console.error('missing key at index 5 ' + 'x '.repeat(2_000_000));
      Promise.reject(new Error('missing key at index 6'));
      setTimeout(() => {
        leave();
        console.warn('missing key at index 7');
        postMessage({ passed: originals.length, kept: originals[0][2] === object });
        setTimeout(() => { throw new Error('missing key at index 8'); });
      }, 50);
    };
  `,
});

/** Starts the worker with a channel's name and waits for it to end. */
const run = async () => {
  const { start, until } = await import('/kit.js');
  const { diag, report } = await start();
  const channel = diag.workerChannel();
  const worker = new Worker('/worker.js?query', { type: 'module' });
  const over = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
  worker.onerror = (event) => event.preventDefault();
  worker.postMessage(channel);
  const told = await over;
  await until(() => diag.getEntries().length === 4);
  await new Promise((resolve) => setTimeout(resolve, 100));
  worker.terminate();
  return { told, channel, report: report(), text: diag.buildReport(null) };
};

claim('lines of a worker that asks for it are treated like any other', async ({ page }) => {
  const { told, report, text } = await page.evaluate(run);
  assert.deepEqual(told, { passed: 5, kept: true });
  const [first, second, third, fourth] = report.entries;
  assert.equal(first.message, 'skipping decryption due to missing key at index 3 {a: (…)}');
  assert.equal(first.level, 'warn');
  assert.match(second.message, /^wrapped Error: missing key at index 4 access_token=\[closed\]/);
  assert.equal(second.redactions, 1);
  assert.equal(typeof second.stack, 'string');
  assert.ok(!text.includes('c2VjcmV0'));
  assert.equal(third.truncatedFrom, 4_000_000 + 'missing key at index 5 '.length);
  assert.deepEqual([fourth.message, fourth.source], ['Error: missing key at index 6', 'uncaught']);
  for (const { realm } of report.entries) assert.deepEqual(realm, { kind: 'worker', path: '/worker.js' });
  assert.equal(report.counts['KE-2'], 4);
});

claim('nothing of it crosses to another tab of the same origin', async ({ page, browser, site }) => {
  const other = await browser.newPage();
  try {
    await other.goto(`${site.url}/`);
    const name = await other.evaluate(async () => {
      const { start } = await import('/kit.js');
      const { diag } = await start();
      window['diag'] = diag;
      // A tab that wants to listen must know the name.
      window['heard'] = [];
      for (const guess of ['crypto-diag', 'crypto-diag-']) {
        new BroadcastChannel(guess).onmessage = ({ data }) => window['heard'].push(data);
      }
      return diag.workerChannel();
    });
    const { channel, report } = await page.evaluate(run);
    assert.equal(report.entries.length, 4);
    assert.notEqual(channel, name);
    for (const one of [channel, name]) assert.match(one, /^crypto-diag-[0-9a-f]{32}$/);
    const seen = await other.evaluate(() => [
      window['diag'].getEntries(),
      window['heard'],
      window['diag'].getCounts().total,
    ]);
    assert.deepEqual(seen, [[], [], 0]);
  } finally {
    await other.close();
  }
});

claim('what a stranger posts to the channel is read field by field', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { start, until } = await import('/kit.js');
    const { diag, report } = await start();
    const channel = new BroadcastChannel(diag.workerChannel());
    const line = 'missing key at index 1';
    const odd = [
      null,
      7,
      'text',
      [],
      {},
      { text: 7 },
      { text: { toString: 1 } },
      { text: line, ts: 'x', path: 9, level: {} },
    ];
    for (const message of odd) channel.postMessage(message);
    channel.postMessage({
      text: line + ' ' + 'y'.repeat(1_000_000),
      ts: -5,
      length: 1e300,
      uncaught: 'yes',
      stack: 'z'.repeat(99_999),
    });
    await until(() => diag.getEntries().length === 2);
    return report().entries.map(({ ts, level, realm, source, stack, truncatedFrom, message }) => ({
      ts,
      level,
      realm,
      source,
      stack: stack?.length ?? null,
      truncatedFrom,
      length: message.length <= 16 * 1024,
    }));
  });
  const common = {
    ts: 0,
    level: 'error',
    realm: { kind: 'worker', path: '' },
    source: 'console',
    length: true,
  };
  assert.deepEqual(seen[0], { ...common, stack: null, truncatedFrom: null });
  assert.ok(seen[1].stack <= 4096 && seen[1].truncatedFrom === 80 * 1024);
  assert.deepEqual([seen[1].ts, seen[1].source, seen[1].length], [0, 'console', true]);
});

claim('installInWorker without a channel leaves the worker alone', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { installInWorker } = /** @type {any} */ (await import('/pkg/worker.js'));
    const { BroadcastChannel, console } = globalThis;
    const { warn } = console;
    Reflect.deleteProperty(globalThis, 'BroadcastChannel');
    try {
      const ends = [installInWorker({ channel: 'x' }), installInWorker(), installInWorker({})];
      return [ends.map((end) => typeof end), console.warn === warn];
    } finally {
      globalThis.BroadcastChannel = BroadcastChannel;
    }
  });
  assert.deepEqual(seen, [['function', 'function', 'function'], true]);
});
