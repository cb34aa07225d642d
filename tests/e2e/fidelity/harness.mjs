// @ts-check
// What the fidelity tests share: every claim is tested in each engine, on a page that was loaded for it alone, with the package as it
// was built. Files that run in one process share one browser for each engine (all.mjs), and each has a tab of its own in it.
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { engines, launch } from '../../support/browser.mjs';
import { quietly } from '../../../scripts/lib/process.mjs';
import { folder, serve } from '../../../scripts/lib/server.mjs';

/** The project's root folder. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What a module that runs in Node prints as JSON; it must end by itself within a minute. @param {string} program */
export const inNode = (program) =>
  JSON.parse(quietly(process.execPath, ['--input-type=module', '-e', program], { seconds: 60 }));

/** A page without a line of script: nothing of the capture is there until a test asks for it. */
const BLANK = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Fidelity</title><body>';

/** What the pages of these tests import; it runs there. */
const KIT = `
  /** A line of each family that a signature stands in. */
  export const MATCH = {
    'KE-1': 'One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {}',
    'KE-2': 'missing key at index 3 for participant @user:server:DEVICE',
    'KE-3': 'Error decrypting event: DecryptionError[msg: missing field]',
    'KE-4': 'Restart delayed event timed out before the HS responded',
  };

  /** Every call that reached a console's original method: its name, \`this\` and arguments. */
  export const calls = [];

  /** Puts recorders in the place of a console's methods: a native one runs code of the page, such as a getter. */
  export function silence(target = console) {
    for (const method of ['warn', 'error', 'info']) {
      target[method] = function (...args) { calls[calls.length] = { method, self: this, args }; };
    }
  }

  /** The package; \`copy\` gives a further copy of the module, as a second bundle would have. */
  export const load = (copy = '') => import('/pkg/index.js' + (copy && '?copy=' + copy));

  /** Silences the console and installs the capture. */
  export async function start(options) {
    silence();
    const diag = await load();
    diag.install(options);
    return { diag, calls, report: () => JSON.parse(diag.buildReport(null)) };
  }

  /** The messages of the kept entries. */
  export const kept = (diag) => diag.getEntries().map((entry) => entry.message);

  /** Waits, for what a browser does in its own time. */
  export async function until(condition, what = String(condition)) {
    const deadline = Date.now() + 60000;
    for (;;) {
      const value = await condition();
      if (value) return value;
      if (Date.now() > deadline) throw new Error('waited in vain: ' + what);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }

  /** Puts an element with some attributes into the page and waits for its load event. */
  export function add(name, attributes, parent = document.body) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    const loaded = new Promise((resolve) => element.addEventListener('load', resolve, { once: true }));
    parent.append(element);
    return loaded.then(() => element);
  }
`;

/** With CRYPTO_DIAG_KEEP=1, as a part of `npm run test:matrix`, each page that is watched is kept as well, which must change nothing else. */
const KEPT = process.env.CRYPTO_DIAG_KEEP === '1';

/** What the package exports beside `install`. */
const names = KEPT
  ? Object.keys(await import('../../../pkg/dist/index.js')).filter((name) => name !== 'install')
  : [];

/**
 * The package in which every `install` keeps its page. A copy of it is a copy of the whole.
 * @type {import('../../../scripts/lib/server.mjs').Respond}
 */
function keptPackage({ url = '' }, response) {
  response.setHeader('content-type', 'text/javascript; charset=utf-8');
  return response.end(`
    import { keepPages } from '/pkg/keep.js';
    import * as whole from '/pkg/whole.js${new URL(url, 'http://localhost').search}';
    const kept = (options) =>
      new Proxy(Object(options ?? {}), { get: (given, name) => (name === 'keep' ? keepPages : given[name]) });
    export const install = (options) => whole.install(kept(options));
    export const { ${names.join(', ')} } = whole;
  `);
}

/** The package as pages load it. @type {Record<string, import('../../../scripts/lib/server.mjs').Handler>} */
const PACKAGE = {
  '/pkg/': folder(`${root}pkg/dist`),
  ...(KEPT && {
    '/pkg/index.js': keptPackage,
    '/pkg/whole.js': readFileSync(`${root}pkg/dist/index.js`, 'utf8'),
  }),
};

/**
 * @typedef {object} Scene What a claim is tested on.
 * @property {import('../../support/browser.mjs').EngineName} engine
 * @property {import('../../support/browser.mjs').Browser} browser
 * @property {import('../../support/browser.mjs').Page} page On the site's start page, just loaded.
 * @property {Awaited<ReturnType<typeof serve>>} site
 * @property {Awaited<ReturnType<typeof serve>>} elsewhere Another origin with the same content.
 * @property {import('node:test').TestContext} context For diagnostics.
 */

/** @typedef {import('../../support/browser.mjs').Browser} Browser */

/** What runs: by engine and arguments, the browser, its one tab, and whose that is. @type {Map<string, Promise<{browser: Browser, page: any, owner: object}>>} */
const running = new Map();

/**
 * The tab of a file of claims. The one of the file before is closed, so that nothing of it is left to disturb.
 * @param {import('../../support/browser.mjs').EngineName} engine
 * @param {import('../../support/browser.mjs').FirefoxPreferences} preferences
 * @param {string[]} args
 * @param {object} owner
 */
async function tab(engine, preferences, args, owner) {
  const key = [engine, ...args, JSON.stringify(preferences)].join(' ');
  const before = running.get(key);
  const open = async () => {
    const browser = before ? (await before).browser : await launch(engine, { args, preferences });
    const page = await browser.newPage();
    // Only now: a driver's session ends with its last tab.
    await (await before)?.page.close();
    return { browser, page, owner };
  };
  const now = before && (await before).owner === owner ? before : open();
  running.set(key, now);
  return now;
}

after(async () => {
  for (const one of await Promise.allSettled(running.values()))
    if (one.status === 'fulfilled') await one.value.browser.close();
});

/**
 * Prepares a file of claims.
 * @param {Record<string, import('../../../scripts/lib/server.mjs').Handler>} [routes] Beside the start page, the package and the kit.
 * @param {{ args?: Partial<Record<import('../../support/browser.mjs').EngineName, string[]>>,
 *   preferences?: import('../../support/browser.mjs').FirefoxPreferences,
 *   headers?: Record<string, string> }} [options] Arguments for the browsers, preferences of Firefox, headers of the start page's server.
 * @returns {(claim: string, body: (scene: Scene) => Promise<void>) => void} Registers one test for each engine.
 */
export function fidelity(routes = {}, { args = {}, preferences = {}, headers = {} } = {}) {
  const content = {
    '/': BLANK,
    '/kit.js': KIT,
    ...PACKAGE,
    ...routes,
  };
  const opened = { site: serve(content, { headers }), elsewhere: serve(content) };
  after(async () => {
    await (await opened.site).close();
    await (await opened.elsewhere).close();
  });

  return (claim, body) => {
    for (const engine of engines) {
      test(`${engine}: ${claim}`, async (context) => {
        const { browser, page } = await tab(
          engine,
          engine === 'firefox' ? preferences : {},
          args[engine] ?? [],
          opened,
        );
        const [site, elsewhere] = [await opened.site, await opened.elsewhere];
        await page.goto(`${site.url}/`);
        await body({ engine, browser, page, site, elsewhere, context });
      });
    }
  };
}
