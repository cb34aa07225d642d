// Adds crypto-diag to a checkout of Cinny, whatever its version:
//
//     node node_modules/crypto-diag/cinny/patch.mjs --apply
//
// Without `--apply` it prints the patch. The patch has no context, so it is made for the checkout that it is run in. What is
// there already is left out, and a copied file that was edited stays as it is.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ENTRY = 'src/index.tsx';
const PAGE = 'src/app/features/settings/developer-tools/DevelopTools.tsx';

/** The files that are copied, and where to. */
const COPIES = {
  'cryptoDiagLog.ts': 'src/app/utils/cryptoDiagLog.ts',
  'CryptoDiagnostics.tsx': 'src/app/features/settings/developer/CryptoDiagnostics.tsx',
};

const ENTRY_IMPORT = "import './app/utils/cryptoDiagLog';";
const PAGE_IMPORT = "import { CryptoDiagnostics } from '../developer/CryptoDiagnostics';";
const CARD = '{developerTools && <CryptoDiagnostics />}';

/** @typedef {{ after: number, line: string }} Insertion `after` counts lines from 1; 0 is the file's top. */

/** Where a place is not found, and what to do by hand instead. */
export class PlaceNotFound extends Error {}

/**
 * The capture comes before everything else: imports run in their order.
 * @param {string[]} lines
 * @returns {Insertion[]}
 */
function entryInsertions(lines) {
  return lines.includes(ENTRY_IMPORT) ? [] : [{ after: 0, line: ENTRY_IMPORT }];
}

/**
 * The card is a block of its own, after the one that holds "Access Token": the first of the page's list.
 * @param {string[]} lines
 * @returns {Insertion[]}
 */
function pageInsertions(lines) {
  if (lines.includes(PAGE_IMPORT)) return [];
  const list = lines.findIndex((line) => line.trim() === '<Box direction="Column" gap="700">');
  const indentation = `${/^\s*/.exec(lines[list] ?? '')?.[0]}  `;
  const end = lines.findIndex((line, at) => at > list && line === `${indentation}</Box>`);
  const imported = lastImport(lines);
  const guarded = lines.some((line) => line.includes('[developerTools, '));
  if (list < 0 || end < 0 || imported === 0 || !guarded) {
    throw new PlaceNotFound(
      `${PAGE} looks different from what this script knows. Add by hand:\n` +
        `  with the imports:                            ${PAGE_IMPORT}\n` +
        `  after the Box that holds "Access Token":     ${CARD}`
    );
  }
  return [
    { after: imported, line: PAGE_IMPORT },
    { after: end + 1, line: indentation + CARD },
  ];
}

/** The line, from 1, on which the file's last import ends; 0 if it has none. @param {string[]} lines */
function lastImport(lines) {
  let last = 0;
  let open = false;
  for (const [at, line] of lines.entries()) {
    if (/^import\b/.test(line)) open = true;
    else if (!open && /^(export|function|const|type)\b/.test(line)) break;
    if (open && /['"];?$/.test(line.trimEnd())) {
      last = at + 1;
      open = false;
    }
  }
  return last;
}

const header = (/** @type {string} */ file, from = `a/${file}`) => [
  `diff --git a/${file} b/${file}`,
  ...(from === '/dev/null' ? ['new file mode 100644'] : []),
  `--- ${from}`,
  `+++ b/${file}`,
];

/**
 * A patch of insertions alone, so that nothing of the file itself stands in it.
 * @param {string} file
 * @param {string} text
 * @param {(lines: string[]) => Insertion[]} find
 */
function patchInsertions(file, text, find) {
  const carriage = text.includes('\r\n') ? '\r' : '';
  const insertions = find(text.split(/\r?\n/));
  if (insertions.length === 0) return [];
  const hunks = insertions.flatMap(({ after, line }, earlier) => [
    `@@ -${after},0 +${after + earlier + 1} @@`,
    `+${line}${carriage}`,
  ]);
  return [...header(file), ...hunks];
}

/** The first line of a copied file: what follows it is as the package had it, as long as the digest fits. */
const MARK = /^\/\/ Copied from crypto-diag, ([0-9a-f]{16})\.\n/;

const digest = (/** @type {string} */ text) =>
  createHash('sha256').update(text).digest('hex').slice(0, 16);

/** A source as the package ships it for copying. @param {string} source */
export const marked = (source) => `// Copied from crypto-diag, ${digest(source)}.\n${source}`;

/** Whether a copy is as some version of the package had it. @param {string} text */
function isUnedited(text) {
  const mark = MARK.exec(text);
  return mark !== null && digest(text.slice(mark[0].length)) === mark[1];
}

/**
 * A patch that makes a copied file what the package has.
 * @param {string} file
 * @param {string | null} old
 * @param {string} text
 */
function patchCopy(file, old, text) {
  const carriage = old?.includes('\r\n') ? '\r' : '';
  const lines = (/** @type {string} */ content) => content.replace(/\r?\n$/, '').split(/\r?\n/);
  const range = (/** @type {number} */ from, /** @type {string} */ content) =>
    `${from},${lines(content).length}`;
  const added = lines(text).map((line) => `+${line}${carriage}`);
  if (old === null) {
    return [...header(file, '/dev/null'), `@@ -0,0 +${range(1, text)} @@`, ...added];
  }
  const removed = lines(old).map((line) => `-${line}${carriage}`);
  return [...header(file), `@@ -${range(1, old)} +${range(1, text)} @@`, ...removed, ...added];
}

/**
 * The patch for a checkout of Cinny, empty where all is in place, and the copied files that were edited there and so are not
 * in it.
 * @param {string} checkout its folder
 * @returns {{ patch: string, edited: { file: string, source: string }[] }} `source`: the package's version of `file`
 * @throws {PlaceNotFound}
 */
export function patchFor(checkout) {
  const read = (/** @type {string} */ file) => {
    try {
      return fs.readFileSync(path.join(checkout, file), 'utf8');
    } catch {
      throw new PlaceNotFound(`${file} is not here; run this in the root folder of Cinny.`);
    }
  };
  const lines = [
    ...patchInsertions(ENTRY, read(ENTRY), entryInsertions),
    ...patchInsertions(PAGE, read(PAGE), pageInsertions),
  ];
  const edited = [];
  for (const [name, file] of Object.entries(COPIES)) {
    const old = fs.existsSync(path.join(checkout, file)) ? read(file) : null;
    const source = path.join(path.dirname(fileURLToPath(import.meta.url)), name);
    const text = fs.readFileSync(source, 'utf8');
    const plain = old?.replaceAll('\r\n', '\n');
    if (plain === text) continue;
    if (plain === undefined || isUnedited(plain)) lines.push(...patchCopy(file, old, text));
    else edited.push({ file, source });
  }
  return { patch: lines.map((line) => `${line}\n`).join(''), edited };
}

/** @param {boolean} apply Whether git applies the patch, or it is printed. @returns {number} The exit code. */
function main(apply) {
  const { patch, edited } = patchFor(process.cwd());
  for (const { file, source } of edited) {
    const here = path.relative(process.cwd(), source);
    process.stderr.write(
      `${file} was edited since it was copied, and stays as it is. What differs:\n` +
        `  git diff --no-index ${here} ${file}\n`
    );
  }
  if (patch === '') {
    if (edited.length === 0) process.stderr.write('crypto-diag is in place already.\n');
    return 0;
  }
  if (!apply) {
    process.stdout.write(patch);
    return 0;
  }
  const git = spawnSync('git', ['apply', '--unidiff-zero'], {
    input: patch,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  if (git.error) process.stderr.write(`git could not be run: ${git.error.message}\n`);
  return git.status ?? 1;
}

if (process.argv[1] && pathToFileURL(fs.realpathSync(process.argv[1])).href === import.meta.url) {
  try {
    process.exitCode = main(process.argv[2] === '--apply');
  } catch (error) {
    if (!(error instanceof PlaceNotFound)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
