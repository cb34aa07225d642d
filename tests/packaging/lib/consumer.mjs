// @ts-check
// A program that uses the package as its users do: from the registry's kind of archive, never from a link.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmCi } from '../../../scripts/lib/packages.mjs';
import { quietly } from '../../../scripts/lib/process.mjs';
import { cache, root } from '../../../scripts/lib/project.mjs';

const packaging = join(dirname(fileURLToPath(import.meta.url)), '..');
const workshop = join(cache, 'packaging');

/** The package's archive as `npm pack` makes it, and what it says about it. It is removed when the process ends. */
export const archive = pack();

/** @returns {{ path: string, files: string[], size: number, unpackedSize: number }} */
function pack() {
  mkdirSync(workshop, { recursive: true });
  const folder = mkdtempSync(join(workshop, 'archive-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const said = quietly('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: join(root, 'pkg/dist'),
  });
  // npm 12 gives an object by package name where older ones give a list.
  const [made] = Object.values(JSON.parse(said));
  return {
    path: join(folder, made.filename),
    files: made.files.map((/** @type {{ path: string }} */ file) => file.path).sort(),
    size: made.size,
    unpackedSize: made.unpackedSize,
  };
}

/** The archive's files on disk, to be read. */
export function unpacked() {
  const folder = dirname(archive.path);
  quietly('tar', ['-xzf', archive.path], { cwd: folder });
  return join(folder, 'package');
}

/**
 * Makes a program's folder ready: its own tools as its lock file names them, kept for the next run, and the archive, new.
 * @param {string} name a folder of tests/packaging
 * @param {string[]} [sources] further folders of tests/packaging, whose files it takes over
 * @returns {string} the folder, which is thrown away at the next run
 */
export function prepare(name, sources = []) {
  const home = join(packaging, name);
  const folder = join(workshop, name, toolsOf(home));
  const ready = join(folder, '.ready');
  if (!existsSync(ready)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(home)) {
      if (/^package(-lock)?\.json$/.test(file)) cpSync(join(home, file), join(folder, file));
    }
    if (existsSync(join(home, 'package-lock.json'))) {
      // Without scripts: esbuild's only makes its start a little quicker.
      npmCi(folder, ['--ignore-scripts']);
    }
    writeFileSync(ready, '');
  }
  for (const left of readdirSync(folder)) {
    if (!['.ready', 'node_modules'].includes(left)) rmSync(join(folder, left), { recursive: true });
  }
  for (const source of [...sources.map((source) => join(packaging, source)), home]) {
    cpSync(source, folder, { recursive: true });
  }
  rmSync(join(folder, 'node_modules/crypto-diag'), { recursive: true, force: true });
  // By the lock file, which is what lets npm know every other dependency without asking the registry.
  const flags = ['--no-save', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  quietly('npm', ['install', ...flags, archive.path], { cwd: folder });
  return folder;
}

/** A name for what a lock file installs. @param {string} home */
function toolsOf(home) {
  const lock = join(home, 'package-lock.json');
  const text = existsSync(lock) ? readFileSync(lock) : '';
  return createHash('sha256').update(process.version).update(text).digest('hex').slice(0, 12);
}
