// @ts-check
// A wrapper stands between the caller and the console, and DevTools would show the wrapper's line beside each message. The shipped
// source maps put it on the ignore list, so that the caller's is shown.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { folder, serve } from '../../../scripts/lib/server.mjs';
import { chromium, isRoot } from '../../support/programs.mjs';
import { fidelity, root } from './harness.mjs';

/** The app's script; its calls stand in lines 3 and 6. */
const APP = `// The app.
export function warn() {
  console.warn('of no concern');
}
export function match() {
  console.error('missing key at index 1', new Error('x'));
}
`;

const claim = fidelity({ '/app.js': APP });

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The numbers of one segment of a source map's mappings. @param {string} segment */
function decode(segment) {
  const numbers = [];
  let value = 0;
  let shift = 0;
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = shift = 0;
  }
  return numbers;
}

/**
 * The source that a position of a file came from, as DevTools looks it up.
 * @param {{ mappings: string, sources: string[] }} map
 * @param {number} line From 0.
 * @param {number} column From 0.
 * @returns {number | undefined} Its index.
 */
function sourceAt({ mappings }, line, column) {
  let source = 0;
  let found;
  mappings.split(';').forEach((segments, at) => {
    let start = 0;
    for (const segment of segments.split(',').filter(Boolean)) {
      const [columns, sources = 0] = decode(segment);
      start += columns;
      source += sources;
      if (at === line && start <= column) found = source;
    }
  });
  return found;
}

const map = () => JSON.parse(readFileSync(`${root}pkg/dist/index.js.map`, 'utf8'));

test('the shipped maps list every source of the package, by a name that says nothing of a machine', () => {
  for (const entry of ['index', 'worker']) {
    const { sources, ignoreList, x_google_ignoreList } = JSON.parse(
      readFileSync(`${root}pkg/dist/${entry}.js.map`, 'utf8'),
    );
    assert.deepEqual(ignoreList, [...sources.keys()]);
    assert.deepEqual(x_google_ignoreList, ignoreList);
    assert.ok(sources.some((source) => source.endsWith('hooks.js')));
    for (const source of sources) assert.match(source, /^crypto-diag:\/\/\/[\w./-]+$/);
    assert.match(
      readFileSync(`${root}pkg/dist/${entry}.js`, 'utf8'),
      new RegExp(`//# sourceMappingURL=${entry}\\.js\\.map\\s*$`),
    );
  }
});

claim(
  'of the frames of a console call those that the map does not ignore begin at the app',
  async ({ page, engine }) => {
    const stacks = await page.evaluate(async () => {
      const stacks = [];
      console.warn = console.error = function original() {
        stacks.push(new Error().stack);
      };
      const diag = await import('/pkg/index.js');
      diag.install();
      const app = await import('/app.js');
      app.warn();
      app.match();
      return stacks;
    });
    const lists = map();
    for (const [at, line] of [3, 6].entries()) {
      const frames = stacks[at]
        .split('\n')
        .map((/** @type {string} */ text) => text.match(/(https?:\/\/[^/\s]+)(\/[^\s:)]+):(\d+):(\d+)/))
        .filter(Boolean)
        .map(([, , path, row, column]) => ({ path, row: Number(row), column: Number(column) }));
      const ours = frames.filter(({ path }) => path === '/pkg/index.js');
      // JavaScriptCore calls the original in the wrapper's place (a proper tail call): there is no frame to hide.
      assert.equal(ours.length, engine === 'webkit' ? 0 : 1, 'frames of the wrapper');
      for (const { row, column } of ours) {
        const source = sourceAt(lists, row - 1, column - 1);
        assert.equal(lists.sources[Number(source)].split('/').at(-1), 'hooks.js');
        assert.ok(lists.ignoreList.includes(source));
      }
      const [first] = frames.filter(({ path, row, column }) => {
        const source = path === '/pkg/index.js' ? sourceAt(lists, row - 1, column - 1) : undefined;
        return source === undefined || !lists.ignoreList.includes(source);
      });
      assert.deepEqual([first.path, first.row], ['/app.js', line]);
    }
  },
);

test("chromium: DevTools' own protocol gives the app's call site, once the map's ignore list is applied", async () => {
  const site = await serve({
    '/': '<!doctype html><body>',
    '/app.js': APP,
    '/pkg/': folder(`${root}pkg/dist`),
  });
  const args = isRoot ? ['--no-sandbox'] : [];
  const browser = await puppeteer.launch({ executablePath: chromium(), args });
  try {
    const page = await browser.newPage();
    const devtools = await page.createCDPSession();
    /** @type {Map<string, string>} */
    const maps = new Map();
    /** @type {any[]} */
    const calls = [];
    devtools.on(
      'Debugger.scriptParsed',
      ({ url, sourceMapURL }) => void (sourceMapURL && maps.set(url, sourceMapURL)),
    );
    devtools.on('Runtime.consoleAPICalled', (call) => calls.push(call));
    await devtools.send('Debugger.enable');
    await devtools.send('Runtime.enable');
    await page.goto(site.url);
    await page.evaluate(async () => {
      const diag = await import('/pkg/index.js');
      diag.install();
      const app = await import('/app.js');
      app.warn();
      app.match();
    });
    assert.deepEqual(
      calls.map(({ type }) => type),
      ['warning', 'error'],
    );
    for (const [at, line] of [3, 6].entries()) {
      /** @type {{ url: string, lineNumber: number, columnNumber: number }[]} */
      const frames = calls[at].stackTrace.callFrames;
      assert.equal(frames[0].url, `${site.url}/pkg/index.js`, 'without the map, the wrapper would be shown');
      const shown = [];
      for (const frame of frames) {
        const address = maps.get(frame.url);
        const found = address && (await (await fetch(new URL(address, frame.url))).json());
        const source = found ? sourceAt(found, frame.lineNumber, frame.columnNumber) : undefined;
        if (source === undefined || !found.ignoreList.includes(source)) shown.push(frame);
      }
      assert.deepEqual([shown[0].url, shown[0].lineNumber + 1], [`${site.url}/app.js`, line]);
    }
  } finally {
    await browser.close();
    await site.close();
  }
});
