// @ts-check
// 10,000 lines a second for some seconds, with the card open: does the page still paint?
import { callOf, load } from './contender.js';
import { LINES } from './lines.js';
import { goOffline } from './offline.js';

const LINES_A_SECOND = 10_000;
const SECONDS = 4;
/** Milliseconds between two bursts. */
const BURST_MS = 5;

/** @param {string} id @param {boolean} card */
export async function measurePainting(id, card) {
  goOffline();
  console.warn = () => {};
  const { peer } = await load(id);
  if (card) document.body.append(document.createElement('crypto-diag-card'));
  const warn = callOf(peer, 'warn');
  const { calls } = LINES.match;
  const gaps = /** @type {number[]} */ ([]);
  let lines = 0;
  let over = false;
  // Not before the page has settled.
  await new Promise((resolve) => setTimeout(resolve, 500));
  let last = 0;
  const frame = (/** @type {number} */ now) => {
    if (last > 0) gaps.push(now - last);
    last = now;
    if (!over) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const begun = performance.now();
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(SECONDS * LINES_A_SECOND, ((performance.now() - begun) / 1000) * LINES_A_SECOND);
      for (; lines < due; lines++) warn(calls[lines % calls.length][0], lines);
      if (lines < SECONDS * LINES_A_SECOND) return;
      clearInterval(timer);
      resolve(null);
    }, BURST_MS);
  });
  over = true;
  gaps.sort((a, b) => a - b);
  return {
    lines,
    frames: gaps.length,
    typical: gaps[gaps.length >> 1] ?? null,
    largest: gaps.at(-1) ?? null,
  };
}
