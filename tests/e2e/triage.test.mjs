// @ts-check
// The offline triage page, as it is built, in every engine: its answers are the command line's, and nothing leaves it.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { SCHEMES, axe } from '../support/axe.mjs';
import { engines, launch } from '../support/browser.mjs';
import { everything } from '../support/matrix.mjs';
import { commandLine as builtCommandLine } from '../../scripts/lib/host-program.mjs';
import { outcome, temporaryFolder } from '../../scripts/lib/process.mjs';
import { root } from '../../scripts/lib/project.mjs';
import { listen, serve } from '../../scripts/lib/server.mjs';
import { WAIT_MS, until } from '../../scripts/lib/wait.mjs';

const PAGE = join(root, 'www/dist/triage.html');
const FIXTURES = join(root, 'tests/fixtures');
const BUNDLES = join(FIXTURES, 'bundles');

/** What lies in `tests/fixtures/packed`, by the names that answers have. */
const PACKED = [
  's01.log.zst',
  's10.log.xz',
  's11.log.bz2',
  'shake.tar.gz/shake/details.json',
  'shake.tar.gz/shake/logs.2026-11-23-08.log.gz',
  'attached.zip/console.txt',
  'attached.zip/h04.har',
  'attached.zip/answers.zip/p02-pgcli.txt',
];

/** Markup that would run a script, wherever a file can say something. */
const HOSTILE = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';

/** The command line's program. */
const program = builtCommandLine();

const scratch = temporaryFolder('triage');
after(() => scratch.remove());

/** A bundle's files, without some. @param {string} bundle @param {...string} without */
const filesOf = (bundle, ...without) =>
  readdirSync(join(BUNDLES, bundle))
    .filter((name) => !without.includes(name))
    .map((name) => join(BUNDLES, bundle, name));

/**
 * What the command line says to these files.
 * @param {'json' | 'html' | 'markdown' | 'sarif' | 'svg'} format
 * @param {string[]} files or options before them
 */
function commandLine(format, files) {
  const args = ['triage', '--format', format, ...files];
  const { code, stdout, stderr } = outcome(program, args);
  assert.ok([0, 1, 2, 3].includes(code ?? -1) && stdout, `${program} triage failed: ${stderr}`);
  return stdout;
}

/** Whether the page's text is the command line's, without printing all of both. @param {string} page @param {string} line */
function same(page, line) {
  const at = page.split('').findIndex((character, at) => character !== line[at]);
  const around = (/** @type {string} */ text) => text.slice(Math.max(0, at - 80), at + 80);
  assert.ok(page === line, `at ${at} the page has …${around(page)}… and the command line …${around(line)}…`);
}

/** A file that only this test needs. @param {string} name @param {string | Buffer} content */
function made(name, content) {
  const path = join(scratch.path, name);
  writeFileSync(path, content);
  return path;
}

/** Lines of a homeserver's log; no two requests are the same. @param {number} lines */
function logOf(lines) {
  const parts = [];
  for (let line = 0; line < lines; line++) {
    const time = new Date(Date.UTC(2026, 10, 23, 8) + line * 20)
      .toISOString()
      .replace('T', ' ')
      .replace('.', ',');
    parts.push(
      `${time.slice(0, 23)} - synapse.access.http.8008 - 643 - INFO - GET-${line} - 127.0.0.1 - 8008 - {@alice:localhost} ` +
        `Processed request: 0.001sec/0.000sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 5B 200 ` +
        `"GET /_matrix/client/v3/sync?since=s${line}&timeout=30000 HTTP/1.1" "Mozilla/5.0 (X11; Linux x86_64)" [0 dbevts]\n`,
    );
  }
  return parts.join('');
}

/**
 * A server that counts whoever connects, whatever they say, and remembers the paths they ask for.
 */
async function listener() {
  /** @type {Set<string>} */
  const paths = new Set();
  let connections = 0;
  let bytes = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      bytes += data.length;
      paths.add(data.toString('latin1').split(' ')[1]?.split('?')[0]?.slice(1) ?? '');
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
  });
  const { port, close } = await listen(server);
  return {
    host: `127.0.0.1:${port}`,
    paths,
    connections: () => connections,
    bytes: () => bytes,
    close,
  };
}

/**
 * Tries every way out of a page or a worker. Runs there, so it uses nothing outside itself. Each try ends by itself, or is no
 * longer waited for after two seconds; the answer has the name of each.
 * @param {string} host
 * @param {string} frameHost of what is tried with a frame
 * @param {string} from
 */
async function tryEverything(host, frameHost, from) {
  const at = (/** @type {string} */ name, of = host) => `http://${of}/${from}-${name}`;
  const settled = (/** @type {EventTarget} */ target, /** @type {string[]} */ ...events) =>
    new Promise((done) => events.forEach((event) => target.addEventListener(event, done)));
  /** @type {Record<string, () => unknown>} */
  const tries = {
    fetch: () => fetch(at('fetch'), { mode: 'no-cors' }),
    xhr: () => {
      const request = new XMLHttpRequest();
      request.open('GET', at('xhr'));
      request.send();
      return settled(request, 'loadend');
    },
    websocket: () => settled(new WebSocket(`ws://${host}/${from}-websocket`), 'error', 'close'),
    eventsource: () => settled(new EventSource(at('eventsource')), 'error'),
    import: () => import(at('import')),
  };
  if (typeof document === 'undefined') {
    tries.importscripts = () => /** @type {any} */ (globalThis).importScripts(at('importscripts'));
  } else {
    const loaded = (
      /** @type {string} */ name,
      /** @type {string} */ attribute,
      /** @type {string} */ which,
    ) => {
      const element = document.createElement(name);
      if (name === 'link') element.setAttribute('rel', 'stylesheet');
      element.setAttribute(attribute, at(which));
      document.head.append(element);
      return settled(element, 'load', 'error');
    };
    tries.beacon = () => navigator.sendBeacon(at('beacon'), 'x');
    tries.image = () => {
      const image = new Image();
      image.src = at('image');
      return settled(image, 'load', 'error');
    };
    tries.script = () => loaded('script', 'src', 'script');
    tries.style = () => loaded('link', 'href', 'style');
    tries.frame = () => {
      const frame = document.createElement('iframe');
      frame.src = at('frame', frameHost);
      document.body.append(frame);
      return settled(frame, 'load', 'error');
    };
    tries.form = () => {
      const frame = document.createElement('iframe');
      frame.name = 'answer';
      const form = document.createElement('form');
      Object.assign(form, { action: at('form', frameHost), method: 'post', target: 'answer' });
      document.body.append(frame, form);
      form.submit();
      return settled(frame, 'load');
    };
    tries.font = () => new FontFace('probe', `url(${at('font')})`).load();
    tries.video = () => {
      const video = document.createElement('video');
      video.src = at('video');
      return settled(video, 'error');
    };
  }
  const names = Object.keys(tries);
  await Promise.all(
    names.map(async (name) => {
      const late = new Promise((done) => setTimeout(done, 2000));
      try {
        await Promise.race([tries[name](), late]);
      } catch {
        // Refused, as it should be.
      }
    }),
  );
  return names;
}

/**
 * Has the page's own worker run something before it does what it is for. Runs in the page.
 * @param {string} source a function that gives a promise
 * @param {string} args as JSON
 */
function holdWorkers(source, args) {
  const first = `{
    const held = [];
    const hold = (event) => { event.stopImmediatePropagation(); held.push(event.data); };
    addEventListener('message', hold);
    (${source})(...${args}).then((names) => {
      removeEventListener('message', hold);
      postMessage({ what: 'tried', names });
      for (const data of held) dispatchEvent(new MessageEvent('message', { data }));
    });
  }`;
  const PlainBlob = Blob;
  window.Blob = class extends PlainBlob {
    /** @param {BlobPart[]} [parts] @param {BlobPropertyBag} [options] */
    constructor(parts, options) {
      super(options?.type === 'text/javascript' ? [first, ...(parts ?? [])] : parts, options);
    }
  };
  const PlainWorker = Worker;
  window.Worker = class extends PlainWorker {
    /** @param {[string | URL]} args */
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({ data }) => {
        if (data.what === 'tried') /** @type {any} */ (window).tried = data.names;
      });
    }
  };
}

/** The same page without its policy: what the tries reach when nothing forbids it. */
const unprotected = () => {
  const page = readFileSync(PAGE, 'utf8');
  const without = page.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
  assert.notEqual(without, page, 'the page has a policy');
  return without;
};

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
before(async () => {
  server = await serve({
    '/triage.html': readFileSync(PAGE, 'utf8'),
    '/open.html': unprotected(),
    '/blank.html': '<!doctype html>',
  });
});
after(() => server.close());

for (const engine of engines) {
  describe(`the triage page in ${engine}`, () => {
    /** @type {import('../support/browser.mjs').Browser} */
    let browser;
    before(async () => {
      browser = await launch(engine);
    });
    after(() => browser?.close());

    /** One window for each set of options, loaded anew for each test. @type {Map<string, import('../support/browser.mjs').Page>} */
    const pages = new Map();

    /** @param {Partial<import('../support/browser.mjs').PageOptions>} [options] @param {string} [address] */
    async function open(options = {}, address = `${server.url}/triage.html`) {
      const key = JSON.stringify(options);
      const page = pages.get(key) ?? (await browser.newPage(options));
      pages.set(key, page);
      await page.goto(address);
      await page.waitFor(() => document.querySelector('#working')?.checkVisibility());
      return page;
    }

    test('what it says to a rolled-back store is, byte for byte, what the command line says', async () => {
      const page = await open();
      const files = filesOf('store-rollback');
      await answerTo(page, files);
      const { summary, mediaKeys, roomKeys } = JSON.parse(commandLine('json', files));
      assert.match(
        summary,
        /^Proven: device \S+ of @\S+ went back to an older copy of its keys; that is why it could not read/,
      );
      assert.equal(await page.text('#verdict'), summary);
      assert.match(await page.text('#result'), /KE-1 cause: rollback[^]*KE-1 ⇒ OLM/);
      const hops = await page.evaluate(() =>
        [...document.querySelectorAll('.key table')].map((table) =>
          [.../** @type {HTMLTableElement} */ (table).rows]
            .slice(1)
            .map(({ cells: [hop, is] }) => `${hop.textContent} ${is.textContent}`),
        ),
      );
      const steps = [...mediaKeys.paths, ...roomKeys.paths].map((/** @type {any} */ { steps }) =>
        steps.map((/** @type {any} */ { hop, is }) => `${hop} ${is}`),
      );
      assert.ok(steps.length > 0);
      assert.deepEqual(hops, steps);
      /** @type {('html' | 'markdown' | 'json' | 'sarif' | 'svg')[]} */
      const formats = ['html', 'markdown', 'json', 'sarif', 'svg'];
      for (const [number, format] of formats.entries()) {
        const saved = await page.download(() =>
          page.click(`.headline .actions button:nth-of-type(${number + 1})`),
        );
        same(saved.text, commandLine(format, files));
      }
    });

    test('of a folder with everything in it, packed in each way, it says byte for byte what the command line says', async () => {
      const page = await open();
      const files = [
        ...filesOf('second-empty-store'),
        ...['wild', 'logs', 'packed', 'answers/psql-aligned'].flatMap((folder) =>
          readdirSync(join(FIXTURES, folder))
            .filter((name) => name !== 'README.md')
            .map((name) => join(FIXTURES, folder, name)),
        ),
      ];
      await answerTo(page, files);
      const saved = await page.download(() => page.click('.headline .actions button:nth-of-type(3)'));
      same(saved.text, commandLine('json', files));
      const { artefacts } = JSON.parse(saved.text);
      const used = artefacts.filter((/** @type {any} */ artefact) => artefact.used);
      for (const name of PACKED) {
        assert.ok(
          used.some((/** @type {any} */ artefact) => artefact.name === name),
          `${name} is used`,
        );
      }
    });

    test('with an artefact taken away it says what is then unknown, and the command that gets it', async () => {
      const page = await open();
      await answerTo(page, filesOf('algorithm-stripped'));
      assert.match(
        await page.text('#verdict'),
        /^Proven: an event lost a field between the server and the client/,
      );
      await page.click('#files summary');
      await page.click('[aria-label="Take away queries.json"]');
      await page.waitFor(() =>
        document.querySelector('#verdict')?.textContent?.includes('Not everything is known'),
      );
      const expected = JSON.parse(commandLine('json', filesOf('algorithm-stripped', 'queries.json')));
      assert.equal(await page.text('#verdict'), expected.summary);
      const commands = expected.verdicts.flatMap((/** @type {any} */ { fetch }) =>
        (fetch ?? []).map((/** @type {any} */ { how }) => how),
      );
      assert.match(commands[0], /SELECT [^]*FROM events/);
      const shown = await page.evaluate(() =>
        [...document.querySelectorAll('.command pre')].map((command) => command.textContent),
      );
      // What to fetch next stands above, once more.
      assert.deepEqual(shown, [expected.story.next.how, ...commands]);
      // Copied, or at least selected where the clipboard is closed.
      await page.click('.command button');
      const copied = await page.waitFor(() =>
        document.querySelector('.command button')?.textContent === 'Copied'
          ? 'copied'
          : String(getSelection()),
      );
      assert.ok(copied === 'copied' || copied.trim() === commands[0].trim(), copied);
    });

    test('without the peer’s report KE-1 ⇒ KE-2 is unknown, and it says where to get that report', async () => {
      const page = await open();
      await answerTo(page, filesOf('store-rollback'));
      await page.click('#files summary');
      await page.click('[aria-label="Take away peer.report.json"]');
      await page.waitFor(() =>
        document.querySelector('#verdict')?.textContent?.includes('Not everything is known'),
      );
      const left = filesOf('store-rollback', 'peer.report.json');
      const saved = await page.download(() => page.click('.headline .actions button:nth-of-type(3)'));
      same(saved.text, commandLine('json', left));
      const [unknown] = JSON.parse(saved.text).verdicts.filter(
        (/** @type {any} */ { claim, is }) => claim === 'conflict-lost-media-key' && is === 'unknown',
      );
      const text = await page.text('#result');
      assert.ok(text.includes(unknown.statement), unknown.statement);
      assert.ok(text.includes(unknown.fetch[0].how), unknown.fetch[0].how);
      assert.match(unknown.fetch[0].how, /^On .*: Settings, .*Download report/);
    });

    test('nothing leaves it, neither from the page nor from inside its worker', async () => {
      const [forbidden, forbiddenFrames, allowed] = [await listener(), await listener(), await listener()];
      const run = async (/** @type {string} */ address, /** @type {string[]} */ hosts) => {
        const page = await open({}, address);
        const fromPage = await page.evaluate(tryEverything, ...hosts, 'page');
        await page.evaluate(holdWorkers, String(tryEverything), JSON.stringify([...hosts, 'worker']));
        await answerTo(page, filesOf('algorithm-stripped'));
        const fromWorker = await page.evaluate(() => /** @type {any} */ (window).tried);
        return [
          ...fromPage.map((/** @type {string} */ name) => `page-${name}`),
          ...fromWorker.map((/** @type {string} */ name) => `worker-${name}`),
        ];
      };
      try {
        const tried = await run(`${server.url}/triage.html`, [forbidden.host, forbiddenFrames.host]);
        const control = await run(`${server.url}/open.html`, [allowed.host, allowed.host]);
        assert.deepEqual(tried, control);
        assert.equal(tried.length, 13 + 6);
        // Without the policy all of them arrive; by then, whatever the policy let through would have arrived, too.
        const missing = () => tried.filter((name) => !allowed.paths.has(name));
        await until(
          () => missing().length === 0,
          WAIT_MS,
          () => `without a policy these do not arrive: ${missing()}`,
        );
        assert.deepEqual([...forbidden.paths, ...forbiddenFrames.paths], []);
        assert.equal(forbidden.connections(), 0);
        // Chromium gets a connection ready for a frame or a form before it asks the policy, and then says nothing on it.
        assert.equal(forbiddenFrames.bytes(), 0);
        if (engine !== 'chromium') assert.equal(forbiddenFrames.connections(), 0);
      } finally {
        await Promise.all([forbidden.close(), forbiddenFrames.close(), allowed.close()]);
      }
    });

    test('neither the page nor its worker has WebRTC, which the policy does not govern in every engine', async () => {
      const names = () => Object.getOwnPropertyNames(globalThis).filter((name) => /RTC/.test(name));
      const usable = `(${names})().filter((name) => globalThis[name] !== undefined)`;
      const page = await open();
      assert.deepEqual(await page.evaluate(usable), []);
      await page.evaluate(holdWorkers, `async () => { await 0; return ${usable}; }`, '[]');
      await answerTo(page, filesOf('algorithm-stripped'));
      assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).tried), []);
      assert.match(readFileSync(PAGE, 'utf8'), /webrtc &#39;block&#39;|webrtc 'block'/);
      // The control: what is taken away was there.
      await page.goto(`${server.url}/blank.html`);
      const there = await page.evaluate(usable);
      if (engine !== 'webkit') assert.ok(there.includes('RTCPeerConnection'), `${engine} has ${there}`);
    });

    test('what is invisible in names and messages is shown by its number', async () => {
      const page = await open();
      const report = JSON.parse(readFileSync(join(BUNDLES, 'store-rollback/victim.report.json'), 'utf8'));
      for (const entry of report.entries) entry.message = `\u061c\u2028\u202e${entry.message}`;
      const name = 'a\u200bb.report.json';
      await answerTo(page, [made(name, JSON.stringify(report))]);
      const text = await page.evaluate(() => document.querySelector('main')?.textContent ?? '');
      assert.ok(text.includes('a[U+200B]b.report.json'), 'the file’s name');
      assert.ok(text.includes('[U+061C][U+2028][U+202E]'), 'the quotations');
      assert.doesNotMatch(
        text,
        /[\u061c\u200b\u2028\u202e]/u,
        JSON.stringify(text.match(/.{0,60}[\u061c\u200b\u2028\u202e].{0,20}/u)),
      );
    });

    test('markup in messages, ids and file names is text, and no script of it runs', async () => {
      const page = await open();
      const report = readFileSync(join(BUNDLES, 'store-rollback/victim.report.json'), 'utf8');
      const { userId } = JSON.parse(report);
      const hostile = JSON.parse(report.replaceAll(userId, `@${HOSTILE.replaceAll('"', "'")}:x`));
      for (const entry of hostile.entries) entry.message = `${HOSTILE} ${entry.message}`;
      const name = '<img src=x onerror=window.ran=1>.report.json';
      const files = [made(name, JSON.stringify(hostile)), made('<svg onload=window.ran=1>.log', 'no log\n')];
      await answerTo(page, files);
      const found = await page.evaluate(() => ({
        ran: 'ran' in window,
        elements: document.querySelectorAll('main :is(img, script, iframe, [onerror], [onload])').length,
        text: document.querySelector('main')?.textContent ?? '',
      }));
      assert.deepEqual([found.ran, found.elements], [false, 0]);
      assert.ok(found.text.includes(HOSTILE), 'messages are quoted as they are');
      assert.ok(found.text.includes(name));
      const { text } = await page.download(() => page.click('.headline .actions button'));
      same(text, commandLine('html', files));
      assert.doesNotMatch(text, /<(img|script)/);
    });

    test('the timeline as a picture opens by itself, in the dark as well, and markup in its words is text', async () => {
      const report = readFileSync(join(BUNDLES, 'store-rollback/victim.report.json'), 'utf8');
      const { userId } = JSON.parse(report);
      const marks = [
        { ts: JSON.parse(report).generatedAt, kind: 'symptom', label: `${HOSTILE} ]]> &x; \uffff` },
      ];
      const hostile = { ...JSON.parse(report.replaceAll(userId, '@<script>:x')), marks };
      const picture = commandLine('svg', [made(`${engine}.report.json`, JSON.stringify(hostile))]);
      const page = await browser.newPage({ colorScheme: 'dark' });
      await page.goto(pathToFileURL(made(`${engine}.svg`, picture)).href);
      const found = await page.evaluate(() => ({
        root: document.documentElement.localName,
        ground: getComputedStyle(/** @type {Element} */ (document.querySelector('.ground'))).fill,
        ran: 'ran' in window,
        elements: [...new Set([...document.querySelectorAll('*')].map((element) => element.localName))],
        text: document.documentElement.textContent ?? '',
      }));
      await page.close();
      assert.deepEqual([found.root, found.ground, found.ran], ['svg', 'rgb(27, 27, 31)', false]);
      // Each engine puts an element of its own where XML is broken.
      assert.deepEqual(found.elements.sort(), ['g', 'line', 'rect', 'style', 'svg', 'text', 'title']);
      assert.ok(found.text.includes(`${HOSTILE} ]]> &x;`), found.text);
    });

    test('a HAR is saved without secrets, and judges as the whole one does', async () => {
      const secrets = ['syt_bWlyYQ_abcdefghijklmnopqrst_1AbCdE', 'correct horse battery', 'session=Zx81'];
      const [token, password, cookie] = secrets;
      const bundle = filesOf('store-rollback', 'victim.har');
      const har = JSON.parse(readFileSync(join(BUNDLES, 'store-rollback/victim.har'), 'utf8'));
      for (const { request } of har.log.entries) {
        request.headers = [
          { name: 'Authorization', value: `Bearer ${token}` },
          { name: 'Cookie', value: cookie },
        ];
        request.url += `${request.url.includes('?') ? '&' : '?'}access_token=${token}`;
      }
      har.log.entries.push({
        ...har.log.entries.at(-1),
        request: {
          method: 'POST',
          url: 'https://example.org/_matrix/client/v3/login',
          postData: { mimeType: 'application/json', text: JSON.stringify({ password }) },
        },
      });
      const whole = made('call.har', JSON.stringify(har));
      const page = await open();
      await answerTo(page, [...bundle, whole]);
      await page.click('#files summary');
      const save = () => page.click('[aria-label="Save without secrets: call.har"]');
      const { name, text } = await page.download(save);
      assert.equal(name, 'call.without-secrets.har');
      for (const secret of secrets) assert.ok(!text.includes(secret), secret);
      const verdicts = (/** @type {string[]} */ files) => JSON.parse(commandLine('json', files)).verdicts;
      const told = (/** @type {any[]} */ list) =>
        list.map(({ claim, is, subject }) => ({ claim, is, subject }));
      const [with_, without] = [verdicts([...bundle, whole]), verdicts([...bundle, made(name, text)])];
      assert.ok(
        with_.some((/** @type {any} */ { evidence }) => JSON.stringify(evidence).includes('call.har')),
        'the HAR tells something',
      );
      assert.deepEqual(told(without), told(with_));
    });

    test('Cancel ends the worker at once, and the page goes on', async () => {
      const page = await open();
      const big = made('big.log', logOf(200_000));
      await page.evaluate(() => {
        const seen = /** @type {any} */ (window);
        seen.ended = 0;
        const { terminate } = Worker.prototype;
        Worker.prototype.terminate = function () {
          seen.ended++;
          terminate.call(this);
        };
        // In the middle of reading, however fast that is.
        const watch = new MutationObserver(() => {
          const read = /** @type {HTMLProgressElement} */ (document.querySelector('#bar')).value;
          if (read === 0 || read === 1) return;
          watch.disconnect();
          seen.readAtCancel = read;
          /** @type {HTMLElement} */ (document.querySelector('#cancel')).click();
        });
        watch.observe(/** @type {Node} */ (document.querySelector('#where')), { childList: true });
      });
      await page.chooseFiles('#choose-files', [big]);
      await page.waitFor(() => document.querySelector('#status')?.textContent?.startsWith('Cancelled'));
      const found = await page.evaluate(() => ({
        ended: /** @type {any} */ (window).ended,
        verdict: Boolean(document.querySelector('#verdict')),
        running: document.querySelector('#progress')?.checkVisibility(),
        again: document.activeElement?.id,
        state: document.querySelector('[data-cell="state"]')?.textContent,
      }));
      assert.deepEqual(found, { ended: 1, verdict: false, running: false, again: 'again', state: 'waits' });
      // All of it, in slices: what is held is a part of what is read.
      await page.press('Enter');
      await page.waitFor(() => document.querySelector('#verdict'));
      const [, held] = (await page.text('#memory')).match(/held ([\d.]+) MB/) ?? [];
      assert.ok(
        Number(held) > 0 && Number(held) < 32,
        `held ${held} MB of ${readFileSync(big).length / 1e6}`,
      );
    });

    test('broken files are named with the place, and the rest is used', async () => {
      const page = await open();
      const victim = readFileSync(join(BUNDLES, 'store-rollback/victim.report.json'), 'utf8');
      const har = readFileSync(join(BUNDLES, 'store-rollback/victim.har'), 'utf8');
      const log = readFileSync(join(BUNDLES, 'store-rollback/homeserver.log.txt'));
      const files = [
        made('cut.report.json', victim.slice(0, 500)),
        made('cut.har', har.slice(0, har.length / 2)),
        made('cut.log.gz', gzipSync(logOf(5000)).subarray(0, -2000)),
        made('homeserver.log.1.gz', gzipSync(log)),
        made('photo.bin', Buffer.from([0xff, 0xd8, 0xff])),
        ...filesOf('store-rollback', 'homeserver.log.txt', 'victim.har'),
      ];
      await answerTo(page, files);
      const shown = await page.evaluate(() =>
        [...document.querySelectorAll('#problem-list li')].map(({ textContent }) => textContent),
      );
      for (const [name, place] of [
        ['cut.report.json', /line \d+, column \d+/],
        ['cut.har', /line \d+, column \d+/],
        ['cut.log.gz', /line \d+/],
        ['photo.bin', /neither a report nor a HAR/],
      ]) {
        const named = shown.filter((/** @type {string} */ text) => text.startsWith(`${name}, `));
        assert.ok(
          named.some((/** @type {string} */ text) => /** @type {RegExp} */ (place).test(text)),
          `${name} in ${shown}`,
        );
      }
      const { problems, summary } = JSON.parse(commandLine('json', files));
      assert.equal(shown.length, problems.length);
      assert.equal(await page.text('#verdict'), summary);
      const states = await page.evaluate(() =>
        Object.fromEntries(
          [...document.querySelectorAll('#rows tr')].map((row) => [
            row.querySelector('th')?.textContent,
            row.querySelector('[data-cell="state"]')?.textContent,
          ]),
        ),
      );
      assert.deepEqual(
        [states['homeserver.log.1.gz'], states['cut.report.json'], states['photo.bin']],
        ['used', 'not used', 'not used'],
      );
    });

    test('a folder can be chosen, and is called as its files are', async () => {
      const page = await open();
      if (engine === 'chromium') {
        await page.chooseFiles('#choose-folder', [join(BUNDLES, 'second-empty-store')]);
      } else {
        // These drivers choose no folders: the page is given what the browser would give it.
        await page.evaluate((/** @type {string[][]} */ contents) => {
          const files = contents.map(([name, text]) => {
            const value = `second-empty-store/${name}`;
            return Object.defineProperty(new File([text], name), 'webkitRelativePath', { value });
          });
          const input = /** @type {HTMLInputElement} */ (document.querySelector('#choose-folder'));
          if (!input.webkitdirectory) throw new Error('the button chooses no folder');
          Object.defineProperty(input, 'files', { value: files });
          input.dispatchEvent(new Event('change'));
        }, contentsOf('second-empty-store'));
      }
      await page.waitFor(() => document.querySelector('#verdict'));
      const saved = await page.download(() => page.click('.headline .actions button:nth-of-type(3)'));
      same(saved.text, commandLine('json', filesOf('second-empty-store')));
    });

    test('a dropped folder is walked to its last part, and litter in it is left', async () => {
      const page = await open();
      const contents = contentsOf('second-empty-store');
      await page.evaluate((/** @type {string[][]} */ contents) => {
        // What a browser gives for a folder, which no script can drop: entries, in parts.
        const entry = (/** @type {string} */ path, /** @type {string} */ text) => ({
          isFile: true,
          fullPath: `/${path}`,
          file: (/** @type {(file: File) => void} */ done) => done(new File([text], path)),
        });
        const folder = (/** @type {any[]} */ children) => ({
          isFile: false,
          createReader: () => ({
            readEntries: (/** @type {(part: any[]) => void} */ done) => done(children.splice(0, 2)),
          }),
        });
        const inner = folder(contents.slice(3).map(([name, text]) => entry(`bundle/${name}`, text)));
        const outer = [...contents.slice(0, 3), ['.DS_Store', 'x']].map(([name, text]) =>
          entry(`bundle/${name}`, text),
        );
        const items = [{ kind: 'file', webkitGetAsEntry: () => folder([...outer, inner]) }];
        const event = new Event('drop', { bubbles: true, cancelable: true });
        Object.defineProperty(event, 'dataTransfer', { value: { items } });
        document.querySelector('#drop')?.dispatchEvent(event);
        if (!event.defaultPrevented) throw new Error('the browser would open the file instead');
      }, contents);
      await page.waitFor(() => document.querySelector('#verdict'));
      const saved = await page.download(() => page.click('.headline .actions button:nth-of-type(3)'));
      same(saved.text, commandLine('json', filesOf('second-empty-store')));
    });

    test('a log that does not say its zone is named, and is read again in the zone that the user states', async () => {
      const page = await open();
      const report = join(BUNDLES, 'second-empty-store/victim.report.json');
      const log = readFileSync(join(BUNDLES, 'second-empty-store/homeserver.log.txt'), 'utf8');
      // Without the lines that print the clock in UTC beside the local time.
      const requests = log.split('\n').filter((line) => line.includes(' synapse.access.'));
      const files = [made('local.log', `${requests.join('\n')}\n`), report];
      await answerTo(page, files);
      assert.match(await page.text('#zone-unknown'), /^Nothing in local\.log says which time zone/);
      await page.evaluate(() => {
        const zone = /** @type {HTMLSelectElement} */ (document.querySelector('#zone'));
        zone.value = '330';
        zone.dispatchEvent(new Event('change'));
      });
      await page.waitFor(
        () =>
          document.querySelector('#verdict') && !document.querySelector('#zone-unknown')?.checkVisibility(),
      );
      const saved = await page.download(() => page.click('.headline .actions button:nth-of-type(3)'));
      same(saved.text, commandLine('json', ['--zone', '+05:30', ...files]));
      assert.ok(saved.text !== commandLine('json', files), 'the zone makes no difference');
    });

    test('it works from a file, without any server', async () => {
      const page = await open({}, pathToFileURL(PAGE).href);
      await answerTo(page, filesOf('second-empty-store'));
      assert.match(
        await page.text('#verdict'),
        /^Proven: two sets of identity keys have been used as device \S+ of @\S+;/,
      );
      assert.equal(await page.evaluate(() => document.querySelector('#save-page')?.checkVisibility()), false);
    });

    test('no markup can be made out of text, where the engine has Trusted Types', async () => {
      const page = await open();
      const found = await page.evaluate(() => {
        if (!('trustedTypes' in window)) return 'none';
        try {
          document.createElement('p').innerHTML = '<b>x</b>';
          return 'made';
        } catch {
          return 'refused';
        }
      });
      assert.notEqual(found, 'made');
      if (engine === 'chromium') assert.equal(found, 'refused');
    });

    for (const colorScheme of engine === 'chromium' || everything ? SCHEMES : []) {
      test(`axe finds nothing in ${colorScheme}, empty and with an answer unfolded`, async () => {
        // Light is the default; a window of its own would lie in front of the one whose keys are pressed later.
        const page = await open(colorScheme === 'light' ? {} : { colorScheme });
        assert.deepEqual((await axe(page)).all, []);
        await answerTo(page, [...filesOf('store-rollback', 'peer.report.json'), made('unread.bin', 'x')]);
        await page.evaluate(() => {
          for (const fold of document.querySelectorAll('details')) fold.open = true;
        });
        assert.match(await page.text('#result'), /To find out/);
        assert.deepEqual((await axe(page)).all, []);
      });
    }

    test('by keyboard: choose, read on at the verdict, start over', async () => {
      const page = await open();
      await page.press('Tab');
      await page.press('Tab');
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'choose-files');
      await answerTo(page, filesOf('second-empty-store'));
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'verdict');
      await tabTo(page, 'count', 'Shift+Tab');
      await page.press('Enter');
      await page.waitFor(() => document.querySelector('#files')?.hasAttribute('open'));
      await tabTo(page, 'clear');
      await page.press('Enter');
      await page.waitFor(() => !document.querySelector('#files')?.checkVisibility());
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'choose-files');
    });

    for (const width of [320, 390]) {
      test(`nothing is cut off or scrolls sideways at ${width} pixels`, async () => {
        const page = await open({ viewport: { width, height: 700 } });
        await answerTo(page, filesOf('store-rollback', 'peer.report.json'));
        const found = await page.evaluate(() => {
          for (const fold of document.querySelectorAll('details')) fold.open = true;
          const root = document.documentElement;
          const outside = [...document.querySelectorAll('body *')]
            .filter((element) => element.checkVisibility() && !element.closest('.unseen, .wide, svg'))
            .filter((element) => {
              const { left, right } = element.getBoundingClientRect();
              return left < -1 || right > innerWidth + 1;
            })
            .map((element) => `${element.localName}.${element.className}`);
          const files = /** @type {HTMLElement} */ (document.querySelector('#files .wide'));
          return {
            sideways: root.scrollWidth - root.clientWidth,
            files: files.scrollWidth - files.clientWidth,
            outside,
          };
        });
        assert.deepEqual(found, { sideways: 0, files: 0, outside: [] });
      });
    }
  });
}

/** Names and texts of a bundle's files. @param {string} bundle */
function contentsOf(bundle) {
  return filesOf(bundle).map((path) => [basename(path), readFileSync(path, 'utf8')]);
}

/**
 * Presses Tab, or what is given, until the focus is on an element.
 * @param {import('../support/browser.mjs').Page} page
 * @param {string} id
 */
async function tabTo(page, id, key = 'Tab') {
  const passed = [];
  for (let pressed = 0; pressed < 60; pressed++) {
    const at = await page.evaluate(() => document.activeElement?.id || document.activeElement?.localName);
    if (at === id) return;
    passed.push(at);
    await page.press(key);
  }
  assert.fail(`${key} does not reach #${id}; it passed ${passed.join(' ')}`);
}

/**
 * Gives files and waits for the answer.
 * @param {import('../support/browser.mjs').Page} page
 * @param {string[]} files
 */
async function answerTo(page, files) {
  await page.chooseFiles('#choose-files', files);
  await page.waitFor(
    () => document.querySelector('#verdict') ?? document.querySelector('#problem:not([hidden])'),
  );
  assert.equal(await page.evaluate(() => document.querySelector('#problem')?.textContent), '');
}
