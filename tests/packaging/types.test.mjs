// @ts-check
// The declarations, as the compilers read them that users have: Cinny's 4.9, a current 5.x, the newest.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import { outcome } from '../../scripts/lib/process.mjs';
import { prepare } from './lib/consumer.mjs';

const folder = prepare('types');

/** Compiler, `module`, `moduleResolution`. */
const ways = [
  ['4.9', 'esnext', 'node'],
  ['4.9', 'node16', 'node16'],
  ['5.8', 'esnext', 'node'],
  ['5.8', 'esnext', 'bundler'],
  ['7', 'esnext', 'bundler'],
  ['7', 'nodenext', 'nodenext'],
];

/**
 * Runs a compiler over one file.
 * @param {string[]} way
 * @param {string} file
 * @param {string[]} lib
 */
function compile([version, module, moduleResolution], file, lib) {
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2020',
    lib,
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    pretty: false,
  };
  const config = join(folder, 'tsconfig.json');
  writeFileSync(config, JSON.stringify({ compilerOptions, files: [`src/${file}`] }));
  const tsc = join(folder, 'node_modules', `typescript-${version}`, 'bin/tsc');
  const { code, stdout, stderr } = outcome(process.execPath, [tsc, '-p', config], { cwd: folder });
  return { code, output: `${stdout}${stderr}`.trim() };
}

const page = ['es2020', 'dom'];

for (const way of ways) {
  const [version, , resolution] = way;
  const title = `TypeScript ${version}, moduleResolution ${resolution}`;

  test(`${title}: a program that uses every export compiles, and each wrong use in it does not`, () => {
    assert.deepEqual(compile(way, 'app.ts', page), { code: 0, output: '' });
  });

  test(`${title}: server code and worker code compile without the DOM's declarations`, () => {
    assert.deepEqual(compile(way, 'server.ts', ['es2020']), { code: 0, output: '' });
  });

  test(`${title}: a wrong program is refused, on the lines that are wrong and for what they are`, () => {
    const { code, output } = compile(way, 'wrong.ts', page);
    assert.notEqual(code, 0);
    const found = [...output.matchAll(/^src\/wrong\.ts\((\d+),\d+\): error (TS\d+)/gm)].map(
      ([, line, error]) => `${line} ${error}`,
    );
    // 2322: not assignable; 2739, 2740: properties are missing.
    assert.equal(found.length, 4, output);
    assert.match(found.join('\n'), /^7 TS2322\n8 TS2322\n9 TS(2322|2739|2740)\n10 TS2322$/, output);
  });
}

test('the compilers are the versions that they are named after', () => {
  for (const [name, version] of [
    ['4.9', '4.9.4'],
    ['5.8', '5.8.3'],
    ['7', '7.0.2'],
  ]) {
    const about = join(folder, 'node_modules', `typescript-${name}`, 'package.json');
    assert.equal(JSON.parse(readFileSync(about, 'utf8')).version, version);
  }
});

test('what is declared is what is there, nothing more and nothing less', async () => {
  const installed = join(folder, 'node_modules/crypto-diag');
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const ts = createRequire(join(folder, 'package.json'))('typescript-5.8');
  const modules = Object.entries(exports).filter(([, target]) => typeof target === 'object');
  assert.ok(modules.length >= 4);
  for (const [name, target] of modules) {
    const declarations = join(installed, target.types);
    const program = ts.createProgram([declarations], { target: ts.ScriptTarget.ES2020, types: [] });
    const checker = program.getTypeChecker();
    const declared = checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(declarations)))
      .filter((/** @type {any} */ symbol) => symbol.flags & ts.SymbolFlags.Value)
      .map((/** @type {any} */ symbol) => symbol.name);
    const there = Object.keys(await import(pathToFileURL(join(installed, target.default)).href));
    assert.deepEqual(declared.sort(), there.sort(), name);
  }
});
