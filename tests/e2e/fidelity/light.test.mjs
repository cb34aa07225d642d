// @ts-check
// The light entry: the core is in a file of its own, which is loaded when a line or a report needs it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fidelity, root } from './harness.mjs';

const claim = fidelity({
  // The same entry, beside which there is no core.
  '/alone/light.js': readFileSync(`${root}pkg/dist/light.js`, 'utf8'),
});

claim(
  'the light entry loads its core with the first matching line, and no line is lost',
  async ({ page, site }) => {
    const before = site.requests.length;
    const asked = () =>
      site.requests.slice(before).filter(({ path }) => path === '/pkg/light-core.js').length;
    await page.evaluate(async () => {
      const { silence } = await import('/kit.js');
      silence();
      const diag = /** @type {any} */ (await import('/pkg/light.js'));
      window['diag'] = diag;
      diag.install();
      for (let at = 0; at < 100; at++) console.error('nothing to see', at);
      diag.getEntries();
    });
    assert.equal(asked(), 0, 'nothing is loaded for a page without a matching line');
    const seen = await page.evaluate(async () => {
      const { MATCH, kept, until } = await import('/kit.js');
      const { diag } = /** @type {any} */ (window);
      console.error(MATCH['KE-1'], 1);
      console.error(MATCH['KE-2'], 2);
      const meanwhile = [diag.getEntries().length, JSON.parse(diag.buildReport(null)).capture.state];
      await until(() => diag.getEntries().length === 2);
      return { meanwhile, messages: kept(diag), state: diag.getCaptureStatus().state };
    });
    assert.deepEqual(seen.meanwhile, [0, 'starting']);
    assert.match(seen.messages[0], /already exists.* 1$/);
    assert.match(seen.messages[1], /^missing key at index 3.* 2$/);
    assert.equal(seen.state, 'capturing');
    assert.equal(asked(), 1);
  },
);

claim('a collected report of the light entry waits for its core', async ({ page }) => {
  const report = await page.evaluate(async () => {
    const { MATCH, silence } = await import('/kit.js');
    silence();
    const diag = /** @type {any} */ (await import('/pkg/light.js'));
    diag.install();
    console.error(MATCH['KE-3']);
    return JSON.parse(await diag.collectReport(null));
  });
  assert.equal(report.capture.state, 'capturing');
  assert.deepEqual(
    report.entries.map(({ ke }) => ke),
    ['KE-3'],
  );
  assert.match(report.userAgent, /^Mozilla/);
});

claim(
  'where the light entry’s core does not load, the basic report still downloads and says so',
  async ({ page }) => {
    const file = await page.download(() =>
      page.evaluate(async () => {
        const { MATCH, silence } = await import('/kit.js');
        silence();
        // @ts-expect-error: there are no types for it.
        const diag = await import('/alone/light.js');
        diag.install();
        console.error(MATCH['KE-2'], 'access_token=opaque-secret-value');
        await diag.downloadReport(null);
      }),
    );
    const { capture, entries, schema } = JSON.parse(file.text);
    assert.equal(schema, 'crypto-diag/report');
    assert.equal(capture.state, 'blind');
    assert.match(capture.reason, /^The core could not be loaded: /);
    assert.equal(capture.queueOverflow, 1);
    assert.deepEqual(entries, []);
    assert.doesNotMatch(file.text, /opaque-secret/);
  },
);
