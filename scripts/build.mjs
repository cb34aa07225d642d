// @ts-check
// Builds the package: Rust to WebAssembly, the generated facts, one JavaScript file for each entry, the types.

import fs from 'node:fs';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { marked } from '../pkg/src/cinny/patch.mjs';
import { buildSite } from '../www/build.mjs';
import { hostProgram } from './lib/host-program.mjs';
import { textOf } from './lib/module-text.mjs';
import { finished, quietly, run } from './lib/process.mjs';
import { Explained, cache, isMain, main, root, say, step, target } from './lib/project.mjs';
import { remapped } from './lib/remapped.mjs';
import { setUpBuild } from './setup.mjs';
import { thirdParty } from './third-party.mjs';

const work = path.join(cache, 'build');
const pkg = path.join(root, 'pkg');
/** The package as it is published: whatever users install is in here, and nothing in here is written by hand. */
const dist = path.join(pkg, 'dist');

/** WebAssembly features that the compiler's output uses; every engine of the last three years has them. */
const FEATURES = [
  '--enable-bulk-memory',
  '--enable-sign-ext',
  '--enable-nontrapping-float-to-int',
  '--enable-reference-types',
  '--enable-multivalue',
  '--enable-mutable-globals',
];

/** Flags for cargo that give rustc flags. @param {string[]} others */
const compilerFlags = (others) => [
  '--config',
  `target.wasm32-unknown-unknown.rustflags=${JSON.stringify([...remapped(), ...others])}`,
];

/**
 * Keeps the compiler from writing a function out at each of its calls, unless it is hardly longer than the call or is called once.
 * The other passes of `opt-level = 2` then make less of the core than `"z"` does, and it takes half the time.
 */
const CALLS_STAY = '-Cllvm-args=-inline-threshold=0';

/** What the page calls. Without wasm-bindgen's own exports the module needs no import, and so no glue. */
const CORE_EXPORTS = ['memory', 'add_realm', 'black_box', 'clear', 'inbox', 'record', 'scrub'];

/**
 * Takes away every export but some, and what only the others need.
 * @param {string} file
 * @param {string[]} exports
 */
function keepExports(file, exports) {
  const graph = `${file}.json`;
  const kept = exports.map((name) => ({ name, export: name }));
  fs.writeFileSync(graph, JSON.stringify([{ name: 'page', root: true, reaches: exports }, ...kept]));
  const metadce = path.join(root, 'node_modules/.bin/wasm-metadce');
  quietly(metadce, [file, `--graph-file=${graph}`, ...FEATURES, '--debuginfo', '-o', file]);
}

/** Where Rust's standard library goes when it panics. */
const PANICS =
  /^core\S*::panicking::|slice_index_fail|option::\w+_failed|handle_(alloc_)?error|capacity_overflow|panic_access_error/;

/**
 * Makes every panic the trap that it ends in. Nobody sees a panic's message in a page, since the standard library has nowhere
 * to print it there, and what formats it is a tenth of the module.
 * @param {string} file
 */
async function trapPanics(file) {
  const { default: binaryen } = await import('binaryen');
  // Names stay until wasm-opt has sorted the functions: those of one kind stand together then, which packs better.
  binaryen.setDebugInfo(true);
  const module = binaryen.readBinary(fs.readFileSync(file));
  const functions = Array.from({ length: module.getNumFunctions() }, (_, at) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(at)),
  );
  const panics = functions.filter(({ name, base }) => !base && PANICS.test(name));
  if (panics.length === 0)
    throw new Explained(`${file}: no function of it panics, or the compiler names them otherwise`);
  for (const { name, params, results } of panics) {
    module.removeFunction(name);
    module.addFunction(name, params, results, [], module.unreachable());
  }
  fs.writeFileSync(file, module.emitBinary());
  module.dispose();
}

/** What panics would have said: the places of sources, as the compiler names them, and the standard library's sentences. */
const SAYINGS =
  /(?:crates|\/rustc\/[0-9a-f]{40})\/[\w./-]+\.rs|slice index starts at | but ends at |index out of bounds: the len is | but the index is |range (?:start|end) index | out of range for slice of length |(?:insertion|removal) index \(is |\) should be <=? len \(is |Attempted to initialize thread-local while it is being dropped|capacity overflow|mid > len|called `Option::unwrap\(\)` on a `None` value|attempt to calculate the remainder with a divisor of zero/g;

/** Blanks what nobody says any more, now that panics are traps. It stays in the data, as zeros, which pack to nothing. @param {string} file */
function blankSayings(file) {
  const bytes = fs.readFileSync(file);
  for (const { index, 0: said } of bytes.toString('latin1').matchAll(SAYINGS))
    bytes.fill(0, index, index + said.length);
  fs.writeFileSync(file, bytes);
}

/** What wasm-opt does for what pages load: as much as it can. */
const SMALLEST = [
  '--flatten',
  '--rereloop',
  '-Oz',
  '-Oz',
  '--converge',
  '--strip-debug',
  '--reorder-functions',
  '--reorder-locals',
  '--strip-target-features',
];

/**
 * Builds one WebAssembly module and its glue.
 * @param {string} crate
 * @param {string} constant What the module's text is exported as.
 * @param {Record<string, string>} env
 * @param {{profile: string, compiler?: string[], exports?: string[], traps?: boolean, passes: string[], write: (file: string) => string}} how Cargo's profile, flags for the compiler, which
 *   exports stay if not all, whether it traps where it would panic, what wasm-opt does, and how bytes become a text.
 */
async function buildModule(
  crate,
  constant,
  env,
  { profile, compiler = [], exports, traps = false, passes, write },
) {
  const name = crate.replaceAll('-', '_');
  const out = path.join(work, crate);
  const flags = ['--target', 'wasm32-unknown-unknown', '--profile', profile, ...compilerFlags(compiler)];
  // Not `run`: while one module is compiled on one core, another may be on the next.
  await finished('cargo', ['build', '-q', '-p', crate, ...flags], { env, visible: true });
  const raw = path.join(target, 'wasm32-unknown-unknown', profile, `${name}.wasm`);
  await finished(
    'wasm-bindgen',
    ['--target', 'web', '--omit-default-module-path', '--no-typescript'].concat([
      '--remove-producers-section',
      '--out-dir',
      out,
      raw,
    ]),
    { env },
  );
  const bound = path.join(out, `${name}_bg.wasm`);
  if (exports) keepExports(bound, exports);
  if (traps) await trapPanics(bound);
  const optimised = path.join(out, `${name}.wasm`);
  await finished(path.join(root, 'node_modules/.bin/wasm-opt'), [
    ...passes,
    ...FEATURES,
    '-o',
    optimised,
    bound,
  ]);
  if (traps) blankSayings(optimised);
  const text = write(optimised);
  fs.writeFileSync(path.join(out, 'text.js'), `export const ${constant} = '${text}';\n`);
  say(`  ${crate}: ${fs.statSync(optimised).size} bytes, ${text.length} as text`);
  return moduleFiles(crate);
}

/** A module's bytes as letters: nothing has to be inflated before a line can be kept. */
const asLetters = (/** @type {string} */ file) => textOf(fs.readFileSync(file));

/** Base64 of deflated bytes: what the browser can inflate while the page goes on. */
const asDeflated = (/** @type {string} */ file) =>
  deflateRawSync(fs.readFileSync(file), { level: 9 }).toString('base64');

/** The same by a search for the shortest form: a sixteenth less than zlib's, in some seconds. */
function asSmallest(/** @type {string} */ file) {
  const packed = `${file}.deflated`;
  run(hostProgram('deflate'), [file, packed]);
  return fs.readFileSync(packed).toString('base64');
}

/** A source's name: the place of a machine's cache, which may be anywhere, says nothing to anybody else. @param {string} source */
function nameOf(source) {
  const generated = path.relative(work, source);
  return generated.startsWith('..') ? path.relative(root, source) : path.join('build', generated);
}

/** Marks every source of a map as one that DevTools skips, so that it shows the page's own call site. @param {string} file */
function ignoreInDevTools(file) {
  const map = JSON.parse(fs.readFileSync(file, 'utf8'));
  map.ignoreList = [...map.sources.keys()];
  map.x_google_ignoreList = map.ignoreList;
  map.sources = map.sources.map(
    (/** @type {string} */ source) => `crypto-diag:///${nameOf(path.resolve(path.dirname(file), source))}`,
  );
  fs.writeFileSync(file, JSON.stringify(map));
}

/** Keeps the package's main entry out of the other bundles: there is one capture, and it is in that file. @type {import('esbuild').Plugin} */
const mainStaysOutside = {
  name: 'main-stays-outside',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\.?\/index\.js$/ }, () => ({ path: './index.js', external: true })),
};

/** One file of the package, out of its sources. @param {string} name @param {string} source @param {Record<string, string>} alias */
async function bundle(name, source, alias) {
  const { build } = await import('esbuild');
  const outfile = path.join(dist, `${name}.js`);
  await build({
    entryPoints: [path.join(root, source)],
    outfile,
    alias,
    plugins: [mainStaysOutside],
    // The application's own, and the file that the light entry loads.
    external: ['react', './light-core.js'],
    bundle: true,
    format: 'esm',
    minify: true,
    sourcemap: 'linked',
    target: ['es2022'],
    legalComments: 'none',
    banner: { js: `/* crypto-diag ${version()} | MIT OR Apache-2.0 | THIRD-PARTY.md */` },
    logLevel: 'warning',
  });
  ignoreInDevTools(`${outfile}.map`);
}

const version = () => JSON.parse(fs.readFileSync(path.join(pkg, 'package.json'), 'utf8')).version;

/**
 * Keeps the types' own names: what stands beside a reference, a description or a default, would make it a type without a
 * name, or one that is named `Realm1`.
 * @param {string} _key
 * @param {any} value
 */
function plainReference(_key, value) {
  if (!value?.$ref) return value;
  return { description: value.description, allOf: [{ $ref: value.$ref }] };
}

/** The TypeScript types of the report, of an answer and of an analysis, out of the schemas that come out of the Rust types. */
async function writeTypes() {
  const { compile } = await import('json-schema-to-typescript');
  for (const [name, type] of [
    ['report', 'Report'],
    ['triage', 'Triage'],
    ['analysis-types', 'AnalysisTypes'],
  ]) {
    const schema = JSON.parse(
      fs.readFileSync(path.join(work, `${name}.schema.json`), 'utf8'),
      plainReference,
    );
    const types = await compile(schema, type, {
      bannerComment: '// Generated from the Rust types; see crates/codegen.',
      additionalProperties: false,
      unknownAny: true,
    });
    fs.writeFileSync(path.join(dist, `${name}.d.ts`), types);
  }
  for (const name of fs.readdirSync(path.join(pkg, 'src'))) {
    if (!name.endsWith('.d.ts') && name !== 'report.js') continue;
    fs.copyFileSync(path.join(pkg, 'src', name), path.join(dist, name));
  }
}

/**
 * Writes the package: pkg/dist is what is published.
 * @param {Record<'core' | 'analysis', {glue: string, text: string}>} modules
 */
export async function buildPackage({ core, analysis }) {
  fs.rmSync(dist, { recursive: true, force: true });
  fs.mkdirSync(dist, { recursive: true });
  const alias = {
    'crypto-diag/core-text': core.text,
    'crypto-diag/core-source': path.join(pkg, 'src/capture/core-inside.js'),
    'crypto-diag/analysis-glue': analysis.glue,
    'crypto-diag/analysis-bytes': analysis.text,
    'crypto-diag/facts': path.join(work, 'facts.js'),
  };
  for (const name of ['index', 'worker', 'analysis', 'react', 'keep'])
    await bundle(name, `pkg/src/${name}.js`, alias);
  const later = { ...alias, 'crypto-diag/core-source': path.join(pkg, 'src/light-source.js') };
  for (const name of ['light', 'light-core']) await bundle(name, `pkg/src/${name}.js`, later);
  await bundle('card', 'pkg/src/card/card.js', {});
  // Sources to copy into Cinny. Each says what it was when it was shipped, so that an update sees what was edited since.
  const cinny = path.join(pkg, 'src/cinny');
  fs.mkdirSync(path.join(dist, 'cinny'), { recursive: true });
  for (const name of fs.readdirSync(cinny).filter((name) => !name.startsWith('.'))) {
    const source = fs.readFileSync(path.join(cinny, name), 'utf8');
    fs.writeFileSync(path.join(dist, 'cinny', name), name.endsWith('.mjs') ? source : marked(source));
  }
  fs.copyFileSync(path.join(work, 'report.schema.json'), path.join(dist, 'report.schema.json'));
  await writeTypes();
  for (const name of ['LICENSE-MIT', 'LICENSE-APACHE'])
    fs.copyFileSync(path.join(root, name), path.join(dist, name));
  for (const name of ['package.json', 'README.md', 'THIRD-PARTY.md'])
    fs.copyFileSync(path.join(pkg, name), path.join(dist, name));
}

/** Where `buildModule` leaves what it has made of a crate. @param {string} crate */
export function moduleFiles(crate) {
  const out = path.join(work, crate);
  return { glue: path.join(out, `${crate.replaceAll('-', '_')}.js`), text: path.join(out, 'text.js') };
}

/** The modules of cargo's profile `page`: what captures, and what the triage page judges with. @param {Record<string, string>} env */
async function buildPageModules(env) {
  const core = await step('capture module', () =>
    buildModule('crypto-diag-wasm', 'CORE_TEXT', env, {
      profile: 'page',
      compiler: [CALLS_STAY],
      exports: CORE_EXPORTS,
      traps: true,
      passes: SMALLEST,
      write: asLetters,
    }),
  );
  const triage = await step('triage module', () =>
    // Twenty times the size of the others, and loaded by few: more passes take minutes and save little.
    buildModule('crypto-diag-wasm-triage', 'TRIAGE_BYTES', env, {
      profile: 'page',
      passes: ['-O1', '--strip-debug'],
      write: asDeflated,
    }),
  );
  return { core, triage };
}

/** Builds everything that `npm start` serves and `npm pack` packs. */
export async function build() {
  const { env } = await setUpBuild();
  fs.mkdirSync(work, { recursive: true });
  await step('generated facts', () => {
    const consoles = path.join(root, 'tests/fixtures/console');
    run(hostProgram('crypto-diag-codegen'), [work, path.join(root, 'docs'), consoles]);
  });
  // Two profiles, since cargo builds one thing of a profile at a time.
  const [analysis, { core, triage }] = await Promise.all([
    step('analysis module', () =>
      // Ten times the size of the capture's: the passes that flatten it first take six minutes, and save a hundredth.
      buildModule('crypto-diag-wasm-analysis', 'ANALYSIS_BYTES', env, {
        profile: 'card',
        traps: true,
        passes: ['-Oz', '--strip-debug', '--strip-target-features'],
        write: asSmallest,
      }),
    ),
    buildPageModules(env),
  ]);
  await step('package', () => buildPackage({ core, analysis }));
  await step('site', () => buildSite({ outDir: path.join(root, 'www/dist') }));
  await step('triage page', async () => {
    const { buildTriage } = await import('../www/triage/build.mjs');
    const outFile = path.join(root, 'www/dist/triage.html');
    const licences = thirdParty({ crates: ['crypto-diag-wasm-triage'], place: 'page' });
    const size = await buildTriage({
      glue: triage.glue,
      bytes: triage.text,
      invisible: path.join(work, 'invisible.js'),
      outFile,
      version: version(),
      licences,
    });
    say(`  ${path.relative(root, outFile)}: ${size} bytes`);
  });
}

if (isMain(import.meta.url)) main(build);
