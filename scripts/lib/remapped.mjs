// @ts-check
// Sources get the same names on every machine: a panic's place is part of a program, and would otherwise name the home folder of
// whoever built it.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Flags for rustc. @returns {string[]} */
export function remapped() {
  const sources = path.join(process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo'), 'registry/src');
  const registries = fs.existsSync(sources) ? fs.readdirSync(sources) : [];
  return registries.map((name) => `--remap-path-prefix=${path.join(sources, name)}=crates`);
}
