// @ts-check
// docs/cinny.md, followed to the letter.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { marked } from '../../pkg/src/cinny/patch.mjs';
import { root } from '../../scripts/lib/project.mjs';
import { outcome, quietly } from '../../scripts/lib/process.mjs';
import { blocks, follow, freshCopy, git } from './lib/app.mjs';

const [quick, byHand] = blocks('sh');
/** The guide's second line: what adds the places. */
const APPLY = quick.split('\n').slice(1).join('\n');
const ENTRY = 'src/index.tsx';
const PAGE = 'src/app/features/settings/developer-tools/DevelopTools.tsx';
const COPIES = [
  ['cryptoDiagLog.ts', 'src/app/utils/cryptoDiagLog.ts'],
  ['CryptoDiagnostics.tsx', 'src/app/features/settings/developer/CryptoDiagnostics.tsx'],
];
/** A copied file as the package has it. @param {string} name */
const shipped = (name) => marked(readFileSync(join(root, 'pkg/src/cinny', name), 'utf8'));
/** As it is shipped, beside the files that it copies. @type {typeof import('../../pkg/src/cinny/patch.mjs')} */
const { patchFor } = await import(join(root, 'pkg/dist/cinny/patch.mjs'));
const NOTHING = { patch: '', edited: [] };

describe('a maintainer follows the guide on a fresh copy', () => {
  /** @type {string} */
  let app;
  before(() => {
    app = freshCopy();
    follow(app, quick);
  });
  const text = (/** @type {string} */ file) => readFileSync(join(app, file), 'utf8');

  test('three lines are added to two files, those that the guide names, and nothing is taken away', () => {
    const changed = git(app, 'diff', '-U0', '--', 'src').split('\n');
    const added = changed.filter((line) => /^\+(?!\+\+)/.test(line)).map((line) => line.slice(1).trim());
    assert.deepEqual(
      added.sort(),
      blocks('tsx')
        .map((line) => line.trim())
        .sort(),
    );
    assert.deepEqual(
      changed.filter((line) => /^-(?!--)/.test(line)),
      [],
    );
    assert.deepEqual(git(app, 'diff', '--name-only', '--', 'src').trim().split('\n').sort(), [PAGE, ENTRY]);
  });

  test('the capture is the entry’s first line', () => {
    assert.ok(text(ENTRY).startsWith("import './app/utils/cryptoDiagLog';\n"));
  });

  test('the card stands between "Access Token" and "Account Data"', () => {
    const page = text(PAGE);
    const places = ['Access Token', '<CryptoDiagnostics />', 'Account Data'].map((word) =>
      page.indexOf(word),
    );
    assert.deepEqual(
      [...places].sort((a, b) => a - b),
      places,
    );
    assert.ok(places[0] > 0);
  });

  test('the two files are the package’s own', () => {
    for (const [name, file] of COPIES) assert.equal(text(file), shipped(name));
  });

  test('the package is installed from its archive, not linked', () => {
    const tree = JSON.parse(quietly('npm', ['ls', 'crypto-diag', '--json', '--offline'], { cwd: app }));
    assert.match(tree.dependencies['crypto-diag'].resolved, /^file:.*\.tgz$/);
  });

  test('following it a second time changes nothing', () => {
    assert.deepEqual(patchFor(app), NOTHING);
    const { code, stderr } = outcome('sh', ['-euc', APPLY], { cwd: app });
    assert.deepEqual([code, stderr], [0, 'crypto-diag is in place already.\n']);
  });

  test('by hand it comes to the same', () => {
    const patched = COPIES.map(([, file]) => text(file));
    for (const [, file] of COPIES) rmSync(join(app, file));
    follow(app, byHand);
    assert.deepEqual(
      COPIES.map(([, file]) => text(file)),
      patched,
    );
    assert.deepEqual(patchFor(app), NOTHING);
  });

  test('an update brings copies of an older version to the package’s', () => {
    const [name, file] = COPIES[0];
    writeFileSync(join(app, file), marked('// an older version\nexport {};\n'));
    follow(app, APPLY);
    assert.equal(text(file), shipped(name));
  });

  test('an update leaves an edited copy as it is, names it, and says how to see what differs', () => {
    const [name, file] = COPIES[1];
    const edited = shipped(name).replace("'Crypto Diagnostics'", "'Verschlüsselung'");
    writeFileSync(join(app, file), edited);
    const { code, stderr } = outcome('sh', ['-euc', APPLY], { cwd: app });
    assert.equal(code, 0);
    assert.match(stderr, /CryptoDiagnostics\.tsx was edited since it was copied, and stays as it is/);
    assert.equal(text(file), edited);
    const compare = /** @type {RegExpExecArray} */ (/^ {2}(git diff .*)$/m.exec(stderr))[1];
    assert.match(outcome('sh', ['-c', compare], { cwd: app }).stdout, /^\+ {2}title: 'Verschlüsselung',$/m);
  });
});

describe('the patch is made for the checkout at hand', () => {
  /** @type {string} */
  let folder;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'crypto-diag-patch-'));
    git(folder, 'init', '-q');
  });
  after(() => rmSync(folder, { recursive: true }));

  /** @param {string} entry @param {string} page */
  function checkout(entry, page) {
    for (const [file, text] of [
      [ENTRY, entry],
      [PAGE, page],
    ]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    for (const [, file] of COPIES) rmSync(join(folder, file), { force: true });
  }

  /** Applies the patch as git does. */
  function apply() {
    writeFileSync(join(folder, 'added.patch'), patchFor(folder).patch);
    git(folder, 'apply', '--unidiff-zero', 'added.patch');
    return readFileSync(join(folder, PAGE), 'utf8');
  }

  const page = (/** @type {string} */ top, /** @type {string} */ indentation) =>
    [
      top,
      'export function Page() {',
      "  const [developerTools, setDeveloperTools] = useSetting('developerTools');",
      '  return (',
      ...[
        '<Box direction="Column" gap="700">',
        '  <Box direction="Column" gap="100">',
        '    <Box>{developerTools && "token"}</Box>',
        '  </Box>',
        '  <Last />',
        '</Box>',
      ].map((line) => indentation + line),
      '  );',
      '}',
      '',
    ].join('\n');

  test('a licence above, imports over several lines and another depth do not mislead it', () => {
    const top = [
      '// A licence',
      '',
      "import React from 'react';",
      'import {',
      '  Box,',
      "} from 'folds';",
      '',
      'type Props = {};',
    ].join('\n');
    checkout("import React from 'react';\n", page(top, '          '));
    const lines = apply().split('\n');
    assert.equal(lines[6], "import { CryptoDiagnostics } from '../developer/CryptoDiagnostics';");
    const card = lines.indexOf('            {developerTools && <CryptoDiagnostics />}');
    assert.equal(lines[card - 1], '            </Box>');
    assert.equal(lines[card + 1], '            <Last />');
  });

  test('lines that end as on Windows keep ending so', () => {
    const crlf = (/** @type {string} */ text) => text.replaceAll('\n', '\r\n');
    checkout(crlf("import React from 'react';\n"), crlf(page("import React from 'react';", '    ')));
    const text = apply();
    assert.equal(text.split('\n').filter((line) => line !== '' && !line.endsWith('\r')).length, 0);
    assert.match(text, /<CryptoDiagnostics \/>/);
  });

  test('a page that it does not know is left alone, and the places are named', () => {
    checkout('', "import React from 'react';\nexport const Page = () => <main />;\n");
    assert.throws(() => patchFor(folder), /after the Box that holds "Access Token"/);
  });

  test('in another folder it says where it belongs', () => {
    assert.throws(() => patchFor(join(folder, 'src')), /root folder of Cinny/);
  });
});
