// @ts-check
// Makes a wheel of the Python package for many reports. The wheel has the command inside, so it needs nothing else of this project.

import fs from 'node:fs';
import path from 'node:path';
import { quietly } from '../lib/process.mjs';
import { root } from '../lib/project.mjs';
import { neededGlibc } from './binary.mjs';

/**
 * The name by which wheels call a platform.
 * @param {string} program
 * @param {string} triple what it is compiled for
 */
function platform(program, triple) {
  const machine = triple.split('-')[0];
  const glibc = neededGlibc(program);
  if (glibc !== null) return `manylinux_${glibc.split('.').slice(0, 2).join('_')}_${machine}`;
  // A static program needs no C library. These are the oldest versions that names of wheels still have.
  return `manylinux_2_17_${machine}.musllinux_1_1_${machine}`;
}

/**
 * Makes the wheel.
 * @param {{ out: string, folder: string, triple: string }} what where it goes, and the folder of the released program
 * @returns {string} its name
 */
export function packWheel({ out, folder, triple }) {
  const before = new Set(fs.readdirSync(out));
  quietly(
    'python3',
    ['-m', 'pip', 'wheel', '--quiet', '--no-deps', '--wheel-dir', out, path.join(root, 'fleet')],
    {
      env: {
        CRYPTO_DIAG_FOLDER: folder,
        CRYPTO_DIAG_PLATFORM: platform(path.join(folder, 'crypto-diag'), triple),
      },
    },
  );
  const [name] = fs.readdirSync(out).filter((file) => !before.has(file) && file.endsWith('.whl'));
  return name;
}
