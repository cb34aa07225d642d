// @ts-check
// useCryptoDiag() under both Reacts that it is for.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { quietly } from '../../scripts/lib/process.mjs';
import { unpacked } from '../packaging/lib/consumer.mjs';
import { engines, launch } from '../support/browser.mjs';
import { serve } from '../../scripts/lib/server.mjs';
import { packagesOf } from './lib/app.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const versions = ['18', '19'];
const crypto = unpacked();

/**
 * A program with one of the Reacts and the package from its archive.
 * @param {string} source
 * @param {string} react its major version
 * @param {'browser' | 'node'} platform
 */
async function bundle(source, react, platform) {
  const modules = join(packagesOf('tools'), 'node_modules');
  const { outputFiles } = await build({
    entryPoints: [join(here, 'react', source)],
    alias: {
      react: join(modules, `react-${react}`),
      'react-dom': join(modules, `react-dom-${react}`),
      'crypto-diag': crypto,
    },
    // Its checks: that a snapshot is the same until something changes, above all.
    define: { 'process.env.NODE_ENV': '"development"' },
    bundle: true,
    write: false,
    format: platform === 'node' ? 'cjs' : 'iife',
    platform,
    logLevel: 'error',
  });
  return outputFiles[0].text;
}

for (const version of versions) {
  test(`a server renders nothing captured, under React ${version}`, async () => {
    const file = join(dirname(crypto), `server-${version}.cjs`);
    writeFileSync(file, await bundle('server.js', version, 'node'));
    assert.match(quietly(process.execPath, [file], { cwd: here }), /<p>0 0 0 not-installed<\/p>/);
  });
}

for (const engine of engines) {
  describe(engine, () => {
    /** @type {import('../support/browser.mjs').Browser} */
    let browser;
    before(async () => {
      browser = await launch(engine);
    });
    after(() => browser?.close());

    for (const version of versions) {
      describe(`React ${version}`, () => {
        /** @type {Awaited<ReturnType<typeof serve>>} */
        let server;
        /** @type {import('../support/browser.mjs').Page} */
        let page;
        before(async () => {
          server = await serve({
            '/': '<!doctype html><title>Readers</title><body><script src="page.js"></script>',
            '/page.js': await bundle('page.js', version, 'browser'),
          });
          page = await browser.newPage();
          await page.goto(server.url);
        });
        after(async () => {
          await server?.close();
        });
        const seen = () => page.evaluate('window.page.seen');
        const total = (/** @type {number} */ count) => page.waitFor(`window.page.seen.total === ${count}`);

        test('the first render has what was kept before there was one', async () => {
          await page.evaluate('window.page.fail(2), window.page.mount()');
          await total(2);
          const { first, state } = await seen();
          assert.deepEqual([first, state], [2, 'capturing']);
        });

        test('a line of no interest renders nothing, one that matters renders each reader once', async () => {
          const { renders } = await seen();
          await page.evaluate('console.warn("hello"), console.error("world"), window.page.frames(3)');
          assert.equal((await seen()).renders, renders);
          await page.evaluate('window.page.fail()');
          await total(3);
          await page.evaluate('window.page.frames(3)');
          assert.equal((await seen()).renders, renders + 2);
        });

        test('readers agree in every commit, also while React renders in pieces', async () => {
          await page.evaluate('window.page.renderSlowly()');
          await total(33);
          const { torn, mixed, errors } = await seen();
          assert.deepEqual({ torn, mixed, errors }, { torn: false, mixed: false, errors: [] });
        });

        test('a reader that logs a failure whenever it renders does not lock the page', async () => {
          await page.evaluate('window.page.makeNoise(true)');
          await page.waitFor('window.page.seen.total > 36');
          await page.evaluate('window.page.makeNoise(false), window.page.frames(5)');
          assert.deepEqual((await seen()).errors, []);
        });

        test('a burst of a thousand lines is rendered once', async () => {
          const { renders, total: before } = await seen();
          await page.evaluate('window.page.fail(1000)');
          await total(before + 1000);
          await page.evaluate('window.page.frames(3)');
          assert.equal((await seen()).renders, renders + 2);
        });

        test('once unmounted it hears nothing, and mounted again it knows everything', async () => {
          const { renders, total: before } = await seen();
          await page.evaluate('window.page.unmount(), window.page.fail(), window.page.frames(3)');
          assert.equal((await seen()).renders, renders);
          await page.evaluate('window.page.mount()');
          await total(before + 1);
          assert.equal((await seen()).first, before + 1);
        });
      });
    }
  });
}
