// @ts-check
// docs/promises.md names the test of each promise; a list that nobody checks is wrong after a month.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { root } from './harness.mjs';

/** Titles of the tests of this folder, each after its file's name. */
function registered() {
  const folder = `${root}tests/e2e/fidelity`;
  return readdirSync(folder)
    .filter((name) => name.endsWith('.test.mjs') && name !== 'promises.test.mjs')
    .flatMap((name) => {
      const source = readFileSync(`${folder}/${name}`, 'utf8');
      const titles = source.matchAll(
        /^(?:claim|compiled|test)\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/gm,
      );
      return [...titles].map(([, single, double]) => `${name.replace('.test.mjs', '')}: ${single ?? double}`);
    })
    .sort();
}

/** What the document's tables name, likewise. */
function promised() {
  const rows = readFileSync(`${root}docs/promises.md`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') || line.startsWith('|  '))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return rows
    .map((cells) => cells.slice(-2))
    .filter(([file]) => file !== 'file')
    .map(([file, title]) => `${file}: ${title}`)
    .sort();
}

test('every test that a promise names exists, and every test shows a promise', () => {
  const names = registered();
  assert.ok(names.length > 60, `${names.length} tests`);
  assert.deepEqual(promised(), names);
});
