// @ts-check
// Each contender and each measuring page as one minified file.

import path from 'node:path';
import { cache, root } from '../../scripts/lib/project.mjs';

/**
 * @param {string} entry From bench/.
 * @param {string} [globalName] What a classic script leaves its exports in; a module without.
 * @returns {Promise<string>} The code.
 */
export async function bundle(entry, globalName) {
  const { build } = await import('esbuild');
  const done = await build({
    entryPoints: [path.join(root, 'bench', entry)],
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    mainFields: ['browser', 'module', 'main'],
    format: globalName ? 'iife' : 'esm',
    globalName,
    target: ['es2022'],
    legalComments: 'none',
    define: {
      'process.env.NODE_ENV': '"production"',
      __SENTRY_DEBUG__: 'false',
      __SENTRY_TRACING__: 'false',
    },
    // Written by the build, out of the table of signatures.
    alias: { 'crypto-diag/facts': path.join(cache, 'build/facts.js') },
    nodePaths: [path.join(root, 'bench/node_modules')],
    logLevel: 'error',
  });
  return done.outputFiles[0].text;
}
