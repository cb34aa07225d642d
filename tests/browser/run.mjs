// @ts-check
// Runs this crate's tests in three engines: `node tests/browser/run.mjs [chrome] [firefox] [webkit]`.
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder, watch } from '../../scripts/lib/process.mjs';
import { Explained, isMain, main, root, say, step } from '../../scripts/lib/project.mjs';
import { setUpTests } from '../../scripts/setup.mjs';
import {
  chromedriver,
  chromium,
  dbusSession,
  firefox as firefoxBinary,
  isRoot,
  miniBrowser,
  startScreen,
  webkitDriver,
} from '../support/programs.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const built = join(here, 'built');

/** Seconds that one engine's tests may take, their compilation included. */
const ENGINE_SECONDS = 400;
/** Seconds that the runner may wait for one binary's tests in a page; its own default is short for a busy machine. */
const PAGE_SECONDS = '120';

/** @typedef {'chrome' | 'firefox' | 'webkit'} Engine */
/** @typedef {Record<string, string | undefined>} Env */

/** Every engine, in the order in which they run. @type {readonly Engine[]} */
export const ENGINES = ['chrome', 'firefox', 'webkit'];

/** Puts what the tests import and what the drivers read into a folder of this crate. */
function prepare() {
  const source = join(root, 'pkg/dist/index.js');
  if (!existsSync(source)) throw new Explained('The package is not built. Run: npm run build');
  mkdirSync(built, { recursive: true });
  copyFileSync(source, join(built, 'crypto-diag.js'));

  const capabilities = JSON.parse(readFileSync(join(here, 'webdriver.json'), 'utf8'));
  const chrome = capabilities['goog:chromeOptions'];
  // Only root needs it: there the sandbox refuses to run.
  if (!isRoot) chrome.args = chrome.args.filter((/** @type {string} */ arg) => arg !== '--no-sandbox');
  chrome.binary = chromium();
  const firefox = capabilities['moz:firefoxOptions'];
  firefox.binary = firefoxBinary();
  const webkit = capabilities['webkitgtk:browserOptions'];
  webkit.binary = miniBrowser();
  const file = join(built, 'webdriver.json');
  writeFileSync(file, JSON.stringify(capabilities, null, 2));
  return file;
}

/** wasm-pack, with the drivers that are here rather than ones that it would download. */
const wasmPack = (/** @type {string[]} */ args, /** @type {Env} */ env) =>
  watch('wasm-pack', ['test', '--headless', '--mode', 'no-install', ...args, here], {
    env,
    seconds: ENGINE_SECONDS,
  });

/** How each engine's tests are started. @type {Record<Engine, (env: Env) => ReturnType<typeof watch>>} */
const RUNNERS = {
  chrome: (env) => wasmPack(['--chrome', '--chromedriver', chromedriver()], env),
  firefox: (env) => wasmPack(['--firefox', '--geckodriver', geckodriver(env)], env),
  // wasm-pack knows Safari only on macOS, so cargo runs the tests itself.
  webkit: async (env) => {
    const screen = await startScreen();
    try {
      const runner = 'target.wasm32-unknown-unknown.runner="wasm-bindgen-test-runner"';
      const cargo = ['cargo', 'test', '--target', 'wasm32-unknown-unknown', '--tests', '--config', runner];
      return await watch(dbusSession(), ['--', ...cargo], {
        cwd: here,
        env: { ...env, ...screen.env, SAFARIDRIVER: webkitDriver() },
        seconds: ENGINE_SECONDS,
      });
    } finally {
      await screen.stop();
    }
  },
};

/** geckodriver, which set-up builds. @param {Env} env */
function geckodriver({ PATH = process.env.PATH }) {
  const found = PATH?.split(delimiter)
    .map((folder) => join(folder, 'geckodriver'))
    .find((path) => existsSync(path));
  if (!found) throw new Explained('geckodriver is missing. Run: npm run setup');
  return found;
}

/** Adds up a runner's closing lines. @param {string} output */
function count(output) {
  const sum = (/** @type {RegExp} */ pattern) =>
    [...output.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
  return {
    passed: sum(/^test result: .*?(\d+) passed/gm),
    failed: sum(/^test result: .*?(\d+) failed/gm) + sum(/^test result: .*?(\d+) ignored/gm),
  };
}

/** How many tests there are, so that an engine that ran fewer has failed. */
function written() {
  const folder = join(here, 'tests');
  const files = readdirSync(folder).filter((name) => name.endsWith('.rs'));
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
  return texts.reduce((total, text) => total + (text.match(/^#\[wasm_bindgen_test\]/gm)?.length ?? 0), 0);
}

/**
 * Runs the tests of the seam and of the built package; every runner's output goes to stdout as it comes.
 * @param {{ env?: Env, engines?: readonly Engine[] }} [options] `env` is the environment that `setUpTests` gives: the wasm
 *   toolchain, and PATH with wasm-pack, wasm-bindgen and geckodriver; without it, it is set up first
 * @returns {Promise<{ engine: Engine, passed: number, failed: number, seconds: number }[]>} where `failed` is 0 only if every
 *   test that is written ran and passed
 */
export async function runBrowserTests({ env, engines = ENGINES } = {}) {
  const given = env ?? (await setUpTests()).env;
  // Browsers make folders in the home of whoever starts them; Rust's tools are in it.
  const home = temporaryFolder('browser-tests');
  const all = {
    ...given,
    HOME: home.path,
    CARGO_HOME: process.env.CARGO_HOME ?? join(homedir(), '.cargo'),
    RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(homedir(), '.rustup'),
    WASM_BINDGEN_TEST_WEBDRIVER_JSON: prepare(),
    WASM_BINDGEN_TEST_TIMEOUT: PAGE_SECONDS,
    CARGO_TERM_COLOR: 'never',
  };
  try {
    const results = [];
    for (const engine of engines) results.push(await runEngine(engine, all));
    return results;
  } finally {
    home.remove();
  }
}

/**
 * @param {Engine} engine
 * @param {Env} env
 */
async function runEngine(engine, env) {
  const begun = Date.now();
  const expected = written();
  const { code, output } = await step(`browser tests in ${engine}`, () => RUNNERS[engine](env));
  const { passed, failed } = count(output);
  const complete = code === 0 && passed === expected;
  if (!complete) say(`  ${engine}: exit ${code}; ${passed} of ${expected} tests passed`);
  const seconds = (Date.now() - begun) / 1000;
  return { engine, passed, failed: complete ? failed : Math.max(1, failed), seconds };
}

if (isMain(import.meta.url)) {
  main(async () => {
    const asked = process.argv.slice(2);
    const unknown = asked.filter((name) => !ENGINES.some((engine) => engine === name));
    if (unknown.length)
      throw new Explained(`Unknown engine: ${unknown.join(', ')}. There are: ${ENGINES.join(', ')}.`);
    const engines = asked.length ? ENGINES.filter((engine) => asked.includes(engine)) : ENGINES;
    const results = await runBrowserTests({ engines });
    for (const { engine, passed, failed, seconds } of results) {
      say(`${engine.padEnd(8)} ${passed} passed, ${failed} failed, ${seconds.toFixed(0)} s`);
    }
    process.exitCode = results.every(({ failed }) => failed === 0) ? 0 : 1;
  });
}
