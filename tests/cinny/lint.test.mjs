// @ts-check
// The copied files are Cinny's from then on, so they must pass what its maintainers run: their ESLint rules, and both Prettiers
// that forks of it have.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { outcome } from '../../scripts/lib/process.mjs';
import { root } from '../../scripts/lib/project.mjs';
import { packagesOf } from './lib/app.mjs';

/** ESLint looks for plugins from the folder that its configuration lies in. */
const tools = packagesOf('tools');
const checked = join(tools, 'checked');

before(() => {
  rmSync(checked, { recursive: true, force: true });
  mkdirSync(checked);
  const built = join(root, 'pkg/dist/cinny');
  for (const name of readdirSync(built).filter((name) => /\.tsx?$/.test(name)))
    copyFileSync(join(built, name), join(checked, name));
  copyFileSync(join(root, 'tests/cinny/tools/.eslintrc.json'), join(checked, '.eslintrc.json'));
});
after(() => rmSync(checked, { recursive: true, force: true }));

/** @param {string} program Below the tools' node_modules. @param {string[]} args */
function passes(program, args) {
  const { code, stdout, stderr, why } = outcome(
    process.execPath,
    [join(tools, 'node_modules', program), ...args],
    // The configuration beside the files, not the flat one of this repository.
    { cwd: checked, env: { ESLINT_USE_FLAT_CONFIG: 'false' } },
  );
  assert.equal(code, 0, `${why}\n${stdout}${stderr}`);
}

test('ESLint with the rules of Cinny (airbnb’s) finds nothing in the copied files', () => {
  assert.equal(readdirSync(checked).filter((name) => /\.tsx?$/.test(name)).length, 2);
  passes('eslint/bin/eslint.js', ['--ext', '.ts,.tsx', '--max-warnings', '0', '.']);
});

for (const [version, bin] of [
  ['2', 'prettier-2/bin-prettier.js'],
  ['3', 'prettier-3/bin/prettier.cjs'],
])
  test(`Prettier ${version} with the settings of Cinny leaves the copied files as they are`, () => {
    passes(bin, ['--no-config', '--print-width', '100', '--single-quote', '--check', '*.ts', '*.tsx']);
  });
