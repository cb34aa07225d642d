// @ts-check
// Firefox, through Puppeteer's library over WebDriver BiDi and the system's own binary.
import puppeteer from 'puppeteer-core';
import { perPreferences } from './preferences.mjs';
import { adopt, findProgram, temporaryFolder } from './process.mjs';
import { EVALUATE_MS, NAVIGATION_MS, START_MS } from './wait.mjs';

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

/** @type {import('./browser.mjs').StartEngine} */
export async function startFirefox({ inbox, args }) {
  const executablePath = findProgram({
    name: 'Firefox',
    candidates: ['/usr/bin/firefox-esr', 'firefox-esr', 'firefox'],
    apt: 'firefox-esr',
    variable: 'CRYPTO_DIAG_FIREFOX',
  });
  return perPreferences(async ({ colorScheme, reducedMotion }) => {
    const profile = temporaryFolder('firefox');
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath,
      headless: true,
      args,
      userDataDir: profile.path,
      timeout: START_MS,
      protocolTimeout: EVALUATE_MS + NAVIGATION_MS,
      defaultViewport: null,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
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
      },
    });
    const child = browser.process();
    if (child) adopt(child);

    return {
      version: (await browser.version()).replace(/^firefox\//i, ''),
      async newPage({ viewport }) {
        // A window of its own: Firefox slows the timers of a tab in the background.
        const page = await browser.newPage({ type: 'window' });
        await page.setViewport(viewport);
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
        return {
          goto: (url) => page.goto(url, { waitUntil: 'load', timeout: NAVIGATION_MS }),
          reload: () => page.reload({ waitUntil: 'load', timeout: NAVIGATION_MS }),
          run: async (source) => String(await page.evaluate(source)),
          clickAt: (x, y) => page.mouse.click(x, y),
          keys: async (strokes) => {
            for (const { hold, key } of strokes) {
              const [held, pressed] = /** @type {[KeyInput[], KeyInput]} */ ([hold, key]);
              for (const modifier of held) await page.keyboard.down(modifier);
              await page.keyboard.press(pressed);
              for (const modifier of [...held].reverse()) await page.keyboard.up(modifier);
            }
          },
          setFiles: async (marker, paths) => {
            const input = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement> | null} */ (
              await page.$(`>>> ${marker}`)
            );
            await input?.uploadFile(...paths);
          },
          screenshot: async () => Buffer.from(await page.screenshot()),
          close: () => page.close(),
          messages: () => messages,
          requests: () => requests,
        };
      },
      async close() {
        await browser.close();
        profile.remove();
      },
    };
  });
}
