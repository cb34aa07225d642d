// @ts-check
// Chromium, through Playwright's library and the system's own binary.
import { renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { chromium } from 'playwright-core';
import { findProgram } from './process.mjs';
import { NAVIGATION_MS, START_MS } from './wait.mjs';

/** @type {import('./browser.mjs').StartEngine} */
export async function startChromium({ inbox, args }) {
  const executablePath = findProgram({
    name: 'Chromium',
    candidates: ['/usr/bin/chromium', 'chromium', 'chromium-browser', 'google-chrome'],
    apt: 'chromium',
    variable: 'CRYPTO_DIAG_CHROMIUM',
  });
  const browser = await chromium.launch({
    executablePath,
    args: ['--disable-gpu', '--disable-quic', ...args],
    // The sandbox refuses to run as root.
    chromiumSandbox: process.getuid?.() !== 0,
    timeout: START_MS,
    // Signals are process.mjs's concern; Playwright kills the browser and removes its profile when the process exits.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  const context = await browser.newContext({ acceptDownloads: true, viewport: null });

  return {
    version: browser.version(),
    async newPage({ viewport, colorScheme, reducedMotion }) {
      const page = await context.newPage();
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion });
      /** @type {import('./browser.mjs').ConsoleMessage[]} */
      const messages = [];
      page.on('console', (message) => {
        const type = message.type() === 'warning' ? 'warn' : message.type();
        messages.push({ type, text: message.text() });
      });
      page.on('pageerror', (error) => messages.push({ type: 'pageerror', text: error.message }));
      /** @type {string[]} */
      const requests = [];
      page.on('request', (request) => requests.push(request.url()));
      page.on('download', async (download) => {
        // Playwright has the browser save under a random name; the file gets the name that Chromium chose for it.
        const path = join(inbox, basename(download.suggestedFilename()));
        await download.saveAs(`${path}.part`).then(
          () => renameSync(`${path}.part`, path),
          // A failed download leaves no file, and the inbox says so when its time is up.
          () => {},
        );
      });
      return {
        goto: (url) => page.goto(url, { waitUntil: 'load', timeout: NAVIGATION_MS }),
        reload: () => page.reload({ waitUntil: 'load', timeout: NAVIGATION_MS }),
        run: (source) => page.evaluate(source),
        clickAt: (x, y) => page.mouse.click(x, y),
        keys: async (strokes) => {
          for (const { hold, key } of strokes) {
            for (const held of hold) await page.keyboard.down(held);
            // Playwright's "press" knows named keys and the American layout only; "type" takes any character.
            if (hold.length || [...key].length > 1) await page.keyboard.press(key);
            else await page.keyboard.type(key);
            for (const held of [...hold].reverse()) await page.keyboard.up(held);
          }
        },
        setFiles: async (marker, paths) => page.locator(marker).setInputFiles(paths),
        screenshot: () => page.screenshot(),
        close: () => page.close(),
        messages: () => messages,
        requests: () => requests,
      };
    },
    close: () => browser.close(),
  };
}
