// @ts-check
// <crypto-diag-card> in a page of its own under a strict Content Security Policy and Trusted Types, in every engine.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { engines, launch } from '../support/browser.mjs';
import { folder, serve } from '../../scripts/lib/server.mjs';

const PACKAGE = fileURLToPath(new URL('../../pkg/dist', import.meta.url));

/** @param {string} scripts */
const policy = (scripts) =>
  `default-src 'none'; script-src ${scripts}; style-src 'self'; connect-src 'none'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; ` +
  "require-trusted-types-for 'script'; trusted-types 'none'";

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Card</title><script type="module" src="/test.js"></script></head>
<body><h1>Card</h1><crypto-diag-card></crypto-diag-card><crypto-diag-entries></crypto-diag-entries></body></html>`;

/** Gives the tests what they need: the package, and every violation of the policy. */
const SCRIPT = `
window.violations = [];
document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
  violations.push(effectiveDirective + ' ' + blockedURI);
});
window.diag = await import('/pkg/index.js');
diag.install();
// A property that is set before the element is defined must not be lost.
document.querySelector('crypto-diag-card').client = { getUserId: () => '@early:example.org' };
window.cards = await import('/pkg/card.js');
// Two frames: what one frame asks for is drawn in the next.
window.drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));
window.fail = (count, index = 0) => {
  for (let line = 0; line < count; line++) console.error('One time key signed_curve25519:' + (index + line) + ' already exists');
};
window.ready = true;
`;

const part = (/** @type {string} */ name) => `crypto-diag-card >>> [part~="${name}"]`;

/** What the tests' pages have in their window; the functions below run there. @type {any} */
let window;
/** @type {any} */
let document;

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {Awaited<ReturnType<typeof serve>>} */
let serverWithoutWasm;

before(async () => {
  const content = { '/': PAGE, '/test.js': SCRIPT, '/frame.html': '<p>A call</p>', '/pkg/': folder(PACKAGE) };
  server = await serve(content, {
    headers: { 'content-security-policy': policy("'self' 'wasm-unsafe-eval'") },
  });
  serverWithoutWasm = await serve(content, { headers: { 'content-security-policy': policy("'self'") } });
});
after(async () => {
  await server?.close();
  await serverWithoutWasm?.close();
});

test('a server that renders pages can import the card', async () => {
  const { CryptoDiagCard } = await import(new URL('../../pkg/dist/card.js', import.meta.url).href);
  assert.equal(typeof CryptoDiagCard, 'function');
});

for (const engine of engines) {
  describe(`the card in ${engine}`, () => {
    /** @type {import('../support/browser.mjs').Browser} */
    let browser;
    /** @type {import('../support/browser.mjs').Page} */
    let page;
    before(async () => {
      browser = await launch(engine);
      page = await browser.newPage();
    });
    after(() => browser?.close());

    async function open(origin = server.url) {
      await page.goto(`${origin}/`);
      await page.waitFor(() => window.ready);
    }

    /** @param {string} text */
    const badgeSays = (text) =>
      page.waitFor(
        (/** @type {string} */ text) =>
          document.querySelector('crypto-diag-card').shadowRoot.querySelector('[part="badge"]')
            .textContent === text,
        text,
      );

    test('a strict policy with Trusted Types finds nothing to refuse, and the card is styled', async () => {
      await open();
      await page.evaluate(() => window.fail(2));
      await badgeSays('2 failures');
      await page.click(part('preview-button'));
      await page.waitFor(() =>
        document.querySelector('crypto-diag-card').shadowRoot.querySelector('#preview .entry-message'),
      );
      const found = await page.evaluate(() => {
        const { shadowRoot } = document.querySelector('crypto-diag-card');
        return {
          display: getComputedStyle(shadowRoot.querySelector('[part="card"]')).display,
          inline: shadowRoot.querySelectorAll('style, [style]').length,
          violations: window.violations,
        };
      });
      assert.deepEqual(found, { display: 'flex', inline: 0, violations: [] });
    });

    test('the policy of this page does refuse what the card avoids', async () => {
      await open();
      const refused = await page.waitFor(() => {
        const style = document.createElement('style');
        style.textContent = 'h1 { color: red }';
        document.head.append(style);
        let threw = false;
        try {
          document.querySelector('h1').innerHTML = '<b>markup</b>';
        } catch {
          threw = true;
        }
        return window.violations.some((/** @type {string} */ one) => one.startsWith('style-src')) && threw;
      });
      assert.equal(refused, true);
    });

    test('a client that was set before the element was defined is asked for its ids', async () => {
      await open();
      const { text } = await page.download(() => page.click(part('download-button')));
      assert.equal(JSON.parse(text).userId, '@early:example.org');
    });

    test('failures are prominent, noise is quiet, and each family has its line', async () => {
      await open();
      await page.evaluate(() => {
        window.fail(2);
        console.warn('missing key at index 3 for participant @user:example.org:DEVICE');
        console.warn('room already exists');
      });
      await badgeSays('2 failures');
      assert.equal(await page.text(part('noise')), '1 transient · 1 unrelated line');
      const families = await page.evaluate(() => {
        const shown = [
          ...document.querySelector('crypto-diag-card').shadowRoot.querySelectorAll('[part="family"]'),
        ];
        return {
          shown: shown.map(({ dataset }) => dataset.ke),
          counted: Object.keys(window.diag.getCounts().byKe),
        };
      });
      assert.deepEqual(families.shown, families.counted);
      assert.match(
        await page.text(`crypto-diag-card >>> [data-ke="KE-1"]`),
        /One-time key conflicts\s+2 failures/,
      );
    });

    test('Clear asks for a second click, and Escape takes the first one back', async () => {
      await open();
      await page.evaluate(() => window.fail(3));
      await badgeSays('3 failures');
      await page.click(part('clear-button'));
      assert.equal(await page.text(part('clear-button')), 'Really clear?');
      assert.match(await page.text(part('feedback')), /^3 lines of evidence will be gone/);
      assert.equal(await page.evaluate(() => window.diag.getCounts().total), 3);

      await focus(page, 'clear-button');
      await page.press('Escape');
      assert.equal(await page.text(part('clear-button')), 'Clear');
      await page.press('Enter');
      assert.equal(await page.text(part('clear-button')), 'Really clear?');
      assert.equal(await page.evaluate(() => window.diag.getCounts().total), 3);

      await page.press('Enter');
      await badgeSays('No failures');
      assert.equal(await page.text(part('feedback')), 'Cleared.');
      assert.equal(await page.evaluate(() => window.diag.getEntries().length), 0);
    });

    test('the preview and Clear speak of an earlier page, also where this one has no line', async () => {
      await open();
      await page.evaluate(async (/** @type {string} */ kept) => {
        sessionStorage.clear();
        const { keepPages } = await import(kept);
        window.diag.uninstall();
        window.diag.install({ keep: keepPages });
        window.fail(1);
        window.diag.getEntries();
        dispatchEvent(new Event('pagehide'));
      }, '/pkg/keep.js');
      await open();
      await page.evaluate(async (/** @type {string} */ kept) => {
        const { keepPages, observeClient } = await import(kept);
        document.querySelector('crypto-diag-card').client = null;
        observeClient(null);
        window.diag.uninstall();
        window.diag.install({ keep: keepPages });
      }, '/pkg/keep.js');
      await page.click(part('preview-button'));
      await page.waitFor(() =>
        document
          .querySelector('crypto-diag-card')
          .shadowRoot.querySelector('.preview-redactions')
          ?.textContent.startsWith('It also holds 1 earlier page of this tab.'),
      );
      await page.click(part('clear-button'));
      assert.match(
        await page.text(part('feedback')),
        /What was kept of earlier pages of this tab goes, too\.$/,
      );
      await page.click(part('clear-button'));
      await page.waitFor(() => sessionStorage.length === 0);
      assert.equal(await page.text(part('feedback')), 'Cleared.');
    });

    test('a double click on Clear, or a click elsewhere in between, clears nothing', async () => {
      await open();
      await page.evaluate(() => window.fail(3));
      await badgeSays('3 failures');
      await page.evaluate(() => {
        const button = document
          .querySelector('crypto-diag-card')
          .shadowRoot.querySelector('[part~="clear-button"]');
        for (const detail of [1, 2]) {
          button.dispatchEvent(new MouseEvent('click', { detail, bubbles: true, composed: true }));
        }
      });
      assert.equal(await page.evaluate(() => window.diag.getCounts().total), 3);
      await page.click('h1');
      assert.equal(await page.text(part('clear-button')), 'Clear');
      assert.equal(await page.evaluate(() => window.diag.getCounts().total), 3);
    });

    test('the preview shows what the download holds, and what was redacted', async () => {
      await open();
      await page.evaluate(() => {
        console.error(
          'DecryptionError at https://example.org/x?access_token=syt_YWxpY2U_abcdefghijklmnop_1a2b3c',
        );
      });
      await badgeSays('1 failure');
      await page.click(part('preview-button'));
      const shown = await page.waitFor(() => {
        const preview = document.querySelector('crypto-diag-card').shadowRoot.querySelector('#preview');
        const message = preview.querySelector('.entry-message');
        return (
          message && {
            message: message.textContent,
            redactions: preview.querySelector('.preview-redactions').textContent,
            ofEntry: preview.querySelector('.entry-redactions').textContent,
            folds: [...preview.querySelectorAll('summary')].map((summary) => summary.textContent),
            expanded: document
              .querySelector('crypto-diag-card')
              .shadowRoot.querySelector('[part~="preview-button"]')
              .getAttribute('aria-expanded'),
          }
        );
      });
      assert.doesNotMatch(shown.message, /syt_|abcdefgh/);
      assert.equal(
        shown.redactions,
        '1 thing that could be a secret was closed. In what is shown here: behind a secret’s name: 1.',
      );
      assert.equal(shown.ofEntry, '1 secret replaced');
      assert.equal(shown.expanded, 'true');
      assert.ok(shown.folds.includes('Requests to the homeserver: kind, time and status, no addresses'));
      const { text } = await page.download(() => page.click(part('download-button')));
      assert.equal(JSON.parse(text).entries[0].message, shown.message);
    });

    test('the capture’s state is said in a sentence: call frames, and blindness', async () => {
      await open();
      await page.evaluate(async () => {
        const frame = document.createElement('iframe');
        const loaded = new Promise((done) => frame.addEventListener('load', done));
        frame.src = '/frame.html';
        document.body.append(frame);
        await loaded;
        frame.contentWindow.console.error('DecryptionError in the frame');
      });
      await badgeSays('1 failure');
      assert.equal((await page.text(part('capture'))).trim(), 'Watching the main window and 1 call frame.');

      await open(serverWithoutWasm.url);
      // WebKit compiles a module without code under any policy, so there the first line tells.
      await page.evaluate(() => console.error('DecryptionError where nothing can be compiled'));
      const sentence = await page.waitFor(() => {
        const capture = document
          .querySelector('crypto-diag-card')
          .shadowRoot.querySelector('[part="capture"]');
        const text = (capture.textContent ?? '').trim();
        return text.startsWith('Blind') && text;
      });
      assert.match(sentence, /^Blind; no line is kept\. The browser refused to compile the core/);
    });

    test('Copy server queries is there only with an analysis, and shows the text where the clipboard is closed', async () => {
      await open();
      assert.equal(await isVisible(page, 'copyQueries-button'), false);
      assert.equal(await isVisible(page, 'analysis'), false);
      await page.evaluate(() => {
        const refuse = () => Promise.reject(new Error('not allowed'));
        Object.defineProperty(navigator, 'clipboard', { value: { writeText: refuse }, configurable: true });
        document.querySelector('crypto-diag-card').analysis = {
          sentence: (/** @type {string} */ report) =>
            `Looked at ${JSON.parse(report).entries.length} entries.`,
          serverQueries: async (/** @type {string} */ report) => `-- for ${JSON.parse(report).userId}`,
        };
      });
      await page.waitFor(
        () =>
          document.querySelector('crypto-diag-card').shadowRoot.querySelector('[part="analysis"]')
            .innerText === 'Looked at 0 entries.',
      );
      await page.click(part('copyQueries-button'));
      const shown = await page.waitFor(() => {
        const area = document.querySelector('crypto-diag-card').shadowRoot.querySelector('textarea');
        return area.checkVisibility() && area.value;
      });
      assert.equal(shown, '-- for @early:example.org');

      await page.evaluate(() => {
        const writeText = (/** @type {string} */ text) => Promise.resolve((window.copied = text));
        Object.defineProperty(navigator, 'clipboard', { value: { writeText }, configurable: true });
      });
      await page.click(part('copyQueries-button'));
      assert.equal(await page.waitFor(() => window.copied), '-- for @early:example.org');
      await page.waitFor(
        () =>
          !document.querySelector('crypto-diag-card').shadowRoot.querySelector('textarea').checkVisibility(),
      );
      assert.equal(await page.text(part('feedback')), 'Server queries copied.');
    });

    test('a user starts a session, marks what goes wrong, closes and opens the card meanwhile, and the report holds it', async () => {
      await open();
      assert.equal(await isVisible(page, 'sessionAudioCut-button'), false);
      await page.click(part('sessionStart-button'));
      await page.click(part('sessionAudioCut-button'));
      // The same by the keyboard, whatever has the focus.
      await page.press('Alt+Shift+2');
      await page.type(part('session-words'), 'Bob');
      await page.click(part('sessionNoSound-button'));
      const secret = 'access token is syt_Ym9i_KdkbRqmcvOeAKKdmGmRC_2hZnWf';
      await page.type(part('session-words'), secret);
      await page.press('Enter');
      // Settings are closed and opened again during a call, and the card with them.
      await page.evaluate(() => {
        const card = document.querySelector('crypto-diag-card');
        card.remove();
        document.body.append(document.createElement('crypto-diag-card'));
      });
      await page.waitFor(() =>
        document
          .querySelector('crypto-diag-card')
          .shadowRoot.querySelector('[part~="sessionEnd-button"]')
          .checkVisibility(),
      );
      await page.click(part('sessionEnd-button'));
      assert.equal(await page.text(part('feedback')), 'The session has ended. Download the report now.');
      assert.equal(await isVisible(page, 'sessionAudioCut-button'), false);
      /** @type {{ shown: string[], marks: import('../../pkg/src/index.d.ts').Mark[] }} */
      const { shown, marks } = await page.evaluate(async () => {
        const root = document.querySelector('crypto-diag-card').shadowRoot;
        const items = [...root.querySelectorAll('[part="marks"] bdi')];
        const { marks } = JSON.parse(await window.diag.collectReport(null));
        return { shown: items.map((item) => item.textContent), marks };
      });
      assert.deepEqual(
        marks.map(({ kind, label }) => [kind, label]),
        [
          ['start', ''],
          ['symptom', 'Audio cut'],
          ['symptom', 'Video froze'],
          ['symptom', 'no sound from Bob'],
          ['symptom', 'access token is [closed]'],
          ['end', ''],
        ],
      );
      assert.deepEqual(shown.slice(1, 5), [
        'Audio cut',
        'Video froze',
        'no sound from Bob',
        'access token is [closed]',
      ]);
      assert.ok(marks.every(({ ts }, at) => ts > 1.7e12 && (at === 0 || ts >= marks[at - 1].ts)));

      await page.evaluate(() => {
        const writeText = (/** @type {string} */ text) => Promise.resolve((window.asked = text));
        Object.defineProperty(navigator, 'clipboard', { value: { writeText }, configurable: true });
      });
      await page.click(part('sessionAskOther-button'));
      const minute = (/** @type {number} */ ts) => new Date(ts).toISOString().slice(0, 16).replace('T', ' ');
      const asked = await page.waitFor(() => window.asked);
      assert.ok(asked.includes(`between ${minute(marks[0].ts)} and ${minute(marks[5].ts)} (UTC)`), asked);

      await page.evaluate(() => window.diag.clear());
      assert.deepEqual(await page.evaluate(() => window.diag.getMarks()), []);
    });

    test('an application’s own texts, with the plural forms of its language, replace the English ones', async () => {
      await open();
      const said = await page.evaluate(async () => {
        document.documentElement.lang = 'pl';
        window.cards.setStrings({
          failures: { one: '{count} błąd', few: '{count} błędy', other: '{count} błędów' },
        });
        const card = document.querySelector('crypto-diag-card');
        card.strings = { download: 'Pobierz raport' };
        const root = card.shadowRoot;
        const counts = [];
        for (const total of [1, 2, 5]) {
          window.fail(total - window.diag.getCounts().total);
          // The capture tells its listeners once for each burst, then the card draws in the next frame.
          await new Promise((done) => {
            const look = () =>
              root.querySelector('[part="badge"]').textContent.startsWith(`${total} `)
                ? done(0)
                : requestAnimationFrame(look);
            look();
          });
          counts.push(root.querySelector('[part="badge"]').textContent);
        }
        return { counts, button: root.querySelector('[part~="download-button"]').textContent };
      });
      assert.deepEqual(said, { counts: ['1 błąd', '2 błędy', '5 błędów'], button: 'Pobierz raport' });
    });

    test('a screen reader is told politely, once for many lines', async () => {
      await open();
      const told = await page.evaluate(async () => {
        const region = [
          ...document.querySelector('crypto-diag-card').shadowRoot.querySelectorAll('[role="status"]'),
        ].at(-1);
        const said = /** @type {string[]} */ ([]);
        const last = '20 failures. KE-1: 20 failures';
        const enough = new Promise((done) => {
          new MutationObserver(() => {
            said.push(region.textContent);
            if (region.textContent === last) done(0);
          }).observe(region, { childList: true, characterData: true, subtree: true });
        });
        for (let burst = 0; burst < 20; burst++) {
          window.fail(1, burst);
          await window.drawn();
        }
        await enough;
        return said;
      });
      assert.equal(told.at(-1), '20 failures. KE-1: 20 failures');
      // Usually one sentence; on a machine so slow that the bursts take longer than the calm, a few.
      assert.ok(told.length < 10, `${told.length} announcements of 20 changes`);
    });

    for (const [how, hide, show] of /** @type {[string, () => void, () => void][]} */ ([
      [
        'taken out of sight by the application',
        () => {
          for (const element of document.querySelectorAll('crypto-diag-card, crypto-diag-entries'))
            element.hidden = true;
        },
        () => {
          for (const element of document.querySelectorAll('crypto-diag-card, crypto-diag-entries'))
            element.hidden = false;
        },
      ],
      [
        'far down the page',
        () => {
          const space = Object.assign(document.createElement('div'), { id: 'space' });
          space.style.height = '9000px';
          document.querySelector('h1').after(space);
        },
        () => document.querySelector('#space').remove(),
      ],
      [
        'in a tab behind others',
        () => {
          Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        },
        () => {
          delete document.visibilityState;
          document.dispatchEvent(new Event('visibilitychange'));
        },
      ],
    ])) {
      test(`a card that is ${how} draws nothing, and is up to date when it is seen again`, async () => {
        await open();
        await page.evaluate(() => window.fail(1));
        await badgeSays('1 failure');
        await page.evaluate(hide);
        // The observer of visibility reports with a frame; nobody can ask it whether it has.
        const drawn = await page.evaluate(async () => {
          await window.drawn();
          await window.drawn();
          let drawn = 0;
          const observer = new MutationObserver((changes) => (drawn += changes.length));
          for (const name of ['crypto-diag-card', 'crypto-diag-entries']) {
            const { shadowRoot } = document.querySelector(name);
            observer.observe(shadowRoot, {
              subtree: true,
              childList: true,
              characterData: true,
              attributes: true,
            });
          }
          const told = new Promise((done) => window.diag.subscribe(done));
          window.fail(500);
          await told;
          for (let frame = 0; frame < 5; frame++) await window.drawn();
          observer.disconnect();
          return drawn;
        });
        assert.equal(drawn, 0);
        await page.evaluate(show);
        await badgeSays('501 failures');
        await page.waitFor(
          () =>
            document.querySelector('crypto-diag-entries').shadowRoot.querySelectorAll('li').length === 200,
        );
      });
    }

    test('in a storm the card draws at most once per frame, keeps 200 rows, and ends on the exact count', async () => {
      await open();
      const found = await page.evaluate(async () => {
        const badge = document.querySelector('crypto-diag-card').shadowRoot.querySelector('[part="badge"]');
        let frames = 0;
        let over = false;
        const tick = () => {
          frames++;
          if (!over) requestAnimationFrame(tick);
        };
        requestAnimationFrame(tick);
        let draws = 0;
        new MutationObserver(() => draws++).observe(badge, {
          childList: true,
          characterData: true,
          subtree: true,
        });
        let told = 0;
        window.diag.subscribe(() => told++);
        let most = 0;
        const list = document.querySelector('crypto-diag-entries').shadowRoot;
        // Each line in a task of its own: the capture tells of each, far more often than there are frames.
        const { port1, port2 } = new MessageChannel();
        for (let line = 0; line < 3000; line++) {
          window.fail(1, line);
          await new Promise((done) => {
            port1.onmessage = done;
            port2.postMessage(0);
          });
          most = Math.max(most, list.querySelectorAll('li').length);
        }
        await new Promise((done) => {
          const look = () => (badge.textContent === '3,000 failures' ? done(0) : requestAnimationFrame(look));
          look();
        });
        over = true;
        most = Math.max(most, list.querySelectorAll('li').length);
        return { badge: badge.textContent, most, frames, draws, told };
      });
      assert.equal(found.badge, '3,000 failures');
      assert.equal(found.most, 200);
      assert.ok(
        found.told > found.frames,
        `told only ${found.told} times in ${found.frames} frames: no storm`,
      );
      assert.ok(found.draws <= found.frames + 1, `${found.draws} drawings in ${found.frames} frames`);
    });

    test('rows of entries that stay are the same elements, and stay open', async () => {
      await open();
      await page.evaluate(() => window.fail(2));
      await badgeSays('2 failures');
      await page.click('crypto-diag-entries >>> summary');
      const same = await page.evaluate(async () => {
        const list = document.querySelector('crypto-diag-entries').shadowRoot;
        const [newest, oldest] = list.querySelectorAll('li');
        window.fail(3, 2);
        while (list.querySelectorAll('li').length !== 5) await window.drawn();
        const rows = [...list.querySelectorAll('li')];
        return {
          newest: rows.indexOf(newest),
          oldest: rows.indexOf(oldest),
          open: newest.firstElementChild.open,
        };
      });
      assert.deepEqual(same, { newest: 3, oldest: 4, open: true });
    });

    test('an open row stays with its entry while a storm changes the others', async () => {
      await open();
      await page.evaluate(() => console.warn('DecryptionError that somebody reads'));
      await badgeSays('1 failure');
      await page.click('crypto-diag-entries >>> summary');
      await page.evaluate(() => {
        document.querySelector('h1').tabIndex = -1;
        document.querySelector('h1').focus();
        window.fail(1000);
      });
      await badgeSays('1,001 failures');
      await page.evaluate(() => window.fail(1000, 1000));
      await badgeSays('2,001 failures');
      const [first, ...others] = await page.waitFor(() => {
        const rows = [...document.querySelector('crypto-diag-entries').shadowRoot.querySelectorAll('li')];
        const newest = rows[0].querySelector('.entry-excerpt').textContent;
        if (!newest.includes('signed_curve25519:1999 ')) return false;
        return rows
          .filter((row) => row.firstElementChild.open)
          .map((row) => row.querySelector('.entry-message').textContent);
      });
      assert.deepEqual([first, others], ['DecryptionError that somebody reads', []]);
    });

    test('theme and variables of the application decide the colours', async () => {
      await open();
      const colours = await page.evaluate(() => {
        const host = document.querySelector('crypto-diag-card');
        const card = host.shadowRoot.querySelector('[part="card"]');
        const read = () => getComputedStyle(card).backgroundColor;
        const byDefault = read();
        host.setAttribute('theme', 'dark');
        const dark = read();
        host.style.setProperty('--crypto-diag-surface', 'rgb(1, 2, 3)');
        return { byDefault, dark, own: read() };
      });
      assert.deepEqual(colours, {
        byDefault: 'rgb(255, 255, 255)',
        dark: 'rgb(30, 31, 37)',
        own: 'rgb(1, 2, 3)',
      });
    });
  });
}

/**
 * Puts the focus on a button, which Safari does not do at a click.
 * @param {import('../support/browser.mjs').Page} page
 * @param {string} name
 */
function focus(page, name) {
  return page.evaluate((/** @type {string} */ name) => {
    document.querySelector('crypto-diag-card').shadowRoot.querySelector(`[part~="${name}"]`).focus();
  }, name);
}

/**
 * @param {import('../support/browser.mjs').Page} page
 * @param {string} name
 */
function isVisible(page, name) {
  return page.evaluate(
    (/** @type {string} */ name) =>
      document
        .querySelector('crypto-diag-card')
        .shadowRoot.querySelector(`[part~="${name}"]`)
        .checkVisibility(),
    name,
  );
}
