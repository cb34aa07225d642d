// @ts-check
// Assembles the demo page: the sources beside this file, the built package, the recorded consoles.
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);

/** What the page consists of. A file that is not listed here is not served. */
const SOURCES = [
  'index.html',
  'base.css',
  'page.css',
  'icon.svg',
  'install.js',
  'page.js',
  'console-list.js',
  'player.js',
  'recording.js',
  'demo-client.js',
  'consoles.json',
];

/** The package's files that the page loads, with the source maps by which DevTools shows the right call sites. */
const PACKAGE = ['index.js', 'card.js', 'analysis.js'].flatMap((file) => [file, `${file}.map`]);

/**
 * Writes the page into a folder, in place of what was there.
 *
 * @param {{ outDir?: string, packageDir?: string, consolesDir?: string }} [options] folders; by default those of this repository
 * @throws {Error} naming the file that is missing
 */
export async function buildSite({
  outDir = path.join(here, 'dist'),
  packageDir = path.join(root, 'pkg/dist'),
  consolesDir = path.join(root, 'tests/fixtures/console'),
} = {}) {
  /** @type {{ file: string }[]} */
  const recordings = JSON.parse(await readFile(path.join(here, 'consoles.json'), 'utf8'));
  const files = [
    ...SOURCES.map((name) => ({ from: path.join(here, name), to: name })),
    ...PACKAGE.map((name) => ({ from: path.join(packageDir, name), to: `crypto-diag/${name}` })),
    ...recordings.map(({ file }) => ({ from: path.join(consolesDir, file), to: `consoles/${file}` })),
  ];
  await rm(outDir, { recursive: true, force: true });
  for (const { from, to } of files) {
    const target = path.join(outDir, to);
    await mkdir(path.dirname(target), { recursive: true });
    await cp(from, target).catch((error) => {
      throw new Error(
        `the page needs ${path.relative(root, from)}; npm run build makes the package (${error.code})`,
      );
    });
  }
}
