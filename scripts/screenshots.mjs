// `npm run screenshots`: the pictures in the README, made from a recorded console in the built demo page.

import path from 'node:path';
import { build } from './build.mjs';
import { main, root, step } from './lib/run.mjs';
import { setUpTests } from './setup.mjs';

/** The recording whose one conflict explains the rest: what a report of a rolled-back store looks like. */
const RECORDING = 'ke1-to-ke2-store-rollback.jsonl';
const FAILURES = '16 failures';

const pictures = [
  { name: 'card-light', width: 680, colorScheme: 'light' },
  { name: 'card-dark', width: 680, colorScheme: 'dark' },
  { name: 'card-phone', width: 360, colorScheme: 'light' },
];

main(async () => {
  await setUpTests();
  await build();
  const { launch } = await import('../tests/support/browser.mjs');
  const { folder, serve } = await import('../tests/support/server.mjs');
  const site = await serve({ '/': folder(path.join(root, 'www/dist')) });
  const browser = await launch('chromium');
  try {
    for (const { name, width, colorScheme } of pictures) {
      await step(name, async () => {
        const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
        await page.goto(`${site.url}/`);
        await page.waitFor(() => document.querySelectorAll('.console').length > 0);
        await page.click(`.console[data-file="${RECORDING}"] .actions button:nth-of-type(1)`);
        await page.waitFor(
          (failures) => document.querySelector('crypto-diag-card').shadowRoot.textContent.includes(failures),
          FAILURES,
        );
        await page.waitFor(() =>
          document.querySelector('crypto-diag-card').shadowRoot.textContent.includes('Proven'),
        );
        await page.evaluate(() => document.querySelector('crypto-diag-card').scrollIntoView());
        await page.screenshot(path.join(root, 'docs/images', `${name}.png`));
        await page.close();
      });
    }
  } finally {
    await browser.close();
    await site.close();
  }
});
