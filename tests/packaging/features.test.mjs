// @ts-check
// Cargo compiles a crate anew for each set of its features. A feature that only tests ask for would have everything above that crate
// compiled twice in one `npm test`, and the tests would try another program than the one that ships.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quietly } from '../../scripts/lib/process.mjs';

/** Every crate with its features, where these kinds of dependencies count; a build script's may differ. @param {string} kinds */
function crates(kinds) {
  const tree = ['tree', '--locked', '--workspace', '--edges', kinds, '--prefix', 'none', '--no-dedupe'];
  return new Set(
    quietly('cargo', [...tree, '--format', '{p} {f}'])
      .trim()
      .split('\n'),
  );
}

test('no test asks a shipped dependency for a feature that it does not have already', () => {
  const tested = crates('normal,build,dev');
  const shipped = crates('normal,build');
  assert.ok(shipped.size > 50, `${shipped.size} crates`);
  assert.deepEqual(
    [...shipped].filter((crate) => !tested.has(crate)),
    [],
  );
});
