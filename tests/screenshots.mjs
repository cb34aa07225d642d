// @ts-check
// `npm run screenshots`: the pictures in the README, made from recorded failures in the built pages.

import fs from 'node:fs';
import path from 'node:path';
import { build } from '../scripts/build.mjs';
import { main, root, step } from '../scripts/lib/project.mjs';
import { folder, serve } from '../scripts/lib/server.mjs';
import { setUpTests } from '../scripts/setup.mjs';

/** The recording whose one conflict explains the rest: what a report of a rolled-back store looks like. */
const RECORDING = 'ke1-to-ke2-store-rollback.jsonl';
const FAILURES = '16 failures';

/** The same failure as the server and both sides saw it. */
const BUNDLE = path.join(root, 'tests/fixtures/bundles/store-rollback');

/**
 * @type {{ name: string, draw: (page: Page, url: string) => Promise<void>, width: number, colorScheme: 'light' | 'dark' }[]}
 */
const pictures = [
  { name: 'card-light', draw: drawCard, width: 680, colorScheme: 'light' },
  { name: 'card-dark', draw: drawCard, width: 680, colorScheme: 'dark' },
  { name: 'card-phone', draw: drawCard, width: 360, colorScheme: 'light' },
  { name: 'triage-light', draw: drawTriage, width: 960, colorScheme: 'light' },
  { name: 'triage-dark', draw: drawTriage, width: 960, colorScheme: 'dark' },
];

/** @typedef {import('./support/browser.mjs').Page} Page */

/** The card, after a recorded console was played to it. @param {Page} page @param {string} url */
async function drawCard(page, url) {
  await page.goto(`${url}/`);
  await page.waitFor(() => document.querySelectorAll('.console').length > 0);
  await page.click(`.console[data-file="${RECORDING}"] .actions button:nth-of-type(1)`);
  // On a phone the card is out of sight now, and draws nothing there.
  await page.evaluate(() => document.querySelector('crypto-diag-card')?.scrollIntoView());
  for (const words of [FAILURES, 'Proven']) {
    await page.waitFor(
      (/** @type {string} */ shown) =>
        document.querySelector('crypto-diag-card')?.shadowRoot?.textContent?.includes(shown),
      words,
    );
  }
  // Again: what the card shows now moved the page.
  await page.evaluate(() => document.querySelector('crypto-diag-card')?.scrollIntoView());
}

/** The triage page's answer about a recorded bundle. @param {Page} page @param {string} url */
async function drawTriage(page, url) {
  const files = fs.readdirSync(BUNDLE).filter((name) => name !== 'label.json');
  await page.goto(`${url}/triage.html`);
  await page.chooseFiles(
    '#choose-files',
    files.map((name) => path.join(BUNDLE, name)),
  );
  await page.waitFor(() => document.querySelector('#result')?.textContent?.includes('Proven:'));
  await page.evaluate(() => window.scrollTo(0, 0));
}

main(async () => {
  await setUpTests();
  await build();
  const { launch } = await import('./support/browser.mjs');
  const site = await serve({ '/': folder(path.join(root, 'www/dist')) });
  const browser = await launch('chromium');
  try {
    for (const { name, draw, width, colorScheme } of pictures) {
      await step(name, async () => {
        const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
        await draw(page, site.url);
        await page.screenshot(path.join(root, 'docs/images', `${name}.png`));
        await page.close();
      });
    }
  } finally {
    await browser.close();
    await site.close();
  }
});
