// @ts-check
// A release's files, made of the program that the other tests use: what somebody has who has nothing but them.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { outcome, quietly } from '../../scripts/lib/process.mjs';
import { root } from '../../scripts/lib/project.mjs';
import { makeRelease } from '../../scripts/release.mjs';
import { neededGlibc } from '../../scripts/release/binary.mjs';
import { notes } from '../../scripts/release/notes.mjs';

describe('the files of a release', () => {
  const out = mkdtempSync(path.join(os.tmpdir(), 'crypto-diag-release-'));
  const program = commandLine();
  const triple = /^host: (\S+)$/m.exec(quietly('rustc', ['-vV']))?.[1] ?? '';
  const { version } = JSON.parse(readFileSync(path.join(root, 'pkg/package.json'), 'utf8'));
  const name = `crypto-diag-${version}-${triple}`;
  const read = (/** @type {string[]} */ ...parts) => readFileSync(path.join(out, ...parts), 'utf8');

  before(async () => {
    await makeRelease({ out, made: { program, triple, runsOn: 'this machine' } });
    quietly('tar', ['-xzf', `${name}.tar.gz`], { cwd: out });
  });
  after(() => rmSync(out, { recursive: true, force: true }));

  test('each file but the list itself stands in SHA256SUMS with its hash', () => {
    quietly('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: out });
    const listed = read('SHA256SUMS')
      .trim()
      .split('\n')
      .map((line) => line.split('  ')[1]);
    const there = readdirSync(out).filter((file) => !['SHA256SUMS', name].includes(file));
    assert.deepEqual(listed, there.sort());
  });

  test('the unpacked program runs, and says its version', () => {
    const said = quietly(path.join(out, name, 'crypto-diag'), ['--version']);
    assert.equal(said, `crypto-diag ${version}\n`);
  });

  test('each command that the help lists has a man page with all its options and its example', () => {
    const help = quietly(program, ['--help']);
    const commands = [...help.matchAll(/^ {2}([a-z]+) {2,}/gm)]
      .map(([, command]) => command)
      .filter((one) => one !== 'help');
    assert.ok(commands.includes('run') && commands.includes('queries'), help);
    for (const command of commands) {
      // roff writes a hyphen as \-, so that it can be copied.
      const page = read(name, 'man', `crypto-diag-${command}.1`).replaceAll('\\-', '-');
      const options = quietly(program, [command, '--help']).match(/--[a-z][a-z-]+/g) ?? [];
      for (const option of options) assert.ok(page.includes(option), `${command}: ${option}`);
      assert.match(page, new RegExp(`crypto-diag ${command} `), `${command}: its example`);
    }
    assert.ok(!readdirSync(path.join(out, name, 'man')).some((file) => file.includes('help')));
  });

  test('bash completes commands and options', () => {
    const file = path.join(out, name, 'completions/crypto-diag.bash');
    const complete = (/** @type {string[]} */ ...words) =>
      quietly('bash', [
        '-c',
        // Calls the function that the file registers, as bash does when Tab is pressed behind the last word.
        `. "$0"; words=("$@"); by=$(complete -p crypto-diag); by=\${by##*-F }; COMP_WORDS=("\${words[@]}"); COMP_CWORD=$(($# - 1))
         \${by%% *} crypto-diag "\${words[-1]}" "\${words[-2]}"; printf '%s\\n' "\${COMPREPLY[@]}"`,
        file,
        ...words,
      ])
        .trim()
        .split('\n');
    assert.ok(complete('crypto-diag', 'ver').includes('verify'));
    assert.ok(complete('crypto-diag', 'collect', '--data').includes('--database'));
  });

  test('the bills of materials name what is inside, with versions', () => {
    const program = JSON.parse(read(`${name}.tar.gz.cdx.json`));
    const page = JSON.parse(read(`crypto-diag-${version}.tgz.cdx.json`));
    for (const bom of [program, page]) {
      assert.equal(bom.bomFormat, 'CycloneDX');
      assert.equal(bom.metadata.component.version, version);
      for (const { purl } of bom.components) assert.match(purl, /^pkg:cargo\/[\w-]+@\d/);
    }
    const names = (/** @type {any} */ bom) => bom.components.map((/** @type {any} */ { name }) => name);
    assert.ok(names(program).includes('tokio-postgres') && names(program).includes('rusqlite'));
    assert.ok(names(page).includes('wasm-bindgen') && !names(page).includes('tokio-postgres'));
    // Whose code is inside is told by the same list.
    const others = read(name, 'THIRD-PARTY.md');
    for (const one of names(program)) assert.ok(others.includes(`| ${one} |`), one);
  });

  test('the npm archive is installed from the file, without a registry, and can be imported', () => {
    const home = mkdtempSync(path.join(os.tmpdir(), 'crypto-diag-user-'));
    try {
      const archive = path.join(out, `crypto-diag-${version}.tgz`);
      quietly('npm', ['install', '--offline', '--omit=peer', '--no-audit', archive], { cwd: home });
      const script =
        "import('crypto-diag').then(({ getCaptureStatus }) => console.log(getCaptureStatus().state))";
      assert.equal(quietly(process.execPath, ['-e', script], { cwd: home }), 'not-installed\n');
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  test('the wheel for many reports brings the command, its licences and its bill', () => {
    const wheel = readdirSync(out).find((file) => file.endsWith('.whl')) ?? '';
    assert.match(wheel, /^crypto_diag_fleet-.*-py3-none-m.*linux_[0-9a-z_.]+\.whl$/);
    const home = mkdtempSync(path.join(os.tmpdir(), 'crypto-diag-vendor-'));
    try {
      const python = path.join(home, 'bin/python');
      quietly('python3', ['-m', 'venv', home]);
      // Without DuckDB, which a registry has: this test is of what the wheel itself brings.
      quietly(python, ['-m', 'pip', 'install', '--quiet', '--no-index', '--no-deps', path.join(out, wheel)]);
      const script =
        'from pathlib import Path; from crypto_diag_fleet import filters; ' +
        'print(filters.Filters.find(Path(filters.__file__)).program); ' +
        'print(*sorted(file.name for file in Path(filters.__file__).parent.glob("*[A-Z]*")))';
      const said = quietly(python, ['-c', script], {
        env: { CRYPTO_DIAG: undefined, PATH: '/usr/bin:/bin' },
      });
      const [found, licences] = said.trim().split('\n');
      assert.equal(found, path.join(home, 'bin/crypto-diag'));
      assert.equal(quietly(found, ['--version']), `crypto-diag ${version}\n`);
      assert.equal(licences, 'LICENSE-APACHE LICENSE-MIT THIRD-PARTY.md');
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
    assert.equal(JSON.parse(read(`${wheel}.cdx.json`)).metadata.component.version, version);
  });

  test('nothing in it names a folder of this machine', () => {
    const found = outcome('grep', ['-rlF', '--exclude=crypto-diag', root, out]);
    assert.equal(found.stdout, '');
  });
});

describe('a release’s notes', () => {
  const changelog =
    '# Changelog\n\n## Unreleased\n\n- new\n\n## 1.2.0 - 2026-01-02\n\n- old\n\n## 1.2.0-rc.1\n\n- older\n';

  test('are the section of the version', () => {
    assert.equal(notes(changelog, '1.2.0'), '# crypto-diag 1.2.0\n\n- old\n');
  });

  test('say so where the version has no section yet', () => {
    assert.match(notes(changelog, '1.3.0'), /no section for 1\.3\.0 yet.*\n\n- new\n$/);
  });

  test('fail where nothing can be said', () => {
    assert.throws(
      () => notes('# Changelog\n\n## 1.0.0\n', '1.3.0'),
      /CHANGELOG\.md has no section for 1\.3\.0/,
    );
  });
});

test('the C library that a program needs is read out of the program', () => {
  assert.match(neededGlibc(process.execPath) ?? '', /^\d+\.\d+/);
});
