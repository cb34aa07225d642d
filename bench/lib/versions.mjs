// @ts-check
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from '../../scripts/lib/project.mjs';

/** The installed version of a peer's npm package. @param {string} module */
export function versionOf(module) {
  const file = path.join(root, 'bench/node_modules', module, 'package.json');
  return /** @type {string} */ (JSON.parse(fs.readFileSync(file, 'utf8')).version);
}

/** The version of crypto-diag. */
export const ourVersion = () =>
  /** @type {string} */ (JSON.parse(fs.readFileSync(path.join(root, 'pkg/package.json'), 'utf8')).version);

/** What the figures depend on besides the code. */
export function machine() {
  return {
    cores: os.cpus().length,
    system: `${os.type()} ${os.arch()}`,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    node: process.versions.node,
  };
}
