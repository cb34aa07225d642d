// @ts-check
// When the core starts: when a line or a report needs it, and not before.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const claim = fidelity({
  '/watched.html': `<!doctype html><title>Watched</title><script>
    // What is compiled, instantiated and written as UTF-8, in bytes and code units.
    window.work = { compiled: [], instances: 0, later: 0, longest: 0 };
    const { Module, Instance, instantiate } = WebAssembly;
    WebAssembly.Module = class extends Module {
      constructor(bytes) {
        work.compiled.push(bytes.byteLength);
        if (window.refuse && bytes.byteLength > 8) throw new WebAssembly.CompileError('syt_YWxpY2U_refused 123');
        super(bytes);
      }
    };
    WebAssembly.Instance = class extends Instance {
      constructor(...args) {
        super(...args);
        work.instances++;
      }
    };
    WebAssembly.instantiate = (...args) => {
      work.later++;
      return instantiate(...args);
    };
    const { encodeInto } = TextEncoder.prototype;
    TextEncoder.prototype.encodeInto = function (text, target) {
      work.longest = Math.max(work.longest, text.length);
      return encodeInto.call(this, text, target);
    };
  </script>`,
});

claim(
  'a page without a matching line never unpacks, compiles or starts the core, whoever asks for entries',
  async ({ page, site }) => {
    await page.goto(`${site.url}/watched.html`);
    const seen = await page.evaluate(async () => {
      const { add, start } = await import('/kit.js');
      const { diag } = await start();
      diag.subscribe(() => {});
      for (let at = 0; at < 1000; at++) {
        console.warn('nothing to see', { at });
        console.error('nothing', new Error('to see'));
        console.info('Enqueuing batch of to-device messages. type=x txnid=y', ['@a:b/C (msgid 1)']);
      }
      await add('iframe', { src: '/' });
      await new Promise((resolve) => setTimeout(resolve, 100));
      const answers = [diag.getEntries().length, diag.getCounts().total, diag.getCaptureStatus().state];
      diag.clear();
      diag.uninstall();
      return { answers, work: structuredClone(window['work']) };
    });
    assert.deepEqual(seen.answers, [0, 0, 'capturing']);
    assert.deepEqual(
      [seen.work.compiled, seen.work.instances, seen.work.later],
      [[8], 1, 0],
      'the empty module alone, by which a policy is noticed',
    );
    assert.ok(
      seen.work.longest < 1000,
      `a text of ${seen.work.longest} was written: the module was unpacked`,
    );
  },
);

claim(
  'the core starts soon after the first matching line, outside of its call, and at once for a question',
  async ({ page, site }) => {
    for (const asked of [false, true]) {
      await page.goto(`${site.url}/watched.html`);
      const seen = await page.evaluate(async (asked) => {
        const { MATCH, kept, start, until } = await import('/kit.js');
        const { work } = /** @type {any} */ (window);
        const { diag } = await start();
        console.error(MATCH['KE-2']);
        const inCall = [work.compiled.length, work.instances];
        if (!asked) await until(() => work.instances > 1);
        const messages = kept(diag);
        return { inCall, messages, compiled: work.compiled, instances: work.instances };
      }, asked);
      assert.deepEqual(seen.inCall, [1, 1]);
      assert.deepEqual(seen.messages, ['missing key at index 3 for participant @user:server:DEVICE']);
      assert.equal(seen.instances, 2);
      assert.equal(seen.compiled.length, 2);
      assert.ok(seen.compiled[1] > 10_000);
    }
  },
);

claim('a report of a page without a matching line has its texts looked at by the core', async ({ page }) => {
  const secret = 'syt_YWxpY2U_QwErTyUiOpAsDfGhJkLz_9z8y7x';
  const report = await page.evaluate(async (secret) => {
    const { start } = await import('/kit.js');
    const { diag } = await start();
    return JSON.parse(diag.buildReport(null, { sdkVersion: `1.2 ${secret}` }));
  }, secret);
  assert.match(report.sdkVersion, /^1\.2 \[/);
  assert.ok(!JSON.stringify(report).includes(secret.slice(0, 14)));
  assert.ok(report.userAgent.startsWith('Mozilla/5.0 ('), report.userAgent);
  assert.equal(report.capture.redactions, 1);
});

claim(
  'a core that cannot start is known at the first line: nothing is shown, the console is as it was, and the report says so',
  async ({ page, site }) => {
    await page.goto(`${site.url}/watched.html`);
    const seen = await page.evaluate(async () => {
      const { MATCH, load, silence, until } = await import('/kit.js');
      window['refuse'] = true;
      silence();
      const { error } = console;
      const diag = await load();
      diag.install();
      const before = diag.getCaptureStatus().state;
      let told = 0;
      diag.subscribe(() => told++);
      for (let at = 0; at < 3; at++) console.error(MATCH['KE-1'], 'access_token=opaque-secret-value', at);
      await until(() => told > 0);
      const restored = console.error === error;
      return { before, restored, entries: diag.getEntries(), text: await diag.collectReport(null) };
    });
    const { capture } = JSON.parse(seen.text);
    assert.deepEqual([seen.before, seen.restored, seen.entries], ['capturing', true, []]);
    assert.deepEqual([capture.state, capture.queueOverflow], ['blind', 3]);
    assert.equal(capture.reason, 'The browser refused to compile the core: CompileError');
    assert.deepEqual(
      capture.failures.map(({ what }) => what),
      [capture.reason],
    );
    assert.doesNotMatch(seen.text, /opaque-secret|syt_/);
  },
);

claim('a runaway recursion before the core has started does not make it blind', async ({ page, site }) => {
  // The core is started in the call of a line that finds the queue full, with so many frames of the recursion left on the stack.
  for (const left of [2, 10, 30, 80, 200, 1000]) {
    await page.goto(`${site.url}/`);
    const seen = await page.evaluate(async (frames) => {
      const { load } = await import('/kit.js');
      console.error = () => {};
      const diag = await load();
      diag.install();
      let depth = 0;
      let from = Infinity;
      const fall = () => {
        depth++;
        if (depth > from) console.error('missing key at index 1');
        fall();
      };
      const run = () => {
        depth = 0;
        try {
          fall();
        } catch {
          // As it must.
        }
        return depth;
      };
      let deepest = 0;
      // Until the engine has compiled it, and the depth stays the same.
      for (let round = 0; round < 50; round++) deepest = run();
      console.error('missing key at index 0 ' + 'x '.repeat(32_000));
      from = deepest - frames;
      run();
      from = Infinity;
      const { state, reason } = diag.getCaptureStatus();
      console.error('missing key at index 2');
      return [state, reason, diag.getEntries().at(-1)?.message];
    }, left);
    assert.deepEqual(seen, ['capturing', null, 'missing key at index 2'], `${left} frames left`);
  }
});
