// @ts-check
// What each alternative of the prefilter costs: the whole, the whole without it, and it alone.
import { PREFILTER } from 'crypto-diag/facts';
import { LINES } from './lines.js';

const SAMPLES = 9;
const CALLS = 20_000;

/** @type {(pattern: RegExp) => number} Nanoseconds a line. */
function time(pattern) {
  const lines = LINES.none.calls.map(([line]) => /** @type {string} */ (line));
  let found = 0;
  const begun = performance.now();
  for (let at = 0; at < CALLS; at++) if (pattern.exec(lines[at % lines.length]) !== null) found++;
  if (found > 0) throw new Error('The line was to match nothing.');
  return ((performance.now() - begun) * 1e6) / CALLS;
}

/** Each gate's price, on 200 characters without match. */
export function measureNeedles() {
  const gates = PREFILTER.split('|');
  const whole = new RegExp(PREFILTER);
  const ways = gates.map((gate) => ({
    alone: new RegExp(gate),
    without: new RegExp(gates.filter((other) => other !== gate).join('|')),
  }));
  /** @type {number[]} */
  const all = [];
  const alone = gates.map(() => /** @type {number[]} */ ([]));
  const without = gates.map(() => /** @type {number[]} */ ([]));
  // The first round is the engine's, which compiles.
  for (let sample = -1; sample < SAMPLES; sample++) {
    const cost = time(whole);
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
    gates: gates.map((gate, at) => ({ gate, alone: median(alone[at]), without: median(without[at]) })),
  };
}
