// @ts-check
// `npm run release`: from a clean tree, the files of a release. Nothing is uploaded.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { hostExample } from './lib/host-program.mjs';
import { quietly } from './lib/process.mjs';
import { Explained, isMain, main, root, say, step, target } from './lib/project.mjs';
import { bill } from './release/bill.mjs';
import { releasedProgram } from './release/binary.mjs';
import { notes } from './release/notes.mjs';
import { packWheel } from './release/wheel.mjs';
import { MODULES, WASM, thirdParty } from './third-party.mjs';

const CLI = 'crypto-diag-cli';
const pkg = path.join(root, 'pkg/dist');

/** @param {string} folder */
const packageOf = (folder) => JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));

/** A release is made of what is committed, so that others can make it again. */
function refuseChanges() {
  const changed = quietly('git', ['status', '--porcelain']).trim();
  if (changed)
    throw new Explained(`These files are not committed, so a release could not be made again:\n${changed}`);
}

/** The crates as others would fetch them: cargo refuses what they could not build. Each says itself whether it is published. */
function checkCrates() {
  const { packages } = JSON.parse(
    quietly('cargo', ['metadata', '--no-deps', '--format-version', '1', '--locked']),
  );
  const published = packages.filter(
    (/** @type {{ publish: string[] | null }} */ { publish }) => publish === null,
  );
  quietly('cargo', [
    'package',
    '--locked',
    ...published.flatMap((/** @type {{ name: string }} */ { name }) => ['-p', name]),
  ]);
}

/** The npm package as an archive; npm says beforehand whether it would publish it. @param {string} out */
function packPackage(out) {
  quietly('npm', ['publish', '--dry-run', '--ignore-scripts'], { cwd: pkg });
  quietly('npm', ['pack', '--ignore-scripts', '--pack-destination', out], { cwd: pkg });
}

/**
 * The program's archive: itself, its man pages, completions for shells, licences.
 * @param {string} out
 * @param {string} name the archive's and its folder's
 * @param {{ program: string, triple: string, runsOn: string }} made
 * @returns {string} the folder that is in it
 */
function packProgram(out, name, { program, triple, runsOn }) {
  const folder = path.join(out, name);
  fs.mkdirSync(folder);
  fs.copyFileSync(program, path.join(folder, 'crypto-diag'));
  quietly(hostExample('reference'), [folder]);
  for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE'])
    fs.copyFileSync(path.join(root, licence), path.join(folder, licence));
  fs.writeFileSync(
    path.join(folder, 'THIRD-PARTY.md'),
    thirdParty({ crates: [CLI], place: 'program', target: triple }),
  );
  fs.writeFileSync(path.join(folder, 'README.txt'), programReadme(name, runsOn));
  // The same files give the same archive: neither times nor owners of this machine are in it.
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=go-w'];
  quietly('tar', [...same, '-czf', `${name}.tar.gz`, name], { cwd: out });
  return folder;
}

/** @param {string} name @param {string} runsOn */
const programReadme = (
  name,
  runsOn,
) => `crypto-diag: from the reports that users downloaded to what is proven. It only reads.

It runs on ${runsOn}.

As root, for everybody on this machine:

    install -m 755 crypto-diag /usr/local/bin/
    install -d /usr/local/share/man/man1 && install -m 644 man/*.1 /usr/local/share/man/man1/
    install -m 644 completions/crypto-diag.bash /usr/share/bash-completion/completions/crypto-diag

Then: man crypto-diag, or crypto-diag run --help. ${name}.tar.gz is listed in SHA256SUMS beside it.
`;

/** What \`sha256sum --check\` reads. @param {string} out */
function sums(out) {
  const lines = fs
    .readdirSync(out)
    .sort()
    .map((name) => {
      const hash = createHash('sha256')
        .update(fs.readFileSync(path.join(out, name)))
        .digest('hex');
      return `${hash}  ${name}\n`;
    });
  fs.writeFileSync(path.join(out, 'SHA256SUMS'), lines.join(''));
}

/**
 * Makes a release's files out of what is built.
 * @param {{ out: string, made: { program: string, triple: string, runsOn: string } }} what a folder that is made anew, and the program
 *   that is released
 */
export async function makeRelease({ out, made }) {
  fs.rmSync(out, { recursive: true, force: true });
  fs.mkdirSync(out, { recursive: true });
  const { name, version, description } = packageOf(pkg);
  packPackage(out);
  const archive = `${name}-${version}-${made.triple}`;
  const folder = packProgram(out, archive, made);
  const wheel = packWheel({ out, folder, triple: made.triple });
  fs.rmSync(folder, { recursive: true });
  const program = { kind: /** @type {const} */ ('application'), crates: [CLI], target: made.triple };
  const bills = [
    { file: `${name}-${version}.tgz`, kind: /** @type {const} */ ('library'), crates: MODULES, target: WASM },
    { file: `${archive}.tar.gz`, ...program },
    { file: wheel, ...program },
  ];
  for (const { file, ...of } of bills)
    fs.writeFileSync(path.join(out, `${file}.cdx.json`), await bill({ name, version, description, ...of }));
  fs.writeFileSync(
    path.join(out, 'RELEASE-NOTES.md'),
    notes(fs.readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8'), version),
  );
  sums(out);
}

if (isMain(import.meta.url)) {
  main(async () => {
    refuseChanges();
    await build();
    await step('the crates', checkCrates);
    const made = await step('the program', releasedProgram);
    const out = path.join(target, 'distrib');
    await step('the release', () => makeRelease({ out, made }));
    const files = fs.readdirSync(out).sort();
    const row = (/** @type {string} */ file) =>
      `${String(fs.statSync(path.join(out, file)).size).padStart(10)}  ${path.join(path.relative(root, out), file)}`;
    say('\nbytes, file');
    process.stdout.write(`${files.map(row).join('\n')}\n`);
  });
}
