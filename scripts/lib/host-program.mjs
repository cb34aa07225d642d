// @ts-check
// The programs of this checkout that run on this machine.

import path from 'node:path';
import { quietly } from './process.mjs';
import { target } from './project.mjs';

/** Cargo's profile of tests and of programs for them. */
export const HOST_PROFILE = 'checked';

/**
 * Builds a program as `cargo test --workspace` builds it, so that neither compiles what the other has compiled.
 * @param {string} name
 * @param {'checked' | 'release'} [profile]
 * @returns {string} its path
 */
export function hostProgram(name, profile = HOST_PROFILE) {
  quietly('cargo', ['build', '-q', '--workspace', '--profile', profile, '--bin', name]);
  return path.join(target, profile, process.platform === 'win32' ? `${name}.exe` : name);
}

/**
 * Builds an example of a crate of this workspace.
 * @param {string} name
 * @param {'checked' | 'release'} [profile]
 * @returns {string} its path
 */
export function hostExample(name, profile = HOST_PROFILE) {
  quietly('cargo', ['build', '-q', '--workspace', '--profile', profile, '--example', name]);
  return path.join(target, profile, 'examples', name);
}

/**
 * Builds `crypto-diag`, unless CRYPTO_DIAG_CLI names one that is built.
 * @param {'checked' | 'release'} [profile]
 * @returns {string} its path
 */
export function commandLine(profile) {
  if (process.env.CRYPTO_DIAG_CLI) return path.resolve(process.env.CRYPTO_DIAG_CLI);
  return hostProgram('crypto-diag', profile);
}
