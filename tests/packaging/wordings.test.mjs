// @ts-check
// Every wording of the table stands in the package that is said to print it. An SDK's update that changes one is named here, and its
// row has to follow.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/project.mjs';

const MODULES = path.join(root, 'tests/node_modules');

/**
 * Where the code of a source that the table cites is installed, and what of it is looked at. Element Call's bundle has livekit-client
 * inside; the crypto that is compiled to WebAssembly has its texts in its data.
 * @type {Record<string, {folder: string, ending: string, versioned?: boolean}>}
 */
const PACKAGES = {
  'matrix-js-sdk 41.6.0-rc.0': { folder: 'matrix-js-sdk', ending: '.js', versioned: true },
  'matrix-js-sdk 43.0.0': { folder: 'matrix-js-sdk-43', ending: '.js', versioned: true },
  'matrix-sdk-crypto 0.19.1': { folder: '@matrix-org/matrix-sdk-crypto-wasm', ending: '.wasm' },
  'livekit-client 2.23.0': { folder: '@element-hq/element-call-embedded', ending: '.js' },
  'element-call 0.26.1': { folder: '@element-hq/element-call-embedded', ending: '.js', versioned: true },
  'matrix-widget-api': { folder: 'matrix-widget-api', ending: '.js' },
};

/** What a homeserver says and a client passes on. tests/live provokes these on a real Synapse. */
const OF_THE_SERVER = new Set(['Delayed event not found', 'already exists']);

/** Words that another package than the one which prints the line has put into it. @type {Record<string, string[]>} */
const PUT_IN_BY = {
  // The type of the event that the crypto complains of.
  'io.element.call.encryption_keys': ['matrix-js-sdk 41.6.0-rc.0', 'matrix-js-sdk 43.0.0'],
  // The action of a widget whose failure the SDK passes on.
  update_delayed_event: ['matrix-widget-api'],
};

/** @param {string} folder @param {string} ending @returns {Buffer[]} */
function contents(folder, ending) {
  const all = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  // What a package has below itself is another package.
  const own = (/** @type {string} */ place) => !path.relative(folder, place).includes('node_modules');
  return all
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending) && own(entry.parentPath))
    .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name)));
}

/** @type {Map<string, Buffer[]>} */
const read = new Map();

/** @param {string} source @param {string} words */
function holds(source, words) {
  const { folder, ending } = PACKAGES[source];
  const key = `${folder} ${ending}`;
  const files = read.get(key) ?? contents(path.join(MODULES, folder), ending);
  read.set(key, files);
  return files.some((file) => file.includes(words));
}

/**
 * What stands in the code of words as the console shows them: a logger's name in brackets comes from another place than what follows
 * it, and the space at the end comes between two arguments.
 * @param {string} words
 */
const pieces = (words) => words.split('] ').map((piece) => piece.trim());

/** The table's words and who prints them. */
function rows() {
  const lines = fs.readFileSync(path.join(root, 'docs/signatures.md'), 'utf8').split('\n');
  const head = lines.findIndex((line) => line.startsWith('| words |'));
  assert.equal(lines[head], '| words | family | a match by itself | unless | printed by | a line |');
  return lines
    .slice(head + 2)
    .filter(Boolean)
    .map((line) => {
      const words = /^\| `(.+?)` \| /.exec(line)?.[1];
      assert.ok(words, `a row without words: ${line}`);
      const printedBy = line.slice(`| \`${words}\` | `.length).split(' | ')[3];
      return { words, printedBy };
    });
}

/** The sources that a cell names: `matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/…`. @param {string} printedBy */
function sources(printedBy) {
  const [cited] = printedBy.split(', ');
  const [name, first, second] = cited.replace(' and ', ' ').split(' ');
  return [first, second].filter(Boolean).map((version) => `${name} ${version}`);
}

test('every wording stands in each package that is said to print it', () => {
  const table = rows();
  assert.ok(table.length > 50, `the table has ${table.length} rows`);
  const gone = [];
  for (const { words, printedBy } of table) {
    if (OF_THE_SERVER.has(words)) continue;
    for (const source of PUT_IN_BY[words] ?? sources(printedBy)) {
      assert.ok(source in PACKAGES, `"${words}": no package is known for "${source}"`);
      for (const piece of pieces(words).filter((piece) => !holds(source, piece)))
        gone.push(`${source} no longer has "${piece}" of "${words}"`);
    }
  }
  assert.deepEqual(gone, []);
});

/** Facts that are read out of info lines, and who prints those. What is printed at debug is not hooked: `Sent new key to livekit` is. */
const FACT_LINES = [
  ...startsIn('sent.js', /start: '([^']+)'/g, ['matrix-js-sdk 41.6.0-rc.0', 'matrix-js-sdk 43.0.0']),
  ...startsIn('call-lines.js', /line\(\s*'[a-z-]+',\s*'([^']+)'/g, ['element-call 0.26.1']),
];

/** How lines begin, by the code that looks for them; it runs after a build alone. @param {string} file @param {RegExp} form @param {string[]} from */
function startsIn(file, form, from) {
  const code = fs.readFileSync(path.join(root, 'pkg/src/capture', file), 'utf8');
  return [...code.matchAll(form)].map(([, start]) => ({ start, from }));
}

test('every line that facts are read out of is printed at info, by each package that is said to print it', () => {
  assert.equal(FACT_LINES.length, 4);
  const gone = FACT_LINES.flatMap(({ start, from }) =>
    from
      .filter((source) => !['"', "'", '`'].some((quote) => holds(source, `.info(${quote}${start}`)))
      .map((source) => `${source} does not print "${start}" at info`),
  );
  assert.deepEqual(gone, []);
});

test('the versions that the table cites are those that the tests have', () => {
  for (const [source, { folder, versioned }] of Object.entries(PACKAGES)) {
    if (!versioned) continue;
    const { version } = JSON.parse(fs.readFileSync(path.join(MODULES, folder, 'package.json'), 'utf8'));
    assert.equal(
      source.split(' ')[1],
      version,
      `${folder} was updated: look through the rows of "${source}"`,
    );
  }
});

test('a wording that no package has is named', () => {
  assert.equal(holds('matrix-js-sdk 43.0.0', 'MembershipManager stopped becoz'), false);
  assert.equal(holds('matrix-sdk-crypto 0.19.1', 'MissingOneTimeKey'), true);
});
