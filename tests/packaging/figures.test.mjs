// @ts-check
// The README shows what was measured, and nothing that somebody wrote there by hand.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/project.mjs';
import { readme } from '../../bench/report/markdown.mjs';
import { summarised } from '../../bench/report/summary.mjs';

const read = (/** @type {string} */ file) => readFileSync(path.join(root, file), 'utf8');
const record = JSON.parse(read('docs/bench/results.json'));

test('the README has the figures of the last record', () => {
  assert.equal(summarised(read('README.md'), record), read('README.md'));
});

test('the tables of docs/bench are those of the last record', () => {
  assert.equal(readme(record), read('docs/bench/README.md'));
});

test('a README without the place for the figures is named', () => {
  assert.throws(() => summarised('# something', record), /README\.md has no/);
});
