// @ts-check
// The page that a newcomer sees, as it is built and served, in every engine.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SCHEMES, axe } from '../support/axe.mjs';
import { engines, launch } from '../support/browser.mjs';
import { everything } from '../support/matrix.mjs';
import { folder, serve } from '../../scripts/lib/server.mjs';

const SITE = fileURLToPath(new URL('../../www/dist', import.meta.url));

/** What each recorded console must come to, counted by hand in the recordings' warn and error lines. */
const CONSOLES = [
  {
    file: 'ke1-second-store-same-device.jsonl',
    lines: 80,
    badge: '3 failures',
    noise: '',
    families: {
      'KE-1': '3 failures',
      'KE-2': 'No failures',
      'KE-3': 'No failures',
      'KE-4': 'No failures',
      OLM: 'No failures',
    },
    entries: { 'KE-1 failure': 3 },
  },
  {
    file: 'ke1-to-ke2-store-rollback.jsonl',
    lines: 161,
    badge: '16 failures',
    noise: '',
    families: {
      'KE-1': '12 failures',
      'KE-2': 'No failures',
      'KE-3': '1 failure',
      'KE-4': 'No failures',
      OLM: '3 failures',
    },
    entries: { 'KE-1 failure': 12, 'OLM failure': 3, 'KE-3 failure': 1 },
  },
  {
    file: 'ke2-benign_ke3_ke4.jsonl',
    lines: 256,
    badge: '1 failure',
    noise: '10 transient · 1 delivered key',
    families: {
      'KE-1': 'No failures',
      'KE-2': 'No failures 3 transient · 1 delivered key',
      'KE-3': '1 failure',
      'KE-4': 'No failures 7 transient',
      OLM: 'No failures',
    },
    entries: { 'KE-2 delivered': 1, 'KE-2 transient': 3, 'KE-3 failure': 1, 'KE-4 transient': 7 },
  },
  {
    file: 'sender-side-invalid-signature.jsonl',
    lines: 132,
    badge: '2 failures',
    noise: '',
    families: {
      'KE-1': 'No failures',
      'KE-2': 'No failures',
      'KE-3': '1 failure',
      'KE-4': 'No failures',
      OLM: '1 failure',
    },
    entries: { 'OLM failure': 1, 'KE-3 failure': 1 },
  },
];
const [, ROLLBACK, CALL, SENDER] = CONSOLES;

const part = (/** @type {string} */ name) => `crypto-diag-card >>> [part~="${name}"]`;
const row = (/** @type {string} */ file) => `.console[data-file="${file}"]`;
const replay = (/** @type {string} */ file) => `${row(file)} .actions button:nth-of-type(1)`;
const replayAtPace = (/** @type {string} */ file) => `${row(file)} .actions button:nth-of-type(2)`;
const stop = (/** @type {string} */ file) => `${row(file)} .actions button:nth-of-type(3)`;

/** A window in which the card and the list of entries are both in sight: what is out of sight draws nothing. */
const TALL = { width: 1280, height: 1600 };

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
before(async () => {
  server = await serve({ '/': folder(SITE) });
});
after(() => server.close());

for (const engine of engines) {
  describe(`the demo page in ${engine}`, () => {
    /** @type {import('../support/browser.mjs').Browser} */
    let browser;
    before(async () => {
      browser = await launch(engine);
    });
    after(() => browser?.close());

    /** One window for each set of options, loaded anew for each test. @type {Map<string, import('../support/browser.mjs').Page>} */
    const pages = new Map();

    /** @param {Partial<import('../support/browser.mjs').PageOptions>} [options] */
    async function open(options = { viewport: TALL }) {
      const key = JSON.stringify(options);
      const page = pages.get(key) ?? (await browser.newPage(options));
      pages.set(key, page);
      await page.goto(`${server.url}/`);
      await page.waitFor(() => document.querySelectorAll('.console').length === 4);
      return page;
    }

    test('the page lists every recorded console and watches from its first script', async () => {
      const page = await open();
      assert.equal(await page.text(part('badge')), 'No failures');
      assert.equal((await page.text(part('capture'))).trim(), 'Watching the main window.');
      assert.equal(
        await page.evaluate(
          () => document.scripts[0].src.endsWith('/install.js') && document.scripts[0].type,
        ),
        'module',
      );
      // The style sheet of the card was adopted although the policy refuses inline styles.
      const radius = await page.evaluate(() => {
        const card = document.querySelector('crypto-diag-card')?.shadowRoot?.querySelector('[part="card"]');
        return card && getComputedStyle(card).borderTopLeftRadius;
      });
      assert.equal(radius, '12px');
      const complaints = page
        .consoleMessages()
        ?.filter(({ type }) => type === 'error' || type === 'pageerror');
      assert.deepEqual(complaints ?? [], []);
    });

    for (const { file, lines, badge, noise, families, entries } of CONSOLES) {
      test(`replaying ${file} at once moves the badge to ${badge}`, async () => {
        const page = await open();
        await replayWhole(page, { file, lines });
        // The card and the list draw in frames of their own: each is awaited, and compared when it has all that it will have.
        const total = Object.values(entries).reduce((sum, count) => sum + count, 0);
        await page.waitFor(
          (/** @type {string} */ text, /** @type {number} */ total) =>
            document.querySelector('crypto-diag-card')?.shadowRoot?.querySelector('[part="badge"]')
              ?.textContent === text &&
            document.querySelector('crypto-diag-entries')?.shadowRoot?.querySelectorAll('li').length ===
              total,
          badge,
          total,
        );
        assert.equal(await page.text(part('noise')), noise);
        const shown = await page.evaluate(() => {
          const tiles =
            document.querySelector('crypto-diag-card')?.shadowRoot?.querySelectorAll('[part="family"]') ?? [];
          return Object.fromEntries(
            [...tiles].map((tile) => [
              tile.getAttribute('data-ke'),
              [...(tile.lastElementChild?.children ?? [])]
                .map((child) => child.textContent)
                .filter(Boolean)
                .join(' '),
            ]),
          );
        });
        assert.deepEqual(shown, families);
        const listed = await page.evaluate(() => {
          const rows =
            document.querySelector('crypto-diag-entries')?.shadowRoot?.querySelectorAll('li') ?? [];
          /** @type {Record<string, number>} */ const sum = {};
          for (const { dataset } of rows) {
            const key = `${dataset.ke} ${dataset.meaning}`;
            sum[key] = (sum[key] ?? 0) + 1;
          }
          return sum;
        });
        assert.deepEqual(listed, entries);
      });
    }

    test('a replayed line reaches the real console with arguments of the recorded kinds', async () => {
      const page = await open();
      await page.evaluate(() => {
        const { warn, info } = console;
        const seen = /** @type {any[]} */ ([]);
        Object.assign(window, { seen });
        console.warn = (...args) => {
          if (args[2])
            seen.push(
              args.map((arg) => (arg instanceof Error ? `Error ${arg.name}: ${arg.message}` : typeof arg)),
            );
          warn(...args);
        };
        console.info = (...args) => {
          if (Array.isArray(args[1])) seen.push(args[1]);
          info(...args);
        };
      });
      await replayWhole(page, CALL);
      await replayWhole(page, SENDER);
      const seen = await page.waitFor(() => {
        const { seen } = /** @type {any} */ (window);
        return seen.length === 7 && seen;
      });
      const timeout = 'Error AbortError: Restart delayed event timed out before the HS responded';
      assert.deepEqual(seen[0], ['string', 'string', timeout]);
      assert.deepEqual(seen[6], ['@alice:localhost/NFQILHVQCC (msgid b4305e2c58c244dea1aaddef5b32ff9d)']);
    });

    test('at its original pace no line is printed before its time', async () => {
      const page = await open();
      const file = 'ke1-second-store-same-device.jsonl';
      // The clock starts before the click, so that a line that is early is early by this clock, too.
      await page.evaluate(() => {
        const printed = /** @type {number[]} */ ([]);
        Object.assign(window, { printed });
        const begun = performance.now();
        for (const level of /** @type {const} */ (['debug', 'info', 'warn', 'error'])) {
          const print = console[level];
          console[level] = (...args) => {
            printed.push(performance.now() - begun);
            print(...args);
          };
        }
      });
      await page.click(replayAtPace(file));
      const [printed, offsets] = await page.waitFor(async () => {
        const { printed } = /** @type {any} */ (window);
        if (printed.length < 80) return false;
        const text = await (await fetch('consoles/ke1-second-store-same-device.jsonl')).text();
        const times = text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).ts);
        return [printed, times.map((ts) => ts - times[0])];
      });
      assert.equal(printed.length, 80);
      const early = offsets.filter(
        (/** @type {number} */ offset, /** @type {number} */ at) => printed[at] < offset,
      );
      assert.deepEqual(early, []);
      assert.ok(offsets.at(-1) === 395, 'the recording is long enough for a pace to show');
    });

    test('a replay at original pace can be stopped, and says how far it came', async () => {
      const page = await open();
      await page.click(replayAtPace(CALL.file));
      await page.waitFor(
        (/** @type {string} */ selector) =>
          Number(document.querySelector(selector)?.getAttribute('value')) > 0,
        `${row(CALL.file)} progress`,
      );
      await page.click(stop(CALL.file));
      const text = await page.waitFor(
        (/** @type {string} */ selector) => {
          const text = document.querySelector(selector)?.textContent ?? '';
          return text.startsWith('Stopped') && text;
        },
        `${row(CALL.file)} [role="status"]`,
      );
      const [, printed] = text.match(/^Stopped after (\d+) of 256 lines\.$/) ?? [];
      assert.ok(Number(printed) > 0 && Number(printed) < 256, text);
      // The player is ready again.
      await replayWhole(page, CALL);
    });

    test('Download report saves a report that holds what was replayed', async () => {
      const page = await open();
      await replayWhole(page, ROLLBACK);
      await page.waitFor(
        () => document.querySelector('crypto-diag-entries')?.shadowRoot?.querySelectorAll('li').length === 16,
      );
      const { name, text } = await page.download(() => page.click(part('download-button')));
      assert.match(name, /^lotus-crypto-diag-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.json$/);
      const report = JSON.parse(text);
      assert.equal(report.schema, 'crypto-diag/report');
      assert.equal(report.userId, '@demo:example.org');
      assert.equal(report.deviceId, 'DEMODEVICE');
      assert.equal(report.sdkVersion, 'demo, no SDK');
      assert.equal(report.capture.state, 'capturing');
      assert.deepEqual(
        report.entries.map((/** @type {any} */ { ke, level, meaning }) => `${ke} ${level} ${meaning}`),
        [
          'KE-3 warn failure',
          ...Array(9).fill('KE-1 error failure'),
          ...Array(3).fill(['OLM warn failure', 'KE-1 error failure']).flat(),
        ],
      );
      assert.match(report.entries[1].message, /One time key signed_curve25519:AAAAAAAAADQ already exists/);
      assert.equal(await page.text(part('feedback')), `Saved as ${name}.`);
    });

    test('a line of one’s own, at a level of one’s own, becomes an entry', async () => {
      const page = await open();
      await page.evaluate(() => {
        /** @type {HTMLSelectElement} */ (document.querySelector('#level')).value = 'warn';
      });
      await page.click('#write button');
      await page.waitFor(
        () => document.querySelector('crypto-diag-entries')?.shadowRoot?.querySelectorAll('li').length === 1,
      );
      await page.click('crypto-diag-entries >>> summary');
      const text = await page.waitFor(
        () =>
          document.querySelector('crypto-diag-entries')?.shadowRoot?.querySelector('.entry-message')
            ?.textContent,
      );
      assert.equal(text, 'missing key at index 3 for participant @user:example.org:DEVICE');
      assert.match(await page.text('crypto-diag-entries >>> [part="entry-body"]'), /console\.warn/);
    });

    test('markup in a line is shown as text, in the list and in the preview', async () => {
      const page = await open();
      const hostile =
        '<img src=x onerror="window.ran = true"><script>window.ran = true</script> missing key at index 1';
      await page.evaluate((/** @type {string} */ line) => {
        /** @type {HTMLTextAreaElement} */ (document.querySelector('#line')).value = line;
      }, hostile);
      await page.click('#write button');
      await page.waitFor(
        () => document.querySelector('crypto-diag-entries')?.shadowRoot?.querySelectorAll('li').length === 1,
      );
      await page.click('crypto-diag-entries >>> summary');
      await page.click(part('preview-button'));
      await page.waitFor(() =>
        document.querySelector('crypto-diag-card')?.shadowRoot?.querySelector('#preview .entry-message'),
      );
      await page.click('crypto-diag-card >>> .preview-content > .fold > summary');
      const found = await page.waitFor(() => {
        const roots = ['crypto-diag-entries', 'crypto-diag-card'].map(
          (name) => document.querySelector(name)?.shadowRoot,
        );
        const texts = roots.map((root) => root?.querySelector('.entry-message')?.textContent);
        const raw = roots[1]?.querySelector('.preview-content > .fold > .raw')?.textContent;
        if (!texts[0] || !texts[1] || !raw) return false;
        return {
          texts,
          inFile: JSON.parse(raw).entries[0].message,
          elements: roots.flatMap((root) => [...(root?.querySelectorAll('img, script') ?? [])]).length,
          ran: 'ran' in window,
        };
      });
      assert.deepEqual(found, { texts: [hostile, hostile], inFile: hostile, elements: 0, ran: false });
    });

    for (const colorScheme of engine === 'chromium' || everything ? SCHEMES : []) {
      test(`axe finds nothing in ${colorScheme}, with entries and the preview open`, async () => {
        const page = await open({ colorScheme, reducedMotion: 'reduce' });
        await replayWhole(page, ROLLBACK);
        await replayWhole(page, CALL);
        await page.waitFor(
          () =>
            document.querySelector('crypto-diag-entries')?.shadowRoot?.querySelectorAll('li').length === 28,
        );
        await page.click('crypto-diag-entries >>> summary');
        await page.click(part('preview-button'));
        await page.waitFor(() =>
          document.querySelector('crypto-diag-card')?.shadowRoot?.querySelector('#preview .entry-message'),
        );
        const { all } = await axe(page);
        assert.deepEqual(all, []);
      });
    }

    test('everything can be done by keyboard: replay, open an entry, download', async () => {
      const page = await open();
      await tabTo(page, 'Replay at once');
      await page.press('Enter');
      await page.waitFor(
        () => document.querySelector('crypto-diag-entries')?.shadowRoot?.querySelectorAll('li').length === 3,
      );
      await tabTo(page, 'KE-1', 'Shift+Tab');
      await page.press('Enter');
      await page.waitFor(
        () =>
          document.querySelector('crypto-diag-entries')?.shadowRoot?.querySelector('.entry-message')
            ?.textContent,
      );
      await tabTo(page, 'Download report', 'Shift+Tab');
      const { text } = await page.download(() => page.press('Enter'));
      assert.equal(JSON.parse(text).entries.length, 3);
    });

    for (const width of [320, 390]) {
      for (const direction of ['ltr', 'rtl']) {
        test(`nothing is cut off or scrolls sideways at ${width} pixels, ${direction}`, async () => {
          const page = await open({ viewport: { width, height: 700 } });
          await page.evaluate((/** @type {string} */ direction) => {
            document.documentElement.dir = direction;
          }, direction);
          await replayWhole(page, CALL);
          // The list is not asked: it is out of sight on a phone, and draws nothing there.
          await page.click(part('preview-button'));
          await page.waitFor(() =>
            document.querySelector('crypto-diag-card')?.shadowRoot?.querySelector('#preview .entry-message'),
          );
          const found = await page.evaluate(() => {
            const root = document.documentElement;
            const inner = document.querySelector('crypto-diag-card')?.shadowRoot;
            const all = [...document.querySelectorAll('body *'), ...(inner?.querySelectorAll('*') ?? [])];
            const outside = all
              .filter((element) => element.checkVisibility() && !element.closest('.skip, .unseen'))
              .filter((element) => {
                const { left, right } = element.getBoundingClientRect();
                return left < -1 || right > innerWidth + 1;
              })
              .map((element) => `${element.localName}.${element.className}`);
            return { width: innerWidth, sideways: root.scrollWidth - root.clientWidth, outside };
          });
          assert.deepEqual(found, { width, sideways: 0, outside: [] });
        });
      }
    }
  });
}

/**
 * Replays a console at once and waits until all of it is printed. What is clicked next would otherwise move under the
 * pointer, when the line that says so appears.
 * @param {import('../support/browser.mjs').Page} page
 * @param {{ file: string, lines: number }} recording
 */
async function replayWhole(page, { file, lines }) {
  await page.click(replay(file));
  await page.waitFor(
    (/** @type {string} */ selector, /** @type {string} */ text) =>
      document.querySelector(selector)?.textContent === text,
    `${row(file)} [role="status"]`,
    `${lines} lines printed.`,
  );
}

/**
 * Presses Tab, or what is given, until the focus is on the element whose text holds the words.
 * @param {import('../support/browser.mjs').Page} page
 * @param {string} words
 * @param {string} [key]
 */
async function tabTo(page, words, key = 'Tab') {
  const passed = [];
  for (let step = 0; step < 60; step++) {
    await page.press(key);
    const text = await page.evaluate(() => {
      let active = document.activeElement;
      while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
      return active?.matches('button, summary, a') ? (active.textContent ?? '') : '';
    });
    if (text.includes(words)) return;
    passed.push(text.slice(0, 30));
  }
  assert.fail(`${key} never came to "${words}", only to ${passed.join(' | ')}`);
}
