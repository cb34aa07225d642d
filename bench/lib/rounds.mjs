// @ts-check
// Interleaved rounds: each contender once in each, so that a machine which gets slower gets slower for all.

import { engines } from './browsers.mjs';

/**
 * @param {import('../parts/index.mjs').Context} context
 * @param {string} part What the page is asked for.
 * @param {string[]} contenders
 * @returns {Promise<Record<string, Record<string, any[]>>>} Results by engine and contender.
 */
export async function rounds({ host, rounds: count, say }, part, contenders) {
  /** @type {Record<string, Record<string, any[]>>} */
  const results = {};
  for (const engine of engines) {
    results[engine] = Object.fromEntries(contenders.map((id) => [id, []]));
  }
  for (let round = 0; round < count; round++) {
    for (const engine of engines) {
      say(`  ${part}: round ${round + 1} of ${count}, ${engine}`);
      for (const contender of contenders) {
        results[engine][contender].push(await host.run(engine, { part, contender }));
      }
    }
  }
  return results;
}

/**
 * What `measure` makes of the runs of each contender, by engine and contender.
 * @template T
 * @param {Record<string, Record<string, any[]>>} results
 * @param {(runs: any[]) => T} measure
 * @returns {Record<string, Record<string, T>>}
 */
export const ofEach = (results, measure) => mapValues(results, (runs) => mapValues(runs, measure));

/**
 * @template T, U
 * @param {Record<string, T>} object
 * @param {(value: T) => U} of
 */
const mapValues = (object, of) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, of(value)]));
