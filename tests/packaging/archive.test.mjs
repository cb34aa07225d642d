// @ts-check
// What is in the archive, and what must never be.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import { bytesOf } from '../../pkg/src/capture/module-text.js';
import { cache, root } from '../../scripts/lib/project.mjs';
import { thirdParty } from '../../scripts/third-party.mjs';
import { archive, unpacked } from './lib/consumer.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const folder = unpacked();
const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Files that belong to no subpath. */
const ALWAYS = [
  'LICENSE-APACHE',
  'LICENSE-MIT',
  'README.md',
  'THIRD-PARTY.md',
  // The types that `analysis.d.ts` gives on.
  'analysis-types.d.ts',
  'triage.d.ts',
  // What light.js loads.
  'light-core.js',
  'light-core.js.map',
  'package.json',
];
/** Subpaths without code, whose files need no source map. */
const WITHOUT_MAP = ['./report.js'];

/** Every file that `exports` names, and the map of each script. */
function exported() {
  const files = Object.values(about.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  const maps = files.filter((file) => file.endsWith('.js') && !WITHOUT_MAP.includes(file));
  return [...files, ...maps.map((file) => `${file}.map`)].map((file) => file.replace('./', ''));
}

/** What is shipped as it is written, for an application to copy into its own tree. */
function copied() {
  const sources = readdirSync(join(root, 'pkg/src/cinny')).filter((name) => !name.startsWith('.'));
  return sources.map((name) => `cinny/${name}`);
}

/** A file's text; what it holds of WebAssembly stands behind it, byte by byte. @param {string} name */
function contents(name) {
  const text = readFileSync(join(folder, name), 'utf8');
  const sources = name.endsWith('.map') ? JSON.parse(text).sourcesContent.join('\n') : text;
  // The longest texts without a quotation mark: one module is written in letters, the other one as deflated bytes.
  const modules = [...sources.matchAll(/["'`]([^"'`\\\n]{10000,})["'`]/g)].map(([, module]) => {
    const deflated = /^[A-Za-z0-9+/]+={0,2}$/.test(module);
    const bytes = deflated ? inflateRawSync(Buffer.from(module, 'base64')) : Buffer.from(bytesOf(module));
    assert.equal(bytes.toString('latin1', 0, 4), '\0asm', name);
    return bytes.toString('latin1');
  });
  assert.equal(modules.length, /^(index|light-core|analysis)\.js(\.map)?$/.test(name) ? 1 : 0, name);
  return text + modules.join('');
}

test('the archive holds what its exports name, their maps, the licences and the sources for Cinny, nothing else', () => {
  assert.deepEqual(archive.files, [...new Set([...ALWAYS, ...exported(), ...copied()])].sort());
});

test('nothing in it tells of the machine that built it', () => {
  const user = userInfo().username;
  const places = [root, realpathSync(root), cache, homedir(), `/home/${user}/`, `/Users/${user}/`];
  const secrets = [/registry\/src\//, /index\.crates\.io/, /file:\/\/\/(?!$)/, /registry\.[a-z.]+\//];
  for (const name of archive.files) {
    const text = contents(name);
    for (const place of places) assert.ok(!text.includes(place), `${name} names ${place}`);
    for (const secret of secrets) assert.doesNotMatch(text, secret, name);
  }
});

test('nothing in it looks like a token', () => {
  const tokens =
    /\b(syt_[A-Za-z0-9]+_[A-Za-z]{20}_|mat_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{36}|gh[pousr]_[A-Za-z0-9]{36})/;
  for (const name of archive.files) assert.doesNotMatch(contents(name), tokens, name);
});

test('every subpath has a real file at the root, types first', () => {
  const subpaths = Object.entries(about.exports);
  assert.ok(subpaths.length >= 6);
  for (const [subpath, target] of subpaths) {
    const files = typeof target === 'string' ? [target] : Object.values(target);
    for (const file of files) assert.ok(existsSync(join(folder, file)), `${subpath} names ${file}`);
    if (typeof target === 'string') continue;
    assert.deepEqual(Object.keys(target), ['types', 'default'], `${subpath}: types first`);
    // TypeScript's `node` resolution and older tools do not read `exports`.
    const name = subpath === '.' ? './index' : subpath;
    assert.deepEqual(target, { types: `${name}.d.ts`, default: `${name}.js` }, subpath);
  }
  assert.equal(about.main, about.exports['.'].default);
  assert.equal(about.types, about.exports['.'].types);
});

test('nothing has to be installed beside it', () => {
  for (const kind of [
    'dependencies',
    'optionalDependencies',
    'bundledDependencies',
    'scripts',
    'devDependencies',
  ]) {
    assert.equal(about[kind], undefined, kind);
  }
  for (const peer of Object.keys(about.peerDependencies ?? {})) {
    assert.equal(
      about.peerDependenciesMeta?.[peer]?.optional,
      true,
      `${peer} is the application's own choice`,
    );
  }
});

test('DevTools skip all of its sources, so that a line shows the place in the page that wrote it', () => {
  const maps = archive.files.filter((name) => name.endsWith('.map'));
  assert.ok(maps.length >= 3);
  for (const name of maps) {
    const map = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const all = map.sources.map((/** @type {string} */ _, /** @type {number} */ at) => at);
    assert.ok(all.length > 0, name);
    assert.deepEqual(map.ignoreList, all, name);
    assert.deepEqual(map.x_google_ignoreList, all, name);
    for (const source of map.sources) assert.match(source, /^crypto-diag:\/\/\/(?!.*\.\.)[\w./-]+$/, name);
    const script = readFileSync(join(folder, name.slice(0, -'.map'.length)), 'utf8');
    assert.match(script, new RegExp(`//# sourceMappingURL=${name.replaceAll('.', '\\.')}\\s*$`), name);
  }
});

test('the list of others whose code is inside is that of what is linked', () => {
  const said = readFileSync(join(folder, 'THIRD-PARTY.md'), 'utf8');
  assert.equal(said, thirdParty(), 'run: node scripts/third-party.mjs');
});

test('no lock file of these programs names a registry', () => {
  const homes = ['types', ...readdirSync(join(here, 'apps')).map((name) => `apps/${name}`)];
  const locks = homes.map((home) => join(here, home, 'package-lock.json')).filter((lock) => existsSync(lock));
  assert.equal(locks.length, 5);
  for (const lock of locks) assert.doesNotMatch(readFileSync(lock, 'utf8'), /"resolved"|:\/\/registry/, lock);
});
