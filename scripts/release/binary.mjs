// @ts-check
// The program as it is released: static where the machine can make it so, else with the oldest C library that it then needs, named.

import fs from 'node:fs';
import path from 'node:path';
import { ensureDebian } from '../lib/packages.mjs';
import { ask, quietly, run } from '../lib/process.mjs';
import { Explained, say, target } from '../lib/project.mjs';
import { remapped } from '../lib/remapped.mjs';

/** Cargo's profile of what is released. */
const PROFILE = 'dist';

/** What rustc compiles for without being asked, `x86_64-unknown-linux-gnu`. */
function host() {
  const said = quietly('rustc', ['-vV']);
  const found = /^host: (\S+)$/m.exec(said);
  if (!found) throw new Explained(`rustc -vV names no host:\n${said}`);
  return found[1];
}

/** Whether the standard library for a target is there. @param {string} triple */
const hasTarget = (triple) =>
  fs.existsSync(path.join(quietly('rustc', ['--print', 'sysroot']).trim(), 'lib/rustlib', triple, 'lib'));

/**
 * The newest version of the C library that a program asks for.
 * @param {string} program
 * @returns {string | null} null for a program that asks for none
 */
export function neededGlibc(program) {
  const versions = quietly('readelf', ['--version-info', '--wide', program]).matchAll(
    /GLIBC_(\d+(?:\.\d+)+)/g,
  );
  const sorted = [...versions]
    .map(([, version]) => version)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return sorted.at(-1) ?? null;
}

/**
 * Compiles the program.
 * @returns {{ program: string, triple: string, runsOn: string }} where it is, what it is compiled for, and in words where it runs
 */
export function releasedProgram() {
  const own = host();
  const still = own.replace(/-gnu$/, '-musl');
  const isStatic = own !== still && hasTarget(still) && hasCompiler(still);
  const triple = isStatic ? still : own;
  const env = isStatic ? { [`CC_${triple.replaceAll('-', '_')}`]: 'musl-gcc' } : {};
  const flags = ['--config', `target.${triple}.rustflags=${JSON.stringify(remapped())}`];
  run(
    'cargo',
    ['build', '--locked', '--profile', PROFILE, '--target', triple, '-p', 'crypto-diag-cli', ...flags],
    { env },
  );
  const program = path.join(target, triple, PROFILE, 'crypto-diag');
  const glibc = neededGlibc(program);
  const machine = triple.split('-')[0];
  const runsOn = glibc
    ? `Linux on ${machine} with glibc ${glibc} or newer. \`rustup target add ${still}\` makes it static.`
    : `any Linux on ${machine}: it is linked statically`;
  say(`  It runs on ${runsOn}`);
  return { program, triple, runsOn };
}

/** Whether C can be compiled for a static target. @param {string} triple */
function hasCompiler(triple) {
  if (ask('musl-gcc', ['--version']) !== null) return true;
  try {
    ensureDebian(['musl-tools'], `a static program (${triple})`);
    return true;
  } catch (error) {
    say(`  ${/** @type {Error} */ (error).message}`);
    return false;
  }
}
