// @ts-check
// The operator's command as it is shipped, and the programs that it is compared with.

import path from 'node:path';
import { Explained, ask, root, run } from '../../scripts/lib/run.mjs';
import { findProgram } from '../../tests/support/process.mjs';

/** Builds `crypto-diag` for release and gives its path. */
export function ourCommand() {
  run('cargo', ['build', '-q', '--release', '-p', 'crypto-diag-cli']);
  return path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, 'target'), 'release/crypto-diag');
}

/** @param {string} command @param {string} subcommand */
export function needs(command, subcommand) {
  if (ask(command, [subcommand, '--help']) === null)
    throw new Explained(`crypto-diag has no command "${subcommand}": nothing to measure.`);
}

export const grep = () => findProgram({ name: 'grep', candidates: ['grep'], apt: 'grep' });
export const ripgrep = () => findProgram({ name: 'ripgrep', candidates: ['rg'], apt: 'ripgrep' });

/** @param {string} program */
export const versionLine = (program) => ask(program, ['--version'])?.split('\n')[0] ?? 'unknown';
