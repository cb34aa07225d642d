// @ts-check
// The project's folders, and how its scripts speak.

import { fileURLToPath } from 'node:url';
import path from 'node:path';

/** The project's root folder. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Where downloaded tools and intermediate files live; git-ignored. `CRYPTO_DIAG_CACHE` moves it. */
export const cache = process.env.CRYPTO_DIAG_CACHE
  ? path.resolve(process.env.CRYPTO_DIAG_CACHE)
  : path.join(root, '.cache');

/** Where cargo puts what it builds. */
export const target = path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');

/** Whether the module with this address (`import.meta.url`) is the program that Node was asked to run. */
export const isMain = (/** @type {string} */ url) => process.argv[1] === fileURLToPath(url);

/** A failure whose message is all that a person needs: printed without a stack. */
export class Explained extends Error {}

/** Says on stderr what is going on, so that stdout stays for results. @param {string} text */
export const say = (text) => void process.stderr.write(`${text}\n`);

/**
 * Prints a step's name and, when it is over, how long it took.
 * @template T
 * @param {string} title
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const start = Date.now();
  say(`▸ ${title}`);
  const result = await work();
  say(`  ${title}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

/**
 * Wraps a script's main function: an `Explained` failure is printed plainly, anything else with its stack.
 * @param {() => unknown} work
 */
export function main(work) {
  Promise.resolve()
    .then(work)
    .catch((error) => {
      say(error instanceof Explained ? `\n${error.message}` : error.stack);
      process.exitCode = 1;
    });
}
