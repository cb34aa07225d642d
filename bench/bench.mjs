// @ts-check
// `npm run bench`: what the capture costs a page, in Chromium and Firefox. Prints a table; only ratios within one run mean
// anything. Each figure is the median over rounds; the cases of a round run one after the other, so that noise hits all.

import { build } from '../scripts/build.mjs';
import { main, root } from '../scripts/lib/run.mjs';
import { setUpTests } from '../scripts/setup.mjs';

const ENGINES = ['chromium', 'firefox'];

main(async () => {
  await setUpTests();
  await build();
  const { launch } = await import('../tests/support/browser.mjs');
  const { folder, serve } = await import('../tests/support/server.mjs');
  const site = await serve({
    '/pkg/': folder(`${root}/pkg`),
    '/bench/': folder(`${root}/bench`),
    '/': (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>bench</title>'),
  });
  try {
    for (const engine of ENGINES) {
      const browser = await launch(engine);
      try {
        const page = await browser.newPage();
        await page.goto(`${site.url}/`);
        const results = await page.evaluate(async (/** @type {string} */ url) => {
          const { run } = await import(`${url}/bench/page.js`);
          return run(`${url}/pkg/index.js`);
        }, site.url);
        console.log(`\n${engine} ${browser.version}`);
        console.table(Object.fromEntries(results.map(({ name, ...figures }) => [name, figures])));
      } finally {
        await browser.close();
      }
    }
  } finally {
    await site.close();
  }
});
