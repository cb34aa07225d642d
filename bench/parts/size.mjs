// @ts-check
// What a page loads.

import fs from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { root } from '../../scripts/lib/project.mjs';
import { bundle } from '../lib/bundle.mjs';
import { versionOf } from '../lib/versions.mjs';
import { kib } from '../lib/words.mjs';
import { CONTENDERS } from '../peers/index.mjs';

/** What a text weighs, in bytes. @param {string | Buffer} text */
const weigh = (text) => ({
  minified: text.length,
  gzipped: gzipSync(text, { level: 9 }).length,
  brotli: brotliCompressSync(text).length,
});

/** Our own entries, as the package ships them. */
const ENTRIES = [
  { file: 'pkg/dist/index.js', title: 'crypto-diag: capture (the default entry)' },
  { file: 'pkg/dist/light.js', title: 'crypto-diag/light, until a line matches' },
  { file: 'pkg/dist/light-core.js', title: 'its core, loaded with the first matching line' },
  { file: 'pkg/dist/worker.js', title: 'crypto-diag/worker' },
  { file: 'pkg/dist/card.js', title: 'crypto-diag/card, beside the capture' },
  { file: 'pkg/dist/react.js', title: 'crypto-diag/react, beside the capture' },
  { file: 'pkg/dist/analysis.js', title: 'crypto-diag/analysis, loaded when asked' },
];

/** The scripts that the triage page loads before anything is chosen, if the demo is built. */
function triagePage() {
  const folder = path.join(root, 'www/dist');
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /triage/.test(name) && /\.(js|html|css|wasm)$/.test(name))
    .map((name) => ({ file: path.join('www/dist', name), title: `triage page: ${name}` }));
}

/** @type {import('./index.mjs').Part} */
export const size = {
  name: 'size',
  title: 'Size',
  pages: false,

  async measure() {
    const own = [...ENTRIES, ...triagePage()].map(({ file, title }) => {
      const text = fs.readFileSync(path.join(root, file));
      return { title, ...weigh(text), version: null };
    });
    const peers = [];
    for (const { id, title, module } of CONTENDERS) {
      if (!module) continue;
      const text = await bundle(`peers/${id}.js`, 'contender');
      peers.push({
        title,
        ...weigh(text),
        version: `${module} ${versionOf(module)}`,
      });
    }
    return { own, peers: peers.sort((a, b) => a.gzipped - b.gzipped) };
  },

  tables: ({ own, peers }) => [
    {
      title: 'Size',
      note:
        'Minified, then by gzip (level 9) and by brotli (level 11), WebAssembly included. Peers as they are set up here, bundled by esbuild with tree shaking: ' +
        'Sentry’s breadcrumbs through `init` with its defaults, its other two with the bare client.',
      columns: ['', 'version', 'minified', 'gzip', 'brotli'],
      rows: [...own, ...peers].map((row) => [
        row.title,
        row.version ?? '',
        kib(row.minified),
        kib(row.gzipped),
        row.brotli === undefined ? '' : kib(row.brotli),
      ]),
    },
  ],
};
