// @ts-check
// Loads a contender into the page as a blocking script would be, and says how long the page stood still.
import { source } from './offline.js';

/** @typedef {import('../peers/contract.js').Peer} Peer */

/**
 * @param {string} id
 * @returns {Promise<{peer: Peer, evaluate: number, start: number}>} Milliseconds that its code took to compile and run, and
 *   that its start took.
 */
export async function load(id) {
  const script = document.createElement('script');
  script.textContent = await source(`/peers/${id}.js`);
  const begun = performance.now();
  // An inline script runs inside this very call.
  document.head.append(script);
  const evaluated = performance.now();
  const peer = /** @type {{contender: Peer}} */ (/** @type {any} */ (globalThis)).contender;
  peer.start();
  const started = performance.now();
  return { peer, evaluate: evaluated - begun, start: started - evaluated };
}

/** The method that an application calls. @param {Peer} peer @param {'warn' | 'error'} method */
export const callOf = (peer, method) =>
  peer[method] ?? ((/** @type {unknown[]} */ ...args) => console[method](...args));

export const pause = () => new Promise((resolve) => setTimeout(resolve));

/** Waits until a contender has taken what it was given; some hand on a little later. @param {Peer} peer */
export async function settled(peer) {
  for (let left = 40; left > 0 && peer.kept() === 0; left--) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (peer.kept() === 0) throw new Error('It captured nothing: its set-up is wrong.');
}
