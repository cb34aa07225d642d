// @ts-check
// `node scripts/third-party.mjs` writes pkg/THIRD-PARTY.md: whose code is in the package. A packaging test compares.

import fs from 'node:fs';
import path from 'node:path';
import { quietly } from './lib/process.mjs';
import { Explained, isMain, main, root } from './lib/project.mjs';

/** The crates that become WebAssembly modules of the package: those that scripts/build.mjs builds. */
export const MODULES = ['crypto-diag-wasm', 'crypto-diag-wasm-analysis'];
/** What they are compiled for. */
export const WASM = 'wasm32-unknown-unknown';

/** @typedef {{ name: string, version: string, source: string | null, license: string, authors: string[], repository: string,
 *   manifest_path: string }} Crate as cargo describes it */

/** Licences that this package may carry, and the files in which crates keep their texts. @type {Record<string, string[]>} */
const TEXTS = {
  MIT: ['LICENSE-MIT', 'LICENSE'],
  'Apache-2.0': ['LICENSE-APACHE', 'LICENSE'],
  'BSD-3-Clause': ['LICENSE.BSD-3-Clause', 'LICENSE-WHATWG', 'LICENSE'],
  'BSD-2-Clause': ['LICENSE.BSD-2-Clause', 'LICENSE'],
  Zlib: ['LICENSE'],
  'Unicode-3.0': ['LICENSE-UNICODE'],
  // Permissive: it asks for its notice, and that changed versions say so.
  'bzip2-1.0.6': ['LICENSE'],
};

/** Output of cargo, which must not depend on how this terminal looks. */
const cargo = (/** @type {string[]} */ ...args) =>
  quietly('cargo', [...args, '--locked'], { env: { CARGO_TERM_COLOR: 'never' } });

/**
 * Others' crates that crates of this workspace are linked with, with the features that the package's own build gives them, by name.
 * @param {{ crates: string[], target: string }} what
 * @returns {Crate[]}
 */
export function linkedCrates({ crates, target }) {
  const shape = ['-e', 'normal,no-proc-macro', '--prefix', 'none', '--no-dedupe', '-f', '{p}'];
  const lines = crates.flatMap((name) => cargo('tree', '-p', name, '--target', target, ...shape).split('\n'));
  const names = new Set(lines.map((line) => /^(\S+) v(\S+)/.exec(line)?.slice(1).join(' ')));
  /** @type {Crate[]} */
  const known = JSON.parse(cargo('metadata', '--format-version', '1', '--filter-platform', target)).packages;
  const linked = known.filter((one) => one.source !== null && names.has(`${one.name} ${one.version}`));
  return linked.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The first of these files beside a manifest, or an empty text. @param {string} manifest @param {string[]} names */
function textOf(manifest, ...names) {
  const file = names.map((name) => path.join(path.dirname(manifest), name)).find((one) => fs.existsSync(one));
  return file ? fs.readFileSync(file, 'utf8') : '';
}

/** Who holds the rights: as the licence says, else as the manifest does, else as the repository's visitors see. @param {string} text @param {string[]} authors @param {string} repository */
function holders(text, authors, repository) {
  const said = [...text.matchAll(/^ *copyright (?:\(c\) )?(.*\S)/gim)].map(([, holder]) => holder);
  const named = authors.map((author) => author.replace(/ *<.*>/, ''));
  const [first] = [said, named].filter((list) => list.length > 0);
  return (first ?? [`the authors of ${repository}`]).join(', ');
}

/** The licences that are used, of those that are offered: MIT where it is, else the first that is known; all behind AND. @param {Crate} crate */
function used({ name, license }) {
  const [choice, ...also] = license.split(' AND ');
  const offered = choice.replace(/[()]/g, '').split(/ OR |\//);
  const first = offered.includes('MIT') ? 'MIT' : (offered.find((one) => one in TEXTS) ?? choice);
  const all = [first, ...also];
  const unknown = all.filter((one) => !(one in TEXTS));
  if (unknown.length)
    throw new Explained(`${name} is under ${license}: think about its terms, then say so here.`);
  return all;
}

/**
 * Whose code is in what these crates become: the text of pkg/THIRD-PARTY.md, or of a page or program that has them inside.
 * @param {{ crates?: string[], place?: string, target?: string }} [options]
 */
export function thirdParty({ crates = MODULES, place = 'package', target = WASM } = {}) {
  const linked = linkedCrates({ crates, target });
  const rows = linked.map((crate) => {
    const text = textOf(crate.manifest_path, ...TEXTS[used(crate)[0]]);
    const whose = holders(text, crate.authors, crate.repository);
    return [crate.name, crate.version, used(crate).join(', '), whose];
  });
  rows.unshift(['Rust standard library', '', 'MIT', 'The Rust Project Contributors']);
  const mit = fs.readFileSync(path.join(root, 'LICENSE-MIT'), 'utf8');
  // MIT's terms are the same for all; the others' texts name the one that they are of.
  const others = linked.flatMap((crate) =>
    used(crate)
      .filter((licence) => licence !== 'MIT')
      .map(
        (licence) =>
          `## ${licence} (${crate.name})\n\n${textOf(crate.manifest_path, ...TEXTS[licence]).trim()}\n`,
      ),
  );
  return `# Whose code is in this ${place}

crypto-diag has no dependency to install: what it needs is inside its files. Listed is everything that may be:
the crates that ${target === WASM ? 'its WebAssembly modules are' : 'it is'} linked with, of which the linker keeps what is called.

| what | version | licence | copyright |
| --- | --- | --- | --- |
${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}

Where a choice is offered, the licence named above is the one used. Made by \`scripts/third-party.mjs\`.

${[`## MIT\n\n${mit.slice(mit.indexOf('Permission is hereby granted')).trim()}\n`, ...others].join('\n')}`;
}

if (isMain(import.meta.url)) {
  main(() => fs.writeFileSync(path.join(root, 'pkg/THIRD-PARTY.md'), thirdParty()));
}
