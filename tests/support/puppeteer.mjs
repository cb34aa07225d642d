// @ts-check
// Chromium and Firefox, through Puppeteer's library and the system's own binaries.
import puppeteer from 'puppeteer-core';
import { adopt, temporaryFolder } from '../../scripts/lib/process.mjs';
import { EVALUATE_MS, NAVIGATION_MS, START_MS } from '../../scripts/lib/wait.mjs';
import { perPreferences } from './preferences.mjs';
import { chromium, firefox, isRoot } from './programs.mjs';

/** @typedef {import('puppeteer-core').KeyInput} KeyInput */

/** What Firefox saves without a question. */
const SAVED = [
  'application/json',
  'application/octet-stream',
  'application/zip',
  'text/csv',
  'text/html',
  'text/markdown',
  'text/plain',
];

/** Starts Chromium; each page has its own preferences there. @type {import('./browser.mjs').StartEngine} */
export async function startChromium({ inbox, args }) {
  return launch({
    browser: 'chrome',
    executablePath: chromium(),
    args: ['--disable-gpu', '--disable-quic', ...(isRoot ? ['--no-sandbox'] : []), ...args],
    downloadBehavior: { policy: 'allow', downloadPath: inbox },
  });
}

/** @type {import('./browser.mjs').StartEngine} */
export async function startFirefox({ inbox, args, preferences }) {
  const executablePath = firefox();
  return perPreferences(({ colorScheme, reducedMotion }) =>
    launch({
      browser: 'firefox',
      executablePath,
      args,
      extraPrefsFirefox: {
        'browser.download.folderList': 2,
        'browser.download.dir': inbox,
        'browser.download.useDownloadDir': true,
        'browser.download.alwaysOpenPanel': false,
        'browser.helperApps.neverAsk.saveToDisk': SAVED.join(','),
        'layout.css.prefers-color-scheme.content-override': colorScheme === 'dark' ? 0 : 1,
        // TestUtils.gc(), which leak tests need: Firefox gives pages no other means to collect documents.
        'dom.testing.testutils.enabled': true,
        'ui.prefersReducedMotion': reducedMotion === 'reduce' ? 1 : 0,
        ...preferences,
      },
    }),
  );
}

/**
 * @param {import('puppeteer-core').LaunchOptions} options
 * @returns {Promise<import('./browser.mjs').Engine>}
 */
async function launch(options) {
  const name = options.browser ?? 'chrome';
  const profile = temporaryFolder(name);
  const browser = await puppeteer.launch({
    headless: true,
    userDataDir: profile.path,
    // A browser that is killed leaves temporary files behind; here they go with the profile.
    env: { ...process.env, TMPDIR: profile.path },
    timeout: START_MS,
    protocolTimeout: EVALUATE_MS + NAVIGATION_MS,
    defaultViewport: null,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    ...options,
  });
  const child = browser.process();
  if (child) adopt(child);
  return {
    version: (await browser.version()).replace(/^.*\//, ''),
    async newPage({ viewport, colorScheme, reducedMotion }) {
      // A window of its own: a browser slows the timers of a tab in the background.
      const page = await browser.newPage({ type: 'window' });
      await page.setViewport(viewport);
      if (name === 'chrome') {
        await page.emulateMediaFeatures([
          { name: 'prefers-color-scheme', value: colorScheme },
          { name: 'prefers-reduced-motion', value: reducedMotion },
        ]);
      }
      return enginePage(page);
    },
    async close() {
      await browser.close();
      profile.remove();
    },
  };
}

/**
 * @param {import('puppeteer-core').Page} page
 * @returns {import('./browser.mjs').EnginePage}
 */
function enginePage(page) {
  /** @type {import('./browser.mjs').ConsoleMessage[]} */
  const messages = [];
  page.on('console', (message) => messages.push({ type: message.type(), text: message.text() }));
  page.on('pageerror', (error) => {
    messages.push({ type: 'pageerror', text: error instanceof Error ? error.message : String(error) });
  });
  /** @type {string[]} */
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('dialog', (dialog) => dialog.dismiss());
  const { keyboard } = page;
  return {
    goto: (url) => page.goto(url, { waitUntil: 'load', timeout: NAVIGATION_MS }),
    reload: () => page.reload({ waitUntil: 'load', timeout: NAVIGATION_MS }),
    run: async (source) => String(await page.evaluate(source)),
    clickAt: (x, y) => page.mouse.click(x, y),
    keys: async (strokes) => {
      for (const { hold, key } of strokes) {
        const [held, pressed] = /** @type {[KeyInput[], KeyInput]} */ ([hold, key]);
        for (const modifier of held) await keyboard.down(modifier);
        // "press" knows named keys and the American layout only; "type" takes any character.
        if (held.length || [...key].length > 1) await keyboard.press(pressed);
        else await keyboard.type(key);
        for (const modifier of [...held].reverse()) await keyboard.up(modifier);
      }
    },
    setFiles: async (marker, paths) => {
      const input = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement> | null} */ (
        await page.$(`>>> ${marker}`)
      );
      await input?.uploadFile(...paths);
    },
    screenshot: async () => Buffer.from(await page.screenshot()),
    pdf: () => page.pdf({ format: 'A4', printBackground: true }),
    // A scenario may have closed its page already; whoever cleans up does not ask.
    close: async () => {
      if (!page.isClosed()) await page.close();
    },
    messages: () => messages,
    requests: () => requests,
  };
}
