// @ts-check
// Medians and their spread. The mean of a noisy machine's times says more of the noise than of the code.

/** @typedef {{median: number, min: number, max: number, samples: number}} Spread */

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {(number | null | undefined)[]} values What could not be measured is left out.
 * @returns {Spread | null} Null if nothing could.
 */
export function spread(values) {
  const numbers = values.filter((value) => typeof value === 'number' && Number.isFinite(value));
  if (numbers.length === 0) return null;
  return {
    median: median(/** @type {number[]} */ (numbers)),
    min: Math.min(.../** @type {number[]} */ (numbers)),
    max: Math.max(.../** @type {number[]} */ (numbers)),
    samples: numbers.length,
  };
}

/**
 * How a time grows with its input: the slope of a line through the logarithms. 1 is linear.
 * @param {{size: number, time: number}[]} points
 */
export function exponent(points) {
  const xs = points.map(({ size }) => Math.log(size));
  const ys = points.map(({ time }) => Math.log(time));
  const mean = (/** @type {number[]} */ list) => list.reduce((sum, one) => sum + one, 0) / list.length;
  const [x0, y0] = [mean(xs), mean(ys)];
  const up = xs.reduce((sum, x, at) => sum + (x - x0) * (ys[at] - y0), 0);
  return up / xs.reduce((sum, x) => sum + (x - x0) ** 2, 0);
}
