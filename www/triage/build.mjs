// @ts-check
// Makes the triage page: one document with its style, its script, its worker and its WebAssembly inside, and a policy that
// lets these run, by their hashes, and nothing connect.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));

/** A text's hash, as a policy names it. @param {string} text */
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * What the page may do. The worker inherits it, since its address is a `blob:`.
 * @param {{ style: string, script: string }} inline
 */
export const policy = ({ style, script }) =>
  [
    `default-src 'none'`,
    `script-src ${hash(script)} 'wasm-unsafe-eval'`,
    `worker-src blob:`,
    `style-src ${hash(style)}`,
    `connect-src 'none'`,
    `webrtc 'block'`,
    `img-src 'none'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types crypto-diag-worker`,
  ].join('; ');

/**
 * Bundles one entry into one text.
 * @param {string} entry
 * @param {Record<string, string>} alias
 * @param {import('esbuild').Plugin[]} [plugins]
 */
async function bundled(entry, alias, plugins = []) {
  const { outputFiles } = await build({
    entryPoints: [path.join(here, entry)],
    alias,
    plugins,
    bundle: true,
    write: false,
    format: 'iife',
    minify: true,
    target: ['es2022'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
  });
  return outputFiles[0].text.trim();
}

/**
 * A module whose default export is a text.
 * @param {string} name
 * @param {string} text
 * @returns {import('esbuild').Plugin}
 */
const textModule = (name, text) => ({
  name,
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: 'text' }));
    onLoad({ filter: /.*/, namespace: 'text' }, () => ({ contents: text, loader: 'text' }));
  },
});

/** Texts that would end an inline script or change how it is parsed. */
const UNFIT = /<\/script|<!--|<script/i;

/**
 * Writes the page.
 *
 * @param {object} parts
 * @param {string} parts.glue the module's JavaScript, a file
 * @param {string} parts.bytes the module's bytes, a JavaScript file that exports TRIAGE_BYTES
 * @param {string} parts.invisible the characters that nobody sees, a JavaScript file that exports INVISIBLE
 * @param {string} parts.outFile
 * @param {string} parts.version
 * @param {string} parts.licences a text: whose code is in the page
 * @returns {Promise<number>} the page's size in bytes
 */
export async function buildTriage({ glue, bytes, invisible, outFile, version, licences }) {
  const worker = await bundled('worker.js', { 'crypto-diag/triage-glue': glue });
  const script = await bundled(
    'page.js',
    { 'crypto-diag/triage-bytes': bytes, 'crypto-diag/invisible': invisible },
    [textModule('crypto-diag/triage-worker', worker)],
  );
  if (UNFIT.test(script)) throw new Error('the triage page’s script cannot stand inside a document');
  const sheets = ['../base.css', 'triage.css'].map((name) => readFile(path.join(here, name), 'utf8'));
  const style = (await Promise.all(sheets)).join('\n').trim();
  const escaped = licences.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  /** @type {Record<string, string>} */
  const places = {
    policy: `<meta http-equiv="Content-Security-Policy" content="${policy({ style, script })}" />`,
    style: `<style>${style}</style>`,
    version,
    licences: `<details><summary>Whose code is in this page</summary><pre tabindex="0">${escaped}</pre></details>`,
    script: `<script>${script}</script>`,
  };
  const template = await readFile(path.join(here, 'triage.html'), 'utf8');
  const page = template.replace(/<!-- (\w+) -->/g, (_, /** @type {string} */ place) => {
    if (!Object.hasOwn(places, place)) throw new Error(`triage.html has an unknown place: ${place}`);
    return places[place];
  });
  await mkdir(path.dirname(outFile), { recursive: true });
  await writeFile(outFile, page);
  return Buffer.byteLength(page);
}
