// @ts-check
// The wrappers themselves: what the page put there goes on working, whoever comes before, after or on top.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const claim = fidelity();

claim(
  'the original gets the same this and the very same arguments, once, and its answer comes back',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { MATCH, load } = await import('/kit.js');
      const answer = {};
      const calls = [];
      console.warn = function warn(first, second) {
        calls.push([this, arguments.length, first, second]);
        return answer;
      };
      const original = console.warn;
      const diag = await load();
      diag.install();
      const self = {};
      const object = {};
      const back = /** @type {any} */ (Reflect.apply)(console.warn, self, [MATCH['KE-1'], object]);
      const [call] = calls;
      const disguised = [console.warn !== original, console.warn.name, console.warn.length];
      return [calls.length, call[0] === self, call[1], call[3] === object, back === answer, disguised];
    });
    assert.deepEqual(seen, [1, true, 2, true, true, [true, 'warn', 2]]);
  },
);

claim('what the original throws propagates, and the line is kept', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { MATCH, kept, load } = await import('/kit.js');
    const thrown = { not: 'even an Error' };
    console.error = () => {
      throw thrown;
    };
    const diag = await load();
    diag.install();
    try {
      console.error(MATCH['KE-3']);
    } catch (error) {
      return [error === thrown, kept(diag)];
    }
    return 'nothing was thrown';
  });
  assert.deepEqual(seen, [true, ['Error decrypting event: DecryptionError[msg: missing field]']]);
});

claim('installed twice, each line is kept once and reaches the original once', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { MATCH, start } = await import('/kit.js');
    const { diag, calls } = await start();
    diag.install();
    diag.installCryptoDiagLog();
    console.warn(MATCH['KE-4']);
    return [diag.getEntries().length, calls.length];
  });
  assert.deepEqual(seen, [1, 1]);
});

claim('two copies of the bundle are one capture', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { MATCH, load, start } = await import('/kit.js');
    const { diag, calls } = await start();
    const copy = await load('2');
    copy.install();
    console.error(MATCH['KE-1']);
    const both = [
      diag !== copy,
      diag.getEntries().length,
      diag.getEntries() === copy.getEntries(),
      calls.length,
    ];
    copy.uninstall();
    console.error(MATCH['KE-1']);
    return [...both, diag.getCounts().total, diag.getCaptureStatus().state];
  });
  assert.deepEqual(seen, [true, 1, true, 1, 1, 'stopped']);
});

claim(
  'two copies that cannot find each other wrap no console twice, and the second says so',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { MATCH, load, start } = await import('/kit.js');
      // The place of the marker is taken, and cannot be taken over.
      Object.defineProperty(globalThis, Symbol.for('crypto-diag.capture.1'), { value: null });
      const { diag, calls } = await start();
      const copy = await load('2');
      copy.install();
      console.error(MATCH['KE-1']);
      const [hook] = JSON.parse(copy.buildReport(null)).capture.hooks;
      return [diag.getEntries().length, copy.getEntries().length, calls.length, hook];
    });
    assert.deepEqual(seen, [1, 0, 1, { method: 'warn', inPlace: false, reason: 'It is already hooked.' }]);
  },
);

claim(
  'uninstalled after somebody else wrapped on top: their wrapper stays, and nothing is captured',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { MATCH, calls, start } = await import('/kit.js');
      const { diag } = await start();
      const ours = console.warn;
      let theirs = 0;
      const wrapper = (...args) => {
        theirs++;
        return ours(...args);
      };
      console.warn = wrapper;
      console.warn(MATCH['KE-1']);
      diag.uninstall();
      const left = console.warn === wrapper;
      console.warn(MATCH['KE-1']);
      const stopped = [diag.getCounts().total, diag.getCaptureStatus().state, theirs, calls.length];
      // Installed again, the wrapper that stayed inside must not see each line a second time.
      diag.install();
      console.warn(MATCH['KE-1']);
      return [left, stopped, diag.getCounts().total, theirs, calls.length];
    });
    assert.deepEqual(seen, [true, [1, 'stopped', 2, 2], 2, 3, 3]);
  },
);

claim('uninstall puts back exactly what stood there', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { load } = await import('/kit.js');
    const diag = await load();
    const calls = [];
    const inherited = () => calls.push('inherited');
    const got = () => calls.push('got');
    Object.setPrototypeOf(console, { __proto__: Object.getPrototypeOf(console), warn: inherited });
    Reflect.deleteProperty(console, 'warn');
    Object.defineProperty(console, 'error', { get: () => got, configurable: true, enumerable: false });
    const before = Object.getOwnPropertyDescriptor(console, 'error');
    const info = console.info;
    diag.install();
    const hooked = [console.warn !== inherited, console.error !== got, console.info !== info];
    console.warn('x');
    console.error('x');
    diag.uninstall();
    const after = Object.getOwnPropertyDescriptor(console, 'error');
    return {
      hooked,
      calls,
      warn: [Object.hasOwn(console, 'warn'), console.warn === inherited],
      error: [before?.get === after?.get, after?.configurable, after?.enumerable],
      info: console.info === info,
    };
  });
  assert.deepEqual(seen, {
    hooked: [true, true, true],
    calls: ['inherited', 'got'],
    warn: [false, true],
    error: [true, true, false],
    info: true,
  });
});

claim('a method that was replaced after install is noticed in the report', async ({ page }) => {
  const hooks = await page.evaluate(async () => {
    const { start } = await import('/kit.js');
    const { report } = await start();
    console.warn = () => {};
    return report().capture.hooks;
  });
  assert.deepEqual(hooks, [
    { method: 'warn', inPlace: false, reason: null },
    { method: 'error', inPlace: true, reason: null },
    { method: 'info', inPlace: true, reason: null },
  ]);
});

claim(
  'a console that is frozen, lacks a method, or has a fixed getter costs that method and says so',
  async ({ page }) => {
    const run = (/** @type {string} */ prepare) =>
      page.evaluate(async (prepare) => {
        const { MATCH, kept, load, silence } = await import('/kit.js');
        silence();
        const diag = await load();
        new Function(prepare)();
        diag.install();
        globalThis.console?.error?.(MATCH['KE-1']);
        const { hooks, state } = JSON.parse(diag.buildReport(null)).capture;
        return { kept: kept(diag).length, state, hooks };
      }, prepare);
    const none = (/** @type {string} */ reason) =>
      ['warn', 'error', 'info'].map((method) => ({ method, inPlace: false, reason }));

    const frozen = await run('Object.freeze(console)');
    assert.deepEqual(frozen, {
      kept: 0,
      state: 'capturing',
      hooks: none('The console does not let its method be replaced.'),
    });

    await page.reload();
    const missing = await run('delete console.warn');
    assert.equal(missing.kept, 1);
    assert.deepEqual(missing.hooks[0], {
      method: 'warn',
      inPlace: false,
      reason: 'The console has no such method.',
    });
    assert.equal(missing.hooks[1].inPlace, true);

    await page.reload();
    const fixed = await run(
      "const { warn } = console; delete console.warn; Object.defineProperty(console, 'warn', { get: () => warn })",
    );
    assert.equal(fixed.kept, 1);
    assert.equal(fixed.hooks[0].reason, 'The console does not let its method be replaced.');

    await page.reload();
    const throwing = await run("Object.defineProperty(console, 'warn', { get() { throw new Error('no') } })");
    assert.equal(throwing.kept, 1);
    assert.equal(throwing.hooks[0].reason, 'The console could not be changed: no');

    await page.reload();
    const gone = await run('globalThis.console = undefined');
    assert.equal(gone.kept, 0);
    assert.equal(gone.state, 'capturing');
    assert.match(gone.hooks[1].reason, /^The console could not be changed: /);
  },
);

claim(
  'a logger that bound its methods before install is not seen, and one that binds after is',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { kept, load, silence } = await import('/kit.js');
      silence();
      const early = console.warn.bind(console);
      const diag = await load();
      diag.install();
      const late = console.warn.bind(console);
      early('missing key at index 1');
      late('missing key at index 2');
      return kept(diag);
    });
    assert.deepEqual(seen, ['missing key at index 2']);
  },
);
