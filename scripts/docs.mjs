// @ts-check
// `npm run docs`: the documentation as a site in target/site, out of the repository's Markdown and of the Rust documentation.
// `npm run docs serve` then shows it on localhost.

import fs from 'node:fs';
import path from 'node:path';
import { HOST_PROFILE } from './lib/host-program.mjs';
import { ensureNpm } from './lib/packages.mjs';
import { quietly } from './lib/process.mjs';
import { Explained, main, root, say, step, target } from './lib/project.mjs';
import { serve } from './lib/server.mjs';

const home = path.join(root, 'docs/site');
const out = path.join(target, 'site');
/** Where config.mjs links to it. */
const rust = path.join(out, 'rust');

/** Every file below a folder that ends like this, from that folder. @param {string} folder @param {string} ending */
const filesBelow = (folder, ending) =>
  fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending));

/**
 * Links of the pages that lead nowhere, as `page: link`. What leads out of the site is not followed; the Rust documentation's own
 * links are checked by rustdoc.
 */
function brokenLinks() {
  const pages = filesBelow(out, '.html').filter((name) => !name.startsWith('rust'));
  /** @type {Map<string, Set<string>>} */
  const ids = new Map();
  const idsOf = (/** @type {string} */ file) => {
    if (!ids.has(file)) {
      const html = fs.readFileSync(file, 'utf8');
      ids.set(file, new Set([...html.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id)));
    }
    return ids.get(file) ?? new Set();
  };
  return pages.flatMap((page) => {
    const html = fs.readFileSync(path.join(out, page), 'utf8');
    return [...html.matchAll(/\b(?:href|src)="([^"]+)"/g)]
      .map(([, link]) => link)
      .filter((link) => {
        const { origin, pathname, hash } = new URL(link, `http://site/${page}`);
        if (origin !== 'http://site') return false;
        const file = path.join(out, decodeURIComponent(pathname), pathname.endsWith('/') ? 'index.html' : '');
        if (!fs.existsSync(file)) return true;
        return hash !== '' && file.endsWith('.html') && !idsOf(file).has(decodeURIComponent(hash.slice(1)));
      })
      .map((link) => `${page}: ${link}`);
  });
}

main(async () => {
  await step('npm packages for the site', () => ensureNpm(home));
  await step('Rust documentation', () =>
    quietly('cargo', ['doc', '-q', '--profile', HOST_PROFILE, '--workspace', '--no-deps'], {
      env: { RUSTDOCFLAGS: '-D warnings' },
    }),
  );
  await step('pages', () => quietly(path.join(home, 'node_modules/.bin/vitepress'), ['build', home]));
  fs.cpSync(path.join(target, 'doc'), rust, { recursive: true });
  const broken = brokenLinks();
  if (broken.length > 0) throw new Explained(`Links that lead nowhere:\n${broken.join('\n')}`);
  say(`\nThe site: ${path.relative(root, out)}/`);
  if (process.argv[2] !== 'serve') return;
  const { url } = await serve(out);
  say(`On localhost: ${url}/\nPress Ctrl-C to stop.`);
});
