// @ts-check
// The app that the guide makes, in its production build, as a user meets it.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { axe } from '../support/axe.mjs';
import { engines, launch } from '../support/browser.mjs';
import { folder, serve } from '../../scripts/lib/server.mjs';
import { WAIT_MS, until } from '../../scripts/lib/wait.mjs';
import { root } from '../../scripts/lib/project.mjs';
import { blocks, build, follow, freshCopy, packagesOf } from './lib/app.mjs';
import { card, press, tile } from './lib/card.mjs';
import { problemsIn } from './lib/types.mjs';

/** What the fixture's client would give for an access token. */
const SECRET = 'aVeryRealSecret';
const EARLY = /signed_curve25519:AAAAAAAAADQ already exists/;
const FRAME_LINE = 'decryption failed: missing key at index 3 for participant @bob:example.org:DEVICE';

/** @type {string} */
let app;
/** @type {string} */
let dist;
/** @type {(report: unknown) => void} */
let validate;

before(() => {
  app = freshCopy();
  follow(app, blocks('sh')[0]);
  dist = build(app);
  const { default: Ajv } = createRequire(join(packagesOf('tools'), 'x.js'))('ajv/dist/2020.js');
  // Formats are notes for people and generators.
  const check = new Ajv({ strict: false, validateFormats: false }).compile(
    JSON.parse(readFileSync(join(app, 'node_modules/crypto-diag/report.schema.json'), 'utf8')),
  );
  validate = (report) => assert.ok(check(report), JSON.stringify(check.errors));
});

for (const engine of engines) {
  describe(engine, () => {
    /** @type {import('../support/browser.mjs').Browser} */
    let browser;
    /** @type {import('../support/browser.mjs').Page} */
    let page;
    /** @type {Awaited<ReturnType<typeof serve>>} */
    let server;

    before(async () => {
      server = await serve(dist);
      browser = await launch(engine);
      page = await browser.newPage();
      await page.goto(server.url);
      await page.waitFor(() => document.querySelector('main') !== null);
    });
    after(async () => {
      await browser?.close();
      await server?.close();
    });

    test('the card is not there until the user asks for developer tools', async () => {
      assert.equal(await card(page), null);
      await page.click('[aria-labelledby=developer-tools]');
      await page.waitFor(() => document.body.innerText.includes('Crypto Diagnostics'));
    });

    test('a line that the second import logged while modules were loading is kept', async () => {
      assert.match(await tile(page, 'Encryption Failures'), /1 failure$/);
      assert.match(await tile(page, 'Encryption Failures'), /KE-1 one-time key conflicts: 1/);
    });

    test('what it means is said in a sentence, and the server queries are for the clipboard', async () => {
      await page.waitFor(() => document.body.innerText.includes('What It Points To'));
      assert.match(await tile(page, 'What It Points To'), /one-time keys/);
      // A browser under test has no clipboard to ask for; what the card hands over is what matters.
      await page.evaluate(() => {
        const clipboard = { writeText: async (/** @type {string} */ text) => void (window.name = text) };
        Object.defineProperty(navigator, 'clipboard', { value: clipboard, configurable: true });
      });
      await press(page, 'Copy server queries');
      await page.waitFor(() => document.body.innerText.includes('Copied.'));
      const copied = await page.evaluate(() => window.name);
      assert.match(copied, /e2e_one_time_keys_json/);
      assert.match(copied, /@alice:example\.org/);
    });

    test('the call’s frame is watched from its start, and the card says so', async () => {
      await page.click('#call');
      await page.waitFor(() => {
        const inside = document.querySelector('iframe')?.contentDocument;
        return inside?.readyState === 'complete' && (inside.body?.innerText.length ?? 0) > 0;
      });
      await page.evaluate((/** @type {string} */ line) => {
        const frame = /** @type {any} */ (document.querySelector('iframe')?.contentWindow);
        frame.eval(`console.error(${JSON.stringify(line)})`);
      }, FRAME_LINE);
      await page.waitFor(() =>
        document.body.innerText.includes('Also seen: KE-2 call media keys: 1 transient.'),
      );
      assert.match(await tile(page, 'Encryption Failures'), /Watching main window and 1 call frame\./);
    });

    test('the badge follows failures, and noise is said beside it', async () => {
      await page.evaluate(() => {
        console.warn('[Call]', 'retrying', new DOMException('Restart delayed event timed out', 'AbortError'));
        console.warn(
          'Received an unexpected encrypted to-device event event_type="io.element.call.encryption_keys"',
        );
      });
      await page.waitFor(() => document.body.innerText.includes('1 delivered key'));
      assert.match(
        await tile(page, 'Encryption Failures'),
        /Also seen: KE-2 call media keys: 1 transient, 1 delivered key\./,
      );
      assert.match(await tile(page, 'Encryption Failures'), /2 failures$/);
    });

    test('a user starts a session and marks what goes wrong', async () => {
      assert.doesNotMatch(await tile(page, 'Capture Session'), /Audio cut/);
      await press(page, 'Start');
      await press(page, 'Audio cut');
      await page.type('input[aria-label="From whom, or what else goes wrong"]', 'Bob');
      await press(page, 'No sound from …');
      await page.waitFor(() => document.body.innerText.includes('no sound from Bob'));
    });

    test('axe finds nothing serious on the card, in light and in dark', async () => {
      assert.deepEqual((await axe(page, 'main')).serious, []);
      const dark = await browser.newPage({ colorScheme: 'dark' });
      await dark.goto(server.url);
      await dark.waitFor(() => document.querySelector('main') !== null);
      // Whether two windows share their settings differs between the engines.
      if ((await card(dark)) === null) await dark.click('[aria-labelledby=developer-tools]');
      await dark.waitFor(() => document.body.innerText.includes('What It Points To'));
      assert.deepEqual((await axe(dark, 'main')).serious, []);
      await dark.close();
    });

    test('the preview shows the report, and folds away', async () => {
      await press(page, 'Preview');
      const shown = await page.waitFor(() => {
        const raw = document.querySelector('main pre');
        return raw?.textContent;
      });
      assert.equal(JSON.parse(shown).schema, 'crypto-diag/report');
      assert.ok(!shown.includes(SECRET));
      await press(page, 'Hide preview');
      await page.waitFor(() => document.querySelector('main pre') === null);
    });

    test('the session ends with a second click on its button', async () => {
      await press(page, 'End');
      await page.waitFor(() => document.body.innerText.includes('Session ended'));
      assert.doesNotMatch(await tile(page, 'Capture Session'), /No sound from …/);
    });

    test('the downloaded report is valid, holds the lines of both realms and no secret', async () => {
      const file = await page.download(() => press(page, 'Download report'));
      assert.match(file.name, /^lotus-crypto-diag-.*\.json$/);
      await page.waitFor(() => document.body.innerText.includes('Saved as lotus-crypto-diag-'));
      assert.doesNotMatch(await tile(page, 'Report'), /has come since/);
      const { text } = file;
      assert.ok(!text.includes(SECRET));
      const report = JSON.parse(text);
      validate(report);
      assert.equal(report.sdkVersion, '41.6.0-rc.0');
      assert.equal(report.cryptoVersion, 'Rust SDK 0.19.1 (0000000), Vodozemac 0.10.0');
      assert.deepEqual([report.userId, report.deviceId], ['@alice:example.org', 'JLAFKJWSCS']);
      assert.deepEqual(
        report.marks.map((/** @type {any} */ { kind, label }) => [kind, label]),
        [
          ['start', ''],
          ['symptom', 'Audio cut'],
          ['symptom', 'no sound from Bob'],
          ['end', ''],
        ],
      );
      assert.match(report.entries[0].message, EARLY);
      assert.equal(report.entries[0].realm.kind, 'main');
      const inFrame = report.entries.find((/** @type {any} */ { realm }) => realm.kind === 'frame');
      assert.equal(inFrame.message, FRAME_LINE);
      assert.equal(inFrame.realm.path, '/public/element-call/index.html');
      const frame = report.capture.frames.documents.at(-1);
      assert.deepEqual([frame.hooked, frame.blind], [true, null]);
    });

    test('a line that comes after the download is said beside the file’s name', async () => {
      await page.evaluate(() => console.warn('missing key at index 4'));
      await page.waitFor(() => document.body.innerText.includes('1 line has come since.'));
      assert.match(
        await tile(page, 'Report'),
        /Saved as lotus-crypto-diag-\S+\.json\. 1 line has come since\./,
      );
    });

    test('one click on Clear forgets nothing, the second all', async () => {
      await press(page, 'Clear');
      assert.match(await tile(page, 'Encryption Failures'), /2 failures$/);
      await press(page, 'Really clear?');
      await page.waitFor(() => document.body.innerText.includes('Cleared.'));
      await page.waitFor(() => !document.body.innerText.includes('What It Points To'));
      // The card is told in a task of its own, after the click has said that it has cleared.
      await until(
        async () => /None$/.test(await tile(page, 'Encryption Failures')),
        WAIT_MS,
        () => 'the card still counts failures',
      );
    });

    test('a reloaded page, now under its service worker, keeps its early line again', async () => {
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
      await page.reload();
      await page.waitFor(() => navigator.serviceWorker.controller !== null);
      await page.waitFor(() => document.body.innerText.includes('KE-1 one-time key conflicts: 1'));
      assert.match(await tile(page, 'Encryption Failures'), /Watching main window\.\s.*1 failure$/s);
    });

    test('where the analysis does not load, the card is without it and works', async () => {
      const chunk = readdirSync(join(dist, 'assets')).find((name) => /^analysis-.*\.js$/.test(name));
      const missing = (/** @type {unknown} */ _, /** @type {import('node:http').ServerResponse} */ answer) =>
        answer.writeHead(404).end();
      const poorer = await serve({ '/': folder(dist), [`/assets/${chunk}`]: missing });
      const other = await browser.newPage();
      await other.goto(poorer.url);
      await other.click('[aria-labelledby=developer-tools]');
      await other.waitFor(() => document.body.innerText.includes('Crypto Diagnostics'));
      await until(
        () => poorer.requests.some(({ path }) => path.includes('/assets/analysis-')),
        WAIT_MS,
        () => 'the analysis was not asked for',
      );
      const file = await other.download(() => press(other, 'Download report'));
      assert.match(JSON.parse(file.text).entries[0].message, EARLY);
      await other.waitFor(() => document.body.innerText.includes('Saved as'));
      assert.doesNotMatch(String(await card(other)), /What It Points To|Copy server queries/);
      await other.close();
      await poorer.close();
    });
  });
}

describe('the build', () => {
  test('every script has its source map', () => {
    const scripts = readdirSync(join(dist, 'assets')).filter((name) => name.endsWith('.js'));
    assert.ok(scripts.length >= 2);
    for (const script of scripts) {
      const map = JSON.parse(readFileSync(join(dist, 'assets', `${script}.map`), 'utf8'));
      assert.equal(map.version, 3);
    }
  });

  test('the first chunk does not hold the analysis', () => {
    const first = readdirSync(join(dist, 'assets')).find((name) => /^index-.*\.js$/.test(name));
    const source = readFileSync(join(app, 'node_modules/crypto-diag/analysis.js'), 'utf8');
    const bytes = /[A-Za-z0-9+/]{1000}/.exec(source)?.[0] ?? assert.fail('the analysis has no bytes');
    assert.ok(!readFileSync(join(dist, 'assets', String(first)), 'utf8').includes(bytes));
  });
});

describe('the two files’ types', () => {
  test('under Cinny’s TypeScript 4.9, where a client is no type, nothing is wrong in them', () => {
    assert.deepEqual(problemsIn(app, 'typescript', '4.9.4').ours, []);
  });

  test('under TypeScript 5.8, where a client is what the SDK says, nothing is wrong in them', () => {
    const { ours, sdk } = problemsIn(app, 'typescript-5.8', '5.8.3');
    assert.deepEqual(ours, []);
    assert.equal(sdk, 'MatrixClient');
  });
});

test('no file of the app names the place of this checkout', () => {
  for (const name of readdirSync(join(dist, 'assets'))) {
    assert.ok(!readFileSync(join(dist, 'assets', name), 'utf8').includes(root), name);
  }
});
