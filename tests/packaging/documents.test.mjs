// @ts-check
// What README and docs tell a stranger to type, to write and to read: it can be typed, it compiles, and it is there.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { outcome, quietly, temporaryFolder } from '../../scripts/lib/process.mjs';
import { root } from '../../scripts/lib/project.mjs';
import { archive, unpacked } from './lib/consumer.mjs';
import { commands, documents, examples, headings, targets } from './lib/documents.mjs';

const cli = commandLine();
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

test('every link and picture in a document leads to a file that is there, and to a heading that it has', () => {
  const broken = documents.flatMap((file) =>
    targets(file)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [place, fragment] = decodeURI(target).split('#');
        const reached = place === '' ? file : path.join(path.dirname(file), place);
        if (!existsSync(path.join(root, reached))) return true;
        return fragment !== undefined && !headings(reached).includes(fragment);
      })
      .map((target) => `${file}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('the index of the documents leads to every one of them', () => {
  const reached = targets('docs/README.md').map((target) => path.join('docs', target.split('#')[0]));
  const unreached = documents.filter((file) => /^docs\/[^/]+\.md$/.test(file) && file !== 'docs/README.md');
  assert.deepEqual(
    unreached.filter((file) => !reached.includes(file)),
    [],
  );
});

test('every npm script that a document names is one', () => {
  const wrong = documents.flatMap((file) => {
    const said = readFileSync(path.join(root, file), 'utf8').matchAll(/\bnpm (run [a-z:]+|start|test)\b/g);
    return [...said]
      .map(([, words]) => words.replace('run ', ''))
      .filter((name) => !(name in scripts))
      .map((name) => `${file}: ${name}`);
  });
  assert.deepEqual(wrong, []);
});

test('every subcommand and option of crypto-diag in an example is one of the program', () => {
  const seen = new Map();
  const help = (/** @type {string} */ name) => {
    if (!seen.has(name)) seen.set(name, outcome(cli, [name, '--help']));
    return seen.get(name);
  };
  const found = documents.flatMap((file) => commands(file, 'crypto-diag').map((line) => ({ file, line })));
  assert.ok(found.length > 15, `only ${found.length} commands were found`);
  for (const { file, line } of found) {
    // What is quoted is an argument, and what follows # a remark.
    const [, name, ...words] = line.replace(/ {2,}#? ?.*$|"[^"]*"/g, '').split(/\s+/);
    const { code, stdout } = help(name);
    assert.equal(code, 0, `${file}: ${line}`);
    for (const option of words.filter((word) => word.startsWith('--') && word.length > 2))
      assert.match(stdout, new RegExp(`${option}\\b`), `${file}: ${line}`);
  }
});

test('the README’s commands for an operator do what it says, with the files of a recorded failure', () => {
  const folder = temporaryFolder('readme').path;
  const bundle = path.join(root, 'tests/fixtures/bundles/store-rollback');
  const logs = path.join(folder, 'matrix-synapse');
  mkdirSync(logs);
  copyFileSync(path.join(bundle, 'victim.report.json'), path.join(folder, 'alice.json'));
  copyFileSync(path.join(bundle, 'peer.report.json'), path.join(folder, 'bob.json'));
  copyFileSync(path.join(bundle, 'homeserver.log.txt'), path.join(logs, 'homeserver.log'));
  const [command, ...others] = commands('README.md', 'crypto-diag');
  assert.deepEqual(others, []);
  // The command as it stands there, but for the places: a database that is not there, rather than the one of this machine.
  const line = command
    .replace('crypto-diag', `'${cli}'`)
    .replace('/var/log/matrix-synapse', `'${logs}'`)
    .replace('/run/postgresql', path.join(folder, 'nowhere'));
  assert.notEqual(line, command);
  const { code, stdout, stderr } = outcome('bash', ['-c', line], { cwd: folder });
  assert.equal(code, 1, stderr);
  const [made, sentence, seal] = stdout.trim().split('\n');
  assert.match(sentence, /^Proven: /);
  assert.match(seal, /^Seal: [0-9a-f]{64} /);
  assert.match(stderr, /the database cannot be asked/);
  assert.ok(readdirSync(path.resolve(folder, made)).includes('answer.html'));
  assert.equal(outcome(cli, ['verify', made], { cwd: folder }).code, 0);

  const [, queries] =
    /`crypto-diag (queries alice\.json)`/.exec(readFileSync(path.join(root, 'README.md'), 'utf8')) ?? [];
  assert.match(quietly(cli, queries.split(' '), { cwd: folder }), /SELECT/);
});

test('what the README has installed is what a checkout and a release make', () => {
  const installed = documents.flatMap((file) => commands(file, 'npm install'));
  assert.deepEqual([...new Set(installed)], [`npm install ./${path.basename(archive.path)}`]);
  const crates = commands('README.md', 'cargo install').map((line) => line.split('--path ')[1]);
  assert.equal(crates.length, 1);
  const { packages } = JSON.parse(
    quietly('cargo', ['metadata', '--no-deps', '--offline', '--format-version', '1']),
  );
  const crate = packages.find(
    (/** @type {{ manifest_path: string }} */ one) =>
      one.manifest_path === path.join(root, crates[0], 'Cargo.toml'),
  );
  assert.ok(crate.targets.some((/** @type {{ name: string }} */ one) => one.name === 'crypto-diag'));
});

test('every example in JavaScript compiles against the package, with nothing wrong in its types', () => {
  const folder = temporaryFolder('examples').path;
  const modules = path.join(folder, 'node_modules');
  mkdirSync(modules);
  quietly('cp', ['-r', unpacked(), path.join(modules, 'crypto-diag')]);
  // React's own types are no part of the tests' packages; the example's JSX is read all the same.
  writeFileSync(
    path.join(folder, 'names.d.ts'),
    `declare const mx: import('crypto-diag').MatrixClientLike;
     declare const worker: Worker;
     declare namespace JSX { interface IntrinsicElements { p: {} } interface Element {} }`,
  );
  const files = documents
    .filter((file) => !file.startsWith('crates/') && !file.startsWith('tests/'))
    .flatMap((file) => examples(file).map((one) => ({ file, ...one })))
    .filter(({ language, text }) => /^(js|jsx|html)$/.test(language) && /crypto-diag/.test(text))
    .map(({ file, language, text, line }) => {
      const [, script] = /<script type="module">([^]*?)<\/script>/.exec(text) ?? [, text];
      if (language === 'html' && script === text) return null;
      const name = `${file.replaceAll(/[/.]/g, '-')}-${line}.${language === 'jsx' ? 'jsx' : 'js'}`;
      writeFileSync(path.join(folder, name), script);
      return name;
    })
    .filter((name) => name !== null);
  assert.ok(files.length > 8, `only ${files.length} examples were found`);
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        allowJs: true,
        checkJs: true,
        noEmit: true,
        jsx: 'preserve',
        module: 'nodenext',
        target: 'es2022',
        lib: ['es2022', 'dom'],
        types: [],
        moduleDetection: 'force',
      },
      files: ['names.d.ts', ...files],
    }),
  );
  const tsc = path.join(root, 'tests/node_modules/.bin/tsc');
  const { stdout } = outcome(tsc, ['-p', folder, '--pretty', 'false'], { cwd: folder });
  assert.equal(stdout, '');
});
