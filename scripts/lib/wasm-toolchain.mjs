// @ts-check
// A Rust compiler that can build for wasm32-unknown-unknown, however this machine can have one.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { asRoot, ensureDebian } from './packages.mjs';
import { ask, quietly } from './process.mjs';
import { Explained, cache, root, say } from './project.mjs';

const TARGET = 'wasm32-unknown-unknown';
/** rustup's name for Debian's compiler, linked only where rustup's own server cannot be reached. */
const LINKED = 'crypto-diag-debian';
const DEBIAN_LINKER = 'wasm-ld-19';
/** Seconds that rustup may take; where its server is unreachable it hangs rather than fails. */
const RUSTUP_PATIENCE = 45;

const debianEnv = {
  ...(ask('rustup', ['--version']) ? { RUSTUP_TOOLCHAIN: LINKED } : {}),
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: DEBIAN_LINKER,
};

/** Whether a compiler, with this environment, really builds a wasm32 library that uses std. @param {Record<string, string | undefined>} env */
function builds(env) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'crypto-diag-probe-'));
  const source = path.join(folder, 'probe.rs');
  fs.writeFileSync(source, 'pub fn probe() -> String { String::new() }');
  const linker = env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER;
  const done = ask(
    'rustc',
    [
      '--target',
      TARGET,
      '--crate-type=cdylib',
      ...(linker ? [`-Clinker=${linker}`] : []),
      '-o',
      path.join(folder, 'probe.wasm'),
      source,
    ],
    { env },
  );
  fs.rmSync(folder, { recursive: true, force: true });
  return done !== null;
}

/** Builds the wasm32 standard library from Debian's source package with Debian's own compiler. */
function buildDebianLibrary() {
  ensureDebian(['rustc-web', 'cargo-web', 'rust-web-src', 'lld-19'], 'building WebAssembly');
  const build = path.join(cache, 'wasm32-std');
  // Left-overs of a failed try make every later build fail with E0464.
  fs.rmSync(build, { recursive: true, force: true });
  fs.cpSync('/usr/lib/rustlib/src/rust/library', path.join(build, 'library'), {
    recursive: true,
    dereference: true,
  });
  say('  building the wasm32 standard library (about a minute)');
  quietly(
    '/usr/bin/cargo',
    ['build', '--release', '--target', TARGET, '--manifest-path', 'sysroot/Cargo.toml'],
    {
      cwd: path.join(build, 'library'),
      env: {
        // Without RUSTC, cargo takes the first rustc in PATH, which may be an older one of rustup's.
        RUSTC: '/usr/bin/rustc',
        RUSTFLAGS: '-Zforce-unstable-if-unmarked -Cembed-bitcode=yes',
        RUSTC_BOOTSTRAP: '1',
        __CARGO_DEFAULT_LIB_METADATA: 'stablestd',
        CARGO_PROFILE_RELEASE_PANIC: 'abort',
        CARGO_TARGET_DIR: path.join(build, 'target'),
        RUSTUP_TOOLCHAIN: undefined,
      },
    },
  );
  const built = path.join(build, 'target', TARGET, 'release/deps');
  const installed = `/usr/lib/rustlib/${TARGET}/lib`;
  asRoot('rm', ['-rf', installed]);
  asRoot('mkdir', ['-p', installed]);
  const libraries = fs.readdirSync(built).filter((name) => name.endsWith('.rlib'));
  asRoot('cp', [...libraries.map((name) => path.join(built, name)), installed]);
  fs.rmSync(build, { recursive: true, force: true });
}

/** @type {Record<string, string> | undefined} */
let found;

/**
 * The environment in which cargo builds for wasm32, set up first if need be: rustup's target where its server can be
 * reached, else Debian's compiler with a standard library built here.
 * @returns {Record<string, string>}
 */
export function ensureWasmToolchain() {
  if (found) return found;
  if (ask('rustc', ['--version']) === null) {
    throw new Explained('Rust is missing. Install it with: apt-get install rustup && rustup default stable');
  }
  if (builds({})) return (found = {});
  if (builds(debianEnv)) return (found = debianEnv);
  if (ask('rustup', ['--version']) !== null) {
    say(`  asking rustup for ${TARGET} (at most ${RUSTUP_PATIENCE} s)`);
    ask('rustup', ['target', 'add', TARGET], { seconds: RUSTUP_PATIENCE });
    if (builds({})) return (found = {});
  }
  if (ask('apt-get', ['--version']) === null) {
    throw new Explained(`The ${TARGET} target is missing. Install it with: rustup target add ${TARGET}`);
  }
  buildDebianLibrary();
  if (ask('rustup', ['--version']) !== null) quietly('rustup', ['toolchain', 'link', LINKED, '/usr']);
  if (!builds(debianEnv))
    throw new Explained(`Debian's compiler was set up for ${TARGET}, but a probe does not build.`);
  return (found = debianEnv);
}

/**
 * Installs a cargo binary into the cache, by version, and returns its folder for PATH. It is built in the least time, neither optimised nor
 * with debug information: it runs for seconds, and a fresh machine waits for minutes until it is there.
 * @param {string} name The crate.
 * @param {string} version
 */
export function ensureCargoTool(name, version) {
  const folder = path.join(cache, 'tools', `${name}-${version}`);
  const bin = path.join(folder, 'bin');
  if (!fs.existsSync(path.join(folder, '.crates.toml'))) {
    say(`  building ${name} ${version}`);
    // Not --locked: a published lock file may name versions that the registry no longer serves.
    quietly('cargo', ['install', name, '--version', version, '--root', folder, '--debug'], {
      env: { CARGO_TARGET_DIR: path.join(cache, 'tools-target'), CARGO_PROFILE_DEV_DEBUG: '0' },
    });
  }
  return bin;
}

/** The version of a crate that Cargo.lock names: wasm-bindgen's command must match its library to the digit. @param {string} crate */
export function lockedVersion(crate) {
  const lock = fs.readFileSync(path.join(root, 'Cargo.lock'), 'utf8');
  const version = new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`).exec(lock)?.[1];
  if (!version) throw new Explained(`Cargo.lock names no ${crate}.`);
  return version;
}
