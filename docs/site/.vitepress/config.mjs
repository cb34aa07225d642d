// The documentation's site: the repository's Markdown as it is, and beside it the Rust documentation. `npm run docs` builds it.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { slug } from 'github-slugger';
import { quietly } from '../../../scripts/lib/process.mjs';
import { cache, root, target } from '../../../scripts/lib/project.mjs';

/** Where the Rust documentation lies in the site; scripts/docs.mjs puts it there. */
export const RUST = 'rust';

/** The pages in their order. A page that is not here is not in the site. @type {Record<string, string[]>} */
const PAGES = {
  Begin: ['README.md', 'docs/README.md', 'docs/runbook.md', 'docs/glossary.md'],
  'In a client': ['guide', 'promises', 'report', 'security', 'keep', 'frames', 'cinny'].map(inDocs),
  'On a server': ['crates/cli/README.md', ...['collect', 'triage', 'handoff', 'fleet'].map(inDocs)],
  'What proves what': ['rules', 'calls', 'signatures', 'soundness', 'benchmark'].map(inDocs),
  'What it costs': ['bench/README', 'bench/size', 'bench/notes'].map(inDocs),
  'Change it': [
    ...['ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
    ...['crates/triage/README.md', 'crates/collect/README.md', 'tests/fixtures/bundles/README.md'],
  ],
};

const pages = Object.values(PAGES).flat();

/** The repository's other Markdown. */
const others = quietly('git', ['ls-files', '*.md'])
  .split('\n')
  .filter((file) => file && !pages.includes(file));

/** @param {string} name */
function inDocs(name) {
  return `docs/${name}.md`;
}

/** A page's title is its first heading. @param {string} file */
function title(file) {
  const [, heading] = /^# (.+)$/m.exec(readFileSync(path.join(root, file), 'utf8')) ?? [];
  if (!heading) throw new Error(`${file} has no heading.`);
  return heading.replaceAll('`', '');
}

/** A page's place in the site: a folder's README is its index. @param {string} file */
const place = (file) => file.replace(/README\.md$/, 'index.md');

/** The crates that have a library, as links to their documentation. */
const crates = readdirSync(path.join(root, 'crates'))
  .filter((name) => existsSync(path.join(root, 'crates', name, 'src/lib.rs')))
  .map((name) => ({
    text: name,
    link: `/${RUST}/crypto_diag_${name.replaceAll('-', '_')}/index.html`,
    target: '_self',
  }));

/** @type {import('vitepress').UserConfig} */
export default {
  lang: 'en',
  title: 'crypto-diag',
  description: 'Evidence for Matrix end-to-end encryption failures',
  srcDir: root,
  outDir: path.join(target, 'site'),
  cacheDir: path.join(cache, 'site'),
  srcExclude: ['target/**', ...others],
  rewrites: Object.fromEntries(pages.map((file) => [file, place(file)])),
  // scripts/docs.mjs checks the finished pages, and fragments as well.
  ignoreDeadLinks: true,
  markdown: {
    // The same fragments as on GitHub, so that a link is right in both.
    anchor: { slugify: slug },
    config: (md) =>
      void md.core.ruler.push('as-on-github', ({ tokens }) => {
        for (const token of tokens) {
          // An indented example gets the frame of a fenced one, which scrolls where it is too wide.
          if (token.type === 'code_block') Object.assign(token, { type: 'fence', info: 'txt' });
          for (const part of token.children ?? []) {
            // A link to a folder's README leads to the folder's index.
            const href = part.attrGet('href');
            if (href && !/^https?:/.test(href))
              part.attrSet('href', href.replace(/README\.md(?=#|$)/, 'index.md'));
          }
        }
      }),
  },
  themeConfig: {
    outline: [2, 3],
    search: { provider: 'local' },
    sidebar: [
      ...Object.entries(PAGES).map(([text, files]) => ({
        text,
        items: files.map((file) => ({ text: title(file), link: `/${place(file)}` })),
      })),
      { text: 'Rust documentation', collapsed: true, items: crates },
    ],
  },
};
