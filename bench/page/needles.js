// @ts-check
// What each word of the prefilter costs: all of them, all but it, and it alone. Looked for as the capture does.
import { indexOf } from '../../pkg/src/capture/builtins.js';
import { PREFILTER } from 'crypto-diag/facts';
import { LINES } from './lines.js';

const SAMPLES = 9;
const CALLS = 20_000;

/** @type {(line: string, words: string[]) => boolean} */
function hasWord(line, words) {
  for (let at = 0; at < words.length; at++) if (indexOf(line, words[at]) >= 0) return true;
  return false;
}

/** @type {(words: string[]) => number} Nanoseconds a line. */
function time(words) {
  const lines = LINES.none.calls.map(([line]) => /** @type {string} */ (line));
  let found = 0;
  const begun = performance.now();
  for (let at = 0; at < CALLS; at++) if (hasWord(lines[at % lines.length], words)) found++;
  if (found > 0) throw new Error('The line was to match nothing.');
  return ((performance.now() - begun) * 1e6) / CALLS;
}

/** Each word's price, on 200 characters without match. */
export function measureNeedles() {
  const ways = PREFILTER.map((word) => ({
    alone: [word],
    without: PREFILTER.filter((other) => other !== word),
  }));
  /** @type {number[]} */
  const all = [];
  const alone = ways.map(() => /** @type {number[]} */ ([]));
  const without = ways.map(() => /** @type {number[]} */ ([]));
  // The first round is the engine's, which compiles.
  for (let sample = -1; sample < SAMPLES; sample++) {
    const cost = time(PREFILTER);
    if (sample >= 0) all.push(cost);
    ways.forEach((way, at) => {
      const times = [time(way.alone), time(way.without)];
      if (sample < 0) return;
      alone[at].push(times[0]);
      without[at].push(times[1]);
    });
  }
  const median = (/** @type {number[]} */ values) => values.sort((a, b) => a - b)[values.length >> 1];
  return {
    all: median(all),
    literals: PREFILTER.map((literal, at) => ({
      literal,
      alone: median(alone[at]),
      without: median(without[at]),
    })),
  };
}
