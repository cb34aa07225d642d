// @ts-check
// What the operator's command can do, and the programs that it is compared with.

import { ask, findProgram } from '../../scripts/lib/process.mjs';
import { Explained } from '../../scripts/lib/project.mjs';

/** @param {string} command @param {string} subcommand */
export function needs(command, subcommand) {
  if (ask(command, [subcommand, '--help']) === null)
    throw new Explained(`crypto-diag has no command "${subcommand}": nothing to measure.`);
}

export const grep = () => findProgram({ name: 'grep', candidates: ['grep'], apt: 'grep' });
export const ripgrep = () => findProgram({ name: 'ripgrep', candidates: ['rg'], apt: 'ripgrep' });

/** @param {string} program */
export const versionLine = (program) => ask(program, ['--version'])?.split('\n')[0] ?? 'unknown';
