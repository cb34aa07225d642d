// @ts-check
// The driver that all other tests in browsers stand on, in every engine.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { axe } from '../support/axe.mjs';
import { engines, launch } from '../support/browser.mjs';
import { folder, serve } from '../../scripts/lib/server.mjs';

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Driver</title>
<h1>Driver</h1>
<p id="count">0</p>
<button id="add">Add</button>
<button id="later" disabled>Later</button>
<button id="far" style="position:absolute;top:3000px">Far</button>
<label>Name <input id="name"></label>
<form id="form"><label>Sent <input id="sent"></label></form>
<label>Files <input id="files" type="file" multiple></label>
<button id="save">Save</button>
<test-card></test-card>
<script>
  window.trusted = [];
  add.onclick = (event) => { trusted.push(event.isTrusted); count.textContent = Number(count.textContent) + 1; };
  later.onclick = () => { count.textContent = 'late'; };
  far.onclick = () => { count.textContent = 'far'; };
  form.onsubmit = (event) => { event.preventDefault(); count.textContent = 'sent ' + sent.value; };
  save.onclick = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([JSON.stringify({ word: 'Schlüssel 🔑' })], { type: 'application/json' }));
    link.download = 'crypto-diag-report.json';
    link.click();
  };
  customElements.define('test-card', class extends HTMLElement {
    connectedCallback() {
      const root = this.attachShadow({ mode: 'open' });
      root.innerHTML = '<button>Inside</button>';
      root.firstChild.onclick = () => { count.textContent = 'inside'; };
    }
  });
  console.warn('a warning', 7);
</script>`;

/** As strict as a page can be that still has its own inline script. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'";

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {string} */
let scratch;

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'crypto-diag-driver-test-'));
  server = await serve(
    { '/': PAGE, '/data.json': '{"data": true}' },
    { headers: { 'content-security-policy': POLICY } },
  );
});

after(async () => {
  await server.close();
  rmSync(scratch, { recursive: true });
});

for (const engine of engines) {
  describe(engine, () => {
    /** @type {import('../support/browser.mjs').Browser} */
    let browser;
    /** @type {import('../support/browser.mjs').Page} */
    let page;

    before(async () => {
      browser = await launch(engine, { downloads: scratch });
      page = await browser.newPage();
      await page.goto(server.url);
    });

    after(() => browser?.close());

    test('the browser says which version it is', () => {
      assert.equal(browser.engine, engine);
      assert.match(browser.version, /^\d+\.\d+/);
    });

    test('a function runs in the page and its promise is awaited', async () => {
      const sum = async (/** @type {number} */ a, /** @type {{ b: number }} */ { b }) => {
        // Longer than a driver's single command may wait.
        await new Promise((resolve) => setTimeout(resolve, 350));
        return { title: document.title, sum: a + b };
      };
      assert.deepEqual(await page.evaluate(sum, 1, { b: 2 }), { title: 'Driver', sum: 3 });
      assert.equal(await page.evaluate('1 + 1'), 2);
      assert.equal(await page.evaluate(() => undefined), undefined);
    });

    test('an error inside the page reaches the test with its name and message', async () => {
      const fail = async () => {
        throw new RangeError('boo');
      };
      await assert.rejects(page.evaluate(fail), { name: 'RangeError', message: 'boo' });
      await assert.rejects(page.evaluate('Promise.reject("a text")'), { message: 'a text' });
      await assert.rejects(page.evaluate('1 +'), /unexpected|expected/i);
    });

    test('a click is a real one', async () => {
      await page.click('#add');
      assert.equal(await page.text('#count'), '1');
      assert.deepEqual(await page.evaluate('trusted'), [true]);
    });

    test('a click waits for a button that is enabled later, and scrolls to one that is far away', async () => {
      await page.evaluate(() => {
        setTimeout(() => document.querySelector('#later')?.removeAttribute('disabled'), 300);
      });
      await page.click('#later');
      assert.equal(await page.text('#count'), 'late');
      await page.click('#far');
      assert.equal(await page.text('#count'), 'far');
      await page.evaluate('scrollTo(0, 0)');
    });

    test('a click that misses a button on the move is made again, and made once', async () => {
      await page.evaluate(() => {
        const clicks = { button: 0, elsewhere: 0 };
        const button = Object.assign(document.createElement('button'), { id: 'fugitive', textContent: 'x' });
        button.style.cssText = 'position: fixed; top: 200px; left: 0; z-index: 9';
        // It goes away when the mouse comes over it: what loads late pushes things about just so. WebKit reports moves of a mouse
        // at rest, too, when the page scrolls below it; those are elsewhere.
        button.addEventListener('mousemove', () => (button.style.top = '300px'), { once: true });
        addEventListener('click', ({ target }) => (target === button ? clicks.button++ : clicks.elsewhere++));
        document.body.append(button);
        Object.assign(globalThis, { clicks });
      });
      await page.click('#fugitive');
      assert.deepEqual(await page.evaluate('clicks'), { button: 1, elsewhere: 1 });
      await page.evaluate(() => document.querySelector('#fugitive')?.remove());
    });

    test('a click is made again where the button moves between the press and the release', async () => {
      await page.evaluate(() => {
        const button = Object.assign(document.createElement('button'), { id: 'fugitive', textContent: 'x' });
        button.style.cssText = 'position: fixed; top: 200px; left: 0; z-index: 9';
        button.addEventListener('mousedown', () => (button.style.top = '300px'), { once: true });
        Object.assign(globalThis, { clicked: 0 });
        button.addEventListener('click', () => /** @type {any} */ (globalThis).clicked++);
        document.body.append(button);
      });
      await page.click('#fugitive');
      assert.equal(await page.evaluate('clicked'), 1);
      await page.evaluate(() => document.querySelector('#fugitive')?.remove());
    });

    test('a click reaches into a shadow root', async () => {
      await page.click('test-card >>> button');
      assert.equal(await page.text('#count'), 'inside');
      assert.equal(await page.text('test-card >>> button'), 'Inside');
    });

    test('text and keys arrive where the user is', async () => {
      await page.type('#name', 'Grüße, A+b');
      assert.equal(await page.evaluate('document.querySelector("#name").value'), 'Grüße, A+b');
      await page.press('Tab');
      assert.equal(await page.evaluate('document.activeElement.id'), 'sent');
      await page.press('x');
      await page.press('Enter');
      assert.equal(await page.text('#count'), 'sent x');
      await page.press('Shift+Tab');
      assert.equal(await page.evaluate('document.activeElement.id'), 'name');
    });

    test('files can be chosen without the dialog', async () => {
      const paths = ['one.json', 'two.log'].map((name) => join(scratch, name));
      for (const path of paths) writeFileSync(path, 'content');
      await page.chooseFiles('#files', paths);
      const names = () => {
        const { files } = /** @type {HTMLInputElement} */ (document.querySelector('#files'));
        return Promise.all([...(files ?? [])].map(async (file) => [file.name, await file.text()]));
      };
      assert.deepEqual(await page.evaluate(names), [
        ['one.json', 'content'],
        ['two.log', 'content'],
      ]);
    });

    test('a blob that the page offers becomes a file', async () => {
      for (const round of ['first', 'second, of the same name']) {
        const file = await page.download(() => page.click('#save'));
        assert.equal(file.name, 'crypto-diag-report.json', round);
        assert.deepEqual(JSON.parse(file.text), { word: 'Schlüssel 🔑' });
        assert.equal(file.path, join(scratch, file.name));
        assert.equal(readFileSync(file.path, 'utf8'), file.text);
        rmSync(file.path);
      }
    });

    test('a screenshot is a PNG of the viewport', async () => {
      const path = join(scratch, `${engine}.png`);
      await page.screenshot(path);
      const png = readFileSync(path);
      assert.equal(png.subarray(1, 4).toString(), 'PNG');
      assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [1280, 720]);
    });

    test('what the page said and asked for is known, or known to be unknown', async () => {
      await page.evaluate(() => fetch('/data.json').then((answer) => answer.json()));
      assert.ok(server.requests.some(({ path }) => path === '/data.json'));
      if (engine === 'webkit') {
        assert.equal(page.consoleMessages(), null);
        assert.equal(page.requests(), null);
        return;
      }
      assert.deepEqual(
        page.consoleMessages()?.filter(({ type }) => type === 'warn'),
        [{ type: 'warn', text: 'a warning 7' }],
      );
      assert.ok(page.requests()?.includes(`${server.url}/data.json`));
    });

    test('a reload gives a fresh page', async () => {
      await page.evaluate('window.stale = true');
      await page.reload();
      assert.equal(await page.evaluate('window.stale'), undefined);
      assert.equal(await page.text('#count'), '0');
    });

    test('two pages are open, visible and at work at once', async () => {
      const phone = await browser.newPage({ viewport: { width: 360, height: 640 } });
      await phone.goto(server.url);
      const listen = () =>
        new Promise((resolve) => {
          const link = new BroadcastChannel('two');
          link.onmessage = ({ data }) => {
            link.postMessage('heard');
            resolve(data);
          };
        });
      const speak = () =>
        new Promise((resolve) => {
          const link = new BroadcastChannel('two');
          link.onmessage = ({ data }) => resolve(data);
          // Repeated, as nobody knows when the other page starts to listen.
          setInterval(() => link.postMessage('hello'), 50);
        });
      // The first page's evaluation ends only when the second page's has run.
      const heard = await Promise.all([page.evaluate(listen), phone.evaluate(speak)]);
      assert.deepEqual(heard, ['hello', 'heard']);
      const view = '[innerWidth, innerHeight, document.visibilityState]';
      assert.deepEqual(await phone.evaluate(view), [360, 640, 'visible']);
      assert.deepEqual(await page.evaluate(view), [1280, 720, 'visible']);
      await phone.type('#name', 'phone');
      await page.type('#name', 'desk');
      assert.equal(await phone.evaluate('document.querySelector("#name").value'), 'phone');
      assert.equal(await page.evaluate('document.querySelector("#name").value'), 'desk');
      await phone.close();
      assert.equal(await page.evaluate('document.title'), 'Driver');
    });

    test('a page has the display preferences that were asked for', async () => {
      const media = () => [
        matchMedia('(prefers-color-scheme: dark)').matches,
        matchMedia('(prefers-reduced-motion: reduce)').matches,
      ];
      const night = await browser.newPage({ colorScheme: 'dark', reducedMotion: 'reduce' });
      assert.deepEqual(await night.evaluate(media), [true, true]);
      assert.deepEqual(await page.evaluate(media), [false, false]);
      await night.close();
    });

    test('axe finds the contrast that is too low, and nothing where all is well', async () => {
      assert.deepEqual((await axe(page)).serious, []);
      await page.evaluate(() => document.querySelector('h1')?.setAttribute('style', 'color: #ddd'));
      const { serious } = await axe(page);
      assert.deepEqual(
        serious.map(({ id, nodes }) => [id, nodes[0].target]),
        [['color-contrast', 'h1']],
      );
    });

    test('an address that nobody serves is an error', async () => {
      const closed = await serve({});
      await closed.close();
      await assert.rejects(page.goto(closed.url));
    });
  });
}

test('a wait that ends in vain names what was awaited', async (t) => {
  const browser = await launch('chromium', { waitMs: 500 });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await assert.rejects(
    page.waitFor((/** @type {number} */ n) => n > 5, 3),
    /waited 0\.5 s for .*n > 5 with \[3\]; the last answer was false/,
  );
  await page.goto('data:text/html,<button>A</button><div id=veil style="position:fixed;inset:0">');
  await assert.rejects(page.click('button'), /click button: .*covered by <div id="veil">/);
});

test('a browser that is missing is named, with the command that installs it', async (t) => {
  for (const [engine, variable, apt] of /** @type {const} */ ([
    ['chromium', 'CRYPTO_DIAG_CHROMIUM', 'chromium'],
    ['firefox', 'CRYPTO_DIAG_FIREFOX', 'firefox-esr'],
    ['webkit', 'CRYPTO_DIAG_MINIBROWSER', 'webkit2gtk-driver'],
  ])) {
    const before = process.env[variable];
    process.env[variable] = '/nowhere/browser';
    t.after(() => {
      if (before === undefined) delete process.env[variable];
      else process.env[variable] = before;
    });
    await assert.rejects(
      launch(engine),
      new RegExp(`is missing .*/nowhere/browser.*${variable}.*apt-get install ${apt}`),
    );
  }
});

test('the server gives files their types, and nothing from outside its folder', async (t) => {
  const root = mkdtempSync(join(scratch, 'root-'));
  const names = readdirSync(scratch);
  assert.ok(names.length > 0 && existsSync(root));
  for (const name of ['index.html', 'a.wasm', 'a.mjs', 'a.mjs.map']) writeFileSync(join(root, name), name);
  writeFileSync(join(scratch, 'secret.txt'), 'secret');
  const files = await serve(
    { '/files/': folder(root), '/hello': 'Hello' },
    { headers: { 'x-extra': 'yes' } },
  );
  t.after(() => files.close());

  const types = await Promise.all(
    ['files/', 'files/a.wasm', 'files/a.mjs', 'files/a.mjs.map', 'hello'].map(async (path) => {
      const answer = await fetch(`${files.url}/${path}`);
      assert.equal(answer.headers.get('x-extra'), 'yes');
      return answer.headers.get('content-type');
    }),
  );
  assert.deepEqual(types, [
    'text/html; charset=utf-8',
    'application/wasm',
    'text/javascript; charset=utf-8',
    'application/json',
    'text/html; charset=utf-8',
  ]);
  for (const path of ['..%2fsecret.txt', '%2e%2e/secret.txt', '..%5csecret.txt', '%00', '%zz', 'no.txt']) {
    assert.equal((await fetch(`${files.url}/files/${path}`)).status, 404, path);
  }
});
