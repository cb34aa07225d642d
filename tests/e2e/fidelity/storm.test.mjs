// @ts-check
// A client in trouble may log several matching lines a second for days; here it does so a hundred thousand times at once, and with
// `npm run test:storm` a million times.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const claim = fidelity();

const LINES = process.env.CRYPTO_DIAG_STORM ? 1_000_000 : 100_000;
/** Lines of one evaluation, so that a slow machine's driver does not lose its patience. */
const PART = 50_000;

claim(
  'a storm of matching lines: exact tallies, at most 200 entries, no growth of memory, other classes alive',
  async ({ page }) => {
    await page.evaluate(async () => {
      const { MATCH, load } = await import('/kit.js');
      const { Instance } = WebAssembly;
      WebAssembly.Instance = class extends Instance {
        constructor(/** @type {[any, any]} */ ...args) {
          super(...args);
          window['memory'] = this.exports.memory;
        }
      };
      console.error = console.warn = () => {};
      const diag = await load();
      diag.install();
      window['diag'] = diag;
      // What must survive: one line of each other family, one of another meaning, one in a frame's words.
      for (const ke of ['KE-1', 'KE-3', 'KE-4']) console.warn(MATCH[ke]);
      console.warn(
        'Received an unexpected encrypted to-device event event_type="io.element.call.encryption_keys"',
      );
      console.warn('the room already exists');
      window['storm'] = (from, to) => {
        for (let at = from; at < to; at++)
          console.error('missing key at index ' + at, { at, round: 'storm' });
        return window['memory'].buffer.byteLength;
      };
    });
    const run = (/** @type {number} */ from, /** @type {number} */ to) =>
      page.evaluate((from, to) => window['storm'](from, to), from, to);
    const first = await run(0, 1000);
    const sizes = new Set();
    for (let at = 1000; at < LINES; at += PART) sizes.add(await run(at, Math.min(at + PART, LINES)));
    assert.deepEqual([...sizes], [first], 'the memory has the size that it had after 1,000 lines');
    const report = JSON.parse(await page.evaluate(() => window['diag'].buildReport(null)));
    assert.deepEqual(
      [report.counts['KE-1'], report.counts['KE-2'], report.counts['KE-3'], report.counts['KE-4']],
      [2, LINES + 1, 1, 1],
    );
    const total = report.tallies.reduce((sum, row) => sum + row.total, 0);
    assert.equal(total, LINES + 5);
    assert.equal(report.entries.length, 200);
    assert.equal(report.capture.evicted, LINES + 5 - 200);
    assert.equal(
      report.entries.at(-1).message,
      `missing key at index ${LINES - 1} {at: ${LINES - 1}, round: "storm"}`,
    );
    for (const ke of ['KE-3', 'KE-4'])
      assert.equal(report.entries.filter((entry) => entry.ke === ke).length, 1, ke);
    assert.equal(report.entries.filter((entry) => entry.ke === 'KE-1').length, 2);
    assert.equal(report.entries.filter((entry) => entry.meaning === 'delivered').length, 1);
    assert.deepEqual([report.capture.state, report.capture.failures], ['capturing', []]);
  },
);
