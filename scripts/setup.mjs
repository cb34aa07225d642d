// @ts-check
// Sets up: `npm run setup` what needs root, `npm start` what the build needs, `npm test` all. What is there is left alone.

import fs from 'node:fs';
import path from 'node:path';
import { ensureDebian, ensureNpm, missing, unpackDebian } from './lib/packages.mjs';
import { Explained, cache, isMain, main, root, say, step } from './lib/project.mjs';
import { ensureCargoTool, ensureWasmToolchain, lockedVersion } from './lib/wasm-toolchain.mjs';

const OLDEST_NODE = 20;
const WASM_PACK = '0.15.1';
const GECKODRIVER = '0.37.1';

/** Debian packages that the tests need beside a compiler, and what for. @type {Record<string, string[]>} */
const PACKAGES = {
  'the browser tests': [
    ...['chromium', 'chromium-driver', 'firefox-esr', 'webkit2gtk-driver', 'xvfb', 'xauth', 'dbus'],
  ],
  'the tests of the Admin API': ['curl'],
  'the live tests': ['postgresql', 'libpq-dev', 'python3-venv', 'openssh-client'],
};

/** An SSH server for the live tests, and a library that it needs and few machines have. */
export const SSH_SERVER = ['openssh-server', 'libwrap0'];

/** What needs root: `npm run setup`. It says what it will install before it does. */
export async function setUpMachine() {
  const absent = missing(Object.values(PACKAGES).flat());
  if (absent.length > 0)
    say(`npm run setup: installs with apt-get, as root or through sudo: ${absent.join(' ')}`);
  for (const [why, packages] of Object.entries(PACKAGES)) {
    await step(`Debian packages for ${why}`, () => ensureDebian(packages, why));
  }
  // Where rustup's server cannot be reached, the standard library for wasm32 is built into Debian's own.
  return step('Rust for wasm32', () => ensureWasmToolchain());
}

/** What building and serving the page needs. */
export async function setUpBuild() {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    throw new Explained(`Node ${OLDEST_NODE} or newer is needed; this is ${process.version}.`);
  }
  fs.mkdirSync(cache, { recursive: true });
  await step('npm packages for the build', () => ensureNpm(root));
  const env = await step('Rust for wasm32', () => ensureWasmToolchain());
  const wasmBindgen = await step('wasm-bindgen', () =>
    ensureCargoTool('wasm-bindgen-cli', lockedVersion('wasm-bindgen')),
  );
  return { env: { ...env, PATH: `${wasmBindgen}${path.delimiter}${process.env.PATH}` } };
}

/** What the tests need besides: the machine's part, npm's packages, wasm-pack and geckodriver. */
export async function setUpTests() {
  await setUpMachine();
  const { env } = await setUpBuild();
  await step('npm packages for the tests', () => {
    ensureNpm(path.join(root, 'tests'));
    // A test makes a release, and the types of what makes it are checked.
    ensureNpm(path.join(root, 'scripts/release'));
  });
  await step('an SSH server, unpacked', () => unpackDebian(SSH_SERVER));
  const tools = await step('wasm-pack and geckodriver', () => [
    ensureCargoTool('wasm-pack', WASM_PACK),
    ensureCargoTool('geckodriver', GECKODRIVER),
  ]);
  return { env: { ...env, PATH: [...tools, env.PATH].join(path.delimiter) } };
}

if (isMain(import.meta.url)) main(setUpMachine);
