// @ts-check
// The archive that users install, in the programs that they build: each installs it as a copy, builds with no plugin, is
// served as files and runs in a browser.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { quietly } from '../../scripts/lib/process.mjs';
import { serve } from '../../scripts/lib/server.mjs';
import { launch } from '../support/browser.mjs';
import { prepare, unpacked } from './lib/consumer.mjs';

/** Bytes of program text that a bundler may leave of nothing: its own start-up code. */
const NOTHING = 2_000;

const bundlers = ['vite5', 'vite', 'esbuild', 'webpack'];

/** @type {import('../support/browser.mjs').Browser} */
let browser;
before(async () => {
  browser = await launch('chromium');
});
after(() => browser?.close());

/** The text of all scripts below a folder, one after the other. @param {string} folder */
function scripts(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

/** The module's bytes, as they stand in the package: by them a copy of the core is known. */
function coreBytes() {
  const [longest] = readFileSync(join(unpacked(), 'index.js'), 'utf8')
    .match(/(?<=["'`])[^"'`\\\n]{10000,}(?=["'`])/g)
    ?.sort((a, b) => b.length - a.length) ?? [''];
  assert.ok(longest.length > 10_000, 'the core is in the package as one text');
  return longest;
}

/**
 * Opens a built program as a user would and reads what its capture holds.
 * @param {string} site
 */
async function visit(site) {
  // The package asks the network for nothing, so a policy that forbids it changes nothing.
  const server = await serve(site, { headers: { 'content-security-policy': "connect-src 'none'" } });
  const page = await browser.newPage();
  try {
    await page.goto(`${server.url}/`);
    await page.waitFor(() => /** @type {any} */ (globalThis).app?.getCounts().total === 3);
    const seen = await page.evaluate(async () => {
      const { app } = /** @type {any} */ (globalThis);
      const card = document.querySelector('crypto-diag-card');
      return {
        entries: app.getEntries(),
        report: JSON.parse(app.buildReport(null, { sdkVersion: '41.6.0' })),
        analysis: await app.analyse(app.buildReport(null)),
        card: card?.shadowRoot?.textContent ?? null,
      };
    });
    return { ...seen, messages: page.consoleMessages(), asked: page.requests(), origin: server.url };
  } finally {
    await page.close();
    await server.close();
  }
}

/** @param {Awaited<ReturnType<typeof visit>>} seen */
function judge({ entries, report, analysis, card, messages, asked, origin }) {
  const order = ['KE-1', 'KE-4', 'KE-2'];
  assert.deepEqual(
    entries.map((/** @type {any} */ entry) => `${entry.ke} ${entry.level} ${entry.realm.kind}`),
    ['KE-1 error main', 'KE-4 warn main', 'KE-2 error worker'],
  );
  assert.equal(report.schema, 'crypto-diag/report');
  assert.equal(report.sdkVersion, '41.6.0');
  assert.equal(report.capture.state, 'capturing');
  for (const [ke, count] of Object.entries(report.counts))
    assert.equal(count, order.includes(ke) ? 1 : 0, ke);
  assert.deepEqual(
    report.entries.map((/** @type {any} */ entry) => entry.ke),
    order,
  );
  assert.equal(analysis.reports[0].evidence.length, order.length);
  for (const ke of order) assert.match(card, new RegExp(ke), 'the card shows the family');
  /** @type {string[]} */
  const texts = messages?.map((/** @type {any} */ { type, text }) => `${type} ${text}`) ?? [];
  assert.equal(texts.filter((text) => /^(error|warn(ing)?) /.test(text)).length, 3, texts.join('\n'));
  assert.ok(!texts.some((text) => text.startsWith('pageerror')), texts.join('\n'));
  assert.ok(asked && asked.length > 1);
  for (const address of asked) {
    assert.ok(address.startsWith(`${origin}/`) && !/\.wasm\b/.test(address), `${address} was asked for`);
  }
}

test('a page without a bundler captures from its first line, shows the card and gives a report', async () => {
  judge(await visit(prepare('apps/plain', ['app'])));
});

for (const name of bundlers) {
  test(`${name}: a program built with no plugin captures from its first line and gives a report`, async () => {
    const folder = prepare(`apps/${name}`, ['app']);
    quietly('npm', ['run', 'build'], { cwd: folder });
    const site = join(folder, 'dist');
    if (!existsSync(join(site, 'index.html')))
      copyFileSync(join(folder, 'index.html'), join(site, 'index.html'));
    judge(await visit(site));

    const text = scripts(site);
    assert.equal(text.split(coreBytes()).length - 1, 1, 'the core is in the program once');
  });

  test(`${name}: of imports that nothing uses, nothing is left`, () => {
    const folder = prepare(`apps/${name}`, ['app']);
    quietly('npm', ['run', 'build:unused'], { cwd: folder });
    const text = scripts(join(folder, 'dist-unused'));
    assert.match(text, /nothing but this line/);
    assert.doesNotMatch(text, /crypto-diag|customElements/);
    assert.ok(text.length < NOTHING, `${text.length} bytes of program are left`);
  });
}

test('a subscriber that stays does not keep a Node process from ending', () => {
  quietly(process.execPath, ['subscribed.js'], { cwd: prepare('apps/node'), seconds: 20 });
});

test('under Node every export answers, nothing is hooked, and the process ends by itself', () => {
  const folder = prepare('apps/node');
  const seen = JSON.parse(quietly(process.execPath, ['main.js'], { cwd: folder, seconds: 30 }));
  assert.equal(seen.hooked, false);
  assert.ok(seen.sameSnapshot && seen.sameCounts);
  assert.deepEqual(seen.snapshot, []);
  assert.deepEqual(seen.entries, []);
  assert.equal(seen.counts.total, 0);
  for (const ke of ['KE-1', 'KE-2', 'KE-3', 'KE-4']) assert.equal(seen.counts.byKe[ke].total, 0, ke);
  assert.deepEqual(seen.status, {
    state: 'not-installed',
    reason: 'There is no window to watch.',
    frames: 0,
    blindFrames: 0,
  });
  for (const report of [seen.report, seen.collected]) {
    assert.equal(report.schema, 'crypto-diag/report');
    assert.equal(report.capture.state, 'not-installed');
    assert.equal(report.capture.reason, 'There is no window to watch.');
    assert.deepEqual(report.entries, []);
  }
  assert.equal(seen.report.sdkVersion, '41.6.0');
  assert.ok(seen.card.includes('CryptoDiagCard'));
  assert.match(seen.analysis, /There is no window to watch/);
  assert.ok(Array.isArray(seen.queries));
  assert.equal(seen.worker, 'function');
  assert.equal(seen.schema, 'Report');
});
