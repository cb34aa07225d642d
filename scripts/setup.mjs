// Sets the machine up. `npm start` needs the `build` part; `npm test` the whole. Idempotent: what is there is left alone.

import fs from 'node:fs';
import path from 'node:path';
import { ask } from './lib/process.mjs';
import { Explained, cache, main, root, step } from './lib/project.mjs';
import { ensureDebian, ensureNpm } from './lib/packages.mjs';
import { ensureCargoTool, ensureWasmToolchain, lockedVersion } from './lib/wasm-toolchain.mjs';

const OLDEST_NODE = 20;
const WASM_PACK = '0.15.1';
const GECKODRIVER = '0.37.1';

const browsers = ['chromium', 'chromium-driver', 'firefox-esr', 'webkit2gtk-driver', 'xvfb', 'xauth', 'dbus'];
const liveStack = ['postgresql', 'libpq-dev', 'python3-venv'];

/** What building and serving the page needs. */
export async function setUpBuild() {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    throw new Explained(`Node ${OLDEST_NODE} or newer is needed; this is ${process.version}.`);
  }
  fs.mkdirSync(cache, { recursive: true });
  await step('npm packages for the build', () => ensureNpm(root));
  const env = await step('Rust for wasm32', () => ensureWasmToolchain());
  const wasmBindgen = await step('wasm-bindgen', () =>
    ensureCargoTool('wasm-bindgen-cli', lockedVersion('wasm-bindgen'), { debug: true }),
  );
  return { env: { ...env, PATH: `${wasmBindgen}${path.delimiter}${process.env.PATH}` } };
}

/** What the tests need besides: three browsers, their drivers, wasm-pack, Python's and PostgreSQL's servers. */
export async function setUpTests() {
  const { env } = await setUpBuild();
  await step('npm packages for the tests', () => ensureNpm(path.join(root, 'tests')));
  await step('browsers', () => ensureDebian(browsers, 'the browser tests'));
  await step('PostgreSQL', () => {
    if (ask('sh', ['-c', 'ls /usr/lib/postgresql/*/bin/initdb']) === null)
      ensureDebian(liveStack, 'the live tests');
  });
  const tools = await step('wasm-pack and geckodriver', () => [
    ensureCargoTool('wasm-pack', WASM_PACK, { debug: true }),
    ensureCargoTool('geckodriver', GECKODRIVER, { debug: true }),
  ]);
  return { env: { ...env, PATH: [...tools, env.PATH].join(path.delimiter) } };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  main(() => (process.argv[2] === 'build' ? setUpBuild() : setUpTests()));
}
