// @ts-check
// The Python package in fleet/, and the virtual environment in which it is tested.

import fs from 'node:fs';
import path from 'node:path';
import { quietly } from './process.mjs';
import { cache, root } from './project.mjs';

/** Its folder. */
export const fleet = path.join(root, 'fleet');

/** The packages of the virtual environment. */
const PACKAGES = ['duckdb==2.0.1', 'mypy==2.4.1', 'pyspark==4.3.0', 'pytest==9.2.0', 'ruff==0.17.6'];

/** Installs the packages unless they are there. @returns {string} the folder of their programs */
export function ensureFleet() {
  const venv = path.join(cache, 'fleet');
  const bin = path.join(venv, 'bin');
  // The marker is written last, so that an interrupted installation has none.
  const marker = path.join(venv, '.crypto-diag-ready');
  const wanted = PACKAGES.join('\n');
  if (fs.existsSync(marker) && fs.readFileSync(marker, 'utf8') === wanted) return bin;
  fs.rmSync(venv, { recursive: true, force: true });
  quietly('python3', ['-m', 'venv', venv]);
  quietly(path.join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', ...PACKAGES]);
  fs.writeFileSync(marker, wanted);
  return bin;
}
