// @ts-check
// A line costs and keeps no more than it should, whatever it is given.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const claim = fidelity({}, { args: { chromium: ['--js-flags=--expose-gc'] } });

const MESSAGE_MAX = 16 * 1024;

claim(
  'of a long line the first 64 KiB and the last 16 KiB are looked at, and a kept message has at most 16 KiB',
  async ({ page }) => {
    const { entries, capture, lengths } = await page.evaluate(async () => {
      const { start } = await import('/kit.js');
      const { report } = await start();
      const KEY = 'missing key at index 1';
      const filler = (/** @type {number} */ units) => 'filler '.repeat(Math.ceil(units / 7)).slice(0, units);
      const lines = [
        ['5 MB, at its start', KEY + ' ' + filler(5_000_000)],
        ['5 MB, at its end', filler(5_000_000) + ' ' + KEY],
        ['5 MB, within the first 64 KiB', filler(60_000) + KEY + filler(5_000_000)],
        ['5 MB, in the middle', filler(2_500_000) + KEY + filler(2_500_000)],
        ['20 KB', filler(12_000) + KEY + filler(8_000)],
        ['70 KB, looked at whole', filler(66_000) + KEY + filler(4_000)],
      ];
      for (const [, line] of lines) console.error(line);
      console.error(filler(70_000), filler(5_000), new Error(filler(3_000_000) + KEY));
      return { ...report(), lengths: lines.map(([, line]) => line.length) };
    });
    const has = entries.map((entry) => entry.message.includes('missing key at index 1'));
    assert.deepEqual(has, [true, true, true, true, true, true], 'all but the one in the middle');
    assert.deepEqual(
      entries.map((entry) => entry.truncatedFrom),
      [
        lengths[0],
        lengths[1],
        lengths[2],
        lengths[4],
        lengths[5],
        70_000 + 1 + 5_000 + 1 + 7 + 3_000_000 + 22,
      ],
    );
    for (const { message } of entries) {
      assert.ok(Buffer.byteLength(message) <= MESSAGE_MAX, `${Buffer.byteLength(message)} bytes`);
      assert.match(message, /…\[\d+ bytes cut\]…/);
    }
    assert.ok(entries[1].message.startsWith('filler filler'), 'the beginning is kept, too');
    assert.equal(capture.partlyScanned, 5, 'the one without a match is counted, too');
    assert.equal(capture.truncated, 6);
  },
);

claim(
  'huge objects, deep ones, circles and shared references cost a bounded amount of reading',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { kept, start } = await import('/kit.js');
      const { diag } = await start();
      const KEY = 'missing key at index 1';
      let reads = 0;
      const counted = (/** @type {object} */ target) =>
        new Proxy(target, {
          getOwnPropertyDescriptor(object, key) {
            reads++;
            return Reflect.getOwnPropertyDescriptor(object, key);
          },
        });
      const wide = Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => ['key' + at, at]));
      /** @type {any} */
      let deep = counted({});
      for (let level = 0; level < 20_000; level++) deep = counted({ deep });
      /** @type {any} */
      const circle = { name: 'circle' };
      circle.self = circle;
      const shared = { x: 1 };
      const values = {
        wide: counted(wide),
        deep,
        circle: counted(circle),
        shared: [shared, shared, shared],
        long: counted(Array.from({ length: 1_000_000 }, (_, at) => at + 1000)),
        sparse: counted(Object.assign([], { length: 4_000_000_000 })),
        text: { big: 'word '.repeat(1_000_000), more: 'x'.repeat(1_000_000) },
        keys: { ['k'.repeat(1_000_000)]: 1, b: 2 },
        bytes: new Uint8Array(5_000_000),
      };
      /** @type {Record<string, [number, string]>} */
      const lines = {};
      for (const [name, value] of Object.entries(values)) {
        diag.clear();
        reads = 0;
        console.error(KEY, value);
        lines[name] = [reads, kept(diag)[0].slice(KEY.length + 1)];
      }
      diag.clear();
      console.error(KEY, ...Array.from({ length: 10_000 }, (_, at) => ({ at })));
      return { lines, many: kept(diag)[0] };
    });
    for (const [name, [reads, line]] of Object.entries(seen.lines)) {
      assert.ok(reads <= 80, `${name}: ${reads} properties read`);
      assert.ok(line.length <= 4 * 1024 + 200, `${name}: ${line.length} characters kept`);
    }
    const { wide, deep, circle, shared, long, sparse, text, bytes } = seen.lines;
    assert.match(wide[1], /^\{key0: 0, key1: 1, .*key63: 63, … 199936 more\}$/);
    assert.equal(deep[1], '{deep: {deep: Object}}');
    assert.equal(circle[1], '{name: "circle", self: {name: "circle", self: Object}}');
    assert.equal(shared[1], '[{x: 1}, {x: 1}, {x: 1}]');
    assert.match(long[1], /^\[1000, 1001, .*1063, … 999936 more\]$/);
    assert.match(sparse[1], /^\[undefined, .* … 3999999936 more\]$/);
    assert.match(text[1], /^\{big: "word word .*…", … 1 more\}$/);
    assert.equal(bytes[1], 'Uint8Array(5000000)');
    assert.match(seen.many, / \{at: 254\} … 9745 more$/);
  },
);

claim('a template of nothing but specifiers ends', async ({ page }) => {
  const length = await page.evaluate(async () => {
    const { start } = await import('/kit.js');
    const { diag } = await start();
    const template = 'missing key at index ' + '%s%'.repeat(2_000_000);
    console.error(template, 'a', 'b');
    return Number(diag.getEntries()[0].truncatedFrom) - template.length;
  });
  // Two letters in the place of two specifiers.
  assert.ok(length <= 0 && length >= -2048, String(length));
});

claim(
  '10,000 lines of one signature: exact counts and times, the newest kept, other signatures alive',
  async ({ page }) => {
    const { entries, tallies, counts, capture, times } = await page.evaluate(async () => {
      const { MATCH, start } = await import('/kit.js');
      const { report } = await start();
      console.warn(MATCH['KE-1']);
      console.warn(MATCH['KE-3']);
      const before = Date.now();
      for (let at = 0; at < 10_000; at++) console.error('missing key at index ' + at);
      const after = Date.now();
      console.warn(MATCH['KE-4']);
      return { ...report(), times: [before, after] };
    });
    assert.equal(entries.length, 200);
    assert.deepEqual([counts['KE-1'], counts['KE-2'], counts['KE-3'], counts['KE-4']], [1, 10_000, 1, 1]);
    const burst = tallies.find((row) => row.ke === 'KE-2');
    assert.equal(burst.total, 10_000);
    assert.ok(burst.firstTs >= times[0] && burst.lastTs <= times[1] && burst.firstTs <= burst.lastTs);
    assert.ok(entries.some((entry) => entry.message === 'missing key at index 9999'));
    for (const ke of ['KE-1', 'KE-3', 'KE-4'])
      assert.equal(entries.filter((entry) => entry.ke === ke).length, 1, ke);
    assert.equal(capture.evicted, 10_003 - 200);
    assert.equal(capture.linesMatched, 10_003);
  },
);

claim('the whole buffer has a budget of bytes', async ({ page }) => {
  const { bytes, kept } = await page.evaluate(async () => {
    const { start } = await import('/kit.js');
    const { diag } = await start();
    for (let at = 0; at < 250; at++) console.error(`missing key at index ${at} ${'ä'.repeat(50_000)}`);
    const entries = diag.getEntries();
    return { kept: entries.length, bytes: new TextEncoder().encode(JSON.stringify(entries)).length };
  });
  assert.ok(bytes <= 1 << 20, `${bytes} bytes`);
  assert.ok(kept > 40, `${kept} entries of 16 KiB`);
});

claim(
  'a logged object is not kept alive (collected on demand in Chromium and Firefox, by memory pressure in WebKit)',
  async ({ page, engine, context }) => {
    const seen = await page.evaluate(async () => {
      const { start } = await import('/kit.js');
      const { diag } = await start();
      // The recorders of the kit would keep what they are given.
      console.warn = console.error = console.info = () => {};
      diag.uninstall();
      console.warn = console.error = console.info = () => {};
      diag.install();
      const make = () => ({ big: new Array(1000).fill(0) });
      const logged = [];
      const never = [];
      (() => {
        for (let at = 0; at < 50; at++) {
          const [object, error, control] = [
            make(),
            new Error('missing key at index 1', { cause: make() }),
            make(),
          ];
          console.error('missing key at index 2', object, error);
          console.warn('nothing', object, error);
          console.info('Enqueuing batch of to-device messages. type=a txnid=b', [object]);
          logged.push(
            new WeakRef(object),
            new WeakRef(error),
            new WeakRef(/** @type {object} */ (error.cause)),
          );
          never.push(new WeakRef(control));
        }
      })();
      const alive = (/** @type {WeakRef<object>[]} */ refs) => refs.filter((ref) => ref.deref()).length;
      const deadline = Date.now() + 60_000;
      do {
        // In a task of its own: what a WeakRef was asked for lives until the end of the task.
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (typeof gc === 'function') gc();
        else if (typeof TestUtils === 'object') await TestUtils.gc();
        else for (let at = 0; at < 40; at++) new Array(100_000).fill({ at });
        await new Promise((resolve) => setTimeout(resolve, 20));
      } while (Date.now() < deadline && alive(never) + alive(logged) > 0);
      return { logged: alive(logged), never: alive(never), kept: diag.getEntries().length };
    });
    assert.ok(seen.kept > 0);
    context.diagnostic(
      `${engine}: of 150 logged objects ${seen.logged} live, of 50 never logged ${seen.never}`,
    );
    // WebKit looks for pointers in the whole stack, and takes some old ones for live.
    const stray = engine === 'webkit' ? 15 : 0;
    assert.ok(seen.logged <= stray && seen.never <= stray, JSON.stringify(seen));
  },
);
