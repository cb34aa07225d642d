// @ts-check
// The operator's command of this checkout.

import path from 'node:path';
import { quietly } from './process.mjs';
import { target } from './project.mjs';

/**
 * Builds `crypto-diag`, unless CRYPTO_DIAG_CLI names one that is built.
 * @param {'debug' | 'release'} [profile]
 * @returns {string} its path
 */
export function commandLine(profile = 'debug') {
  if (process.env.CRYPTO_DIAG_CLI) return path.resolve(process.env.CRYPTO_DIAG_CLI);
  quietly('cargo', ['build', '-q', ...(profile === 'release' ? ['--release'] : []), '-p', 'crypto-diag-cli']);
  return path.join(target, profile, process.platform === 'win32' ? 'crypto-diag.exe' : 'crypto-diag');
}
