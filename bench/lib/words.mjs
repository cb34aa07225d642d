// @ts-check
// Numbers as people read them.

/** Three significant digits, without an exponent. @param {number} value */
export function digits(value) {
  if (value === 0) return '0';
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en', { minimumFractionDigits: 0, maximumFractionDigits: Math.min(places, 3) });
}

/**
 * A median, and its spread where there is one.
 * @param {import('./stats.mjs').Spread | null} spread
 * @param {(value: number) => string} [format] Of the median; the spread has the same unit.
 */
export function withSpread(spread, format = digits) {
  if (!spread) return '–';
  const middle = format(spread.median);
  return spread.samples > 1 ? `${middle} (${digits(spread.min)}–${digits(spread.max)})` : middle;
}

/** @param {import('./stats.mjs').Spread | null} spread */
export const times = (spread) => (spread ? `${digits(spread.median)} ×` : '–');

/** @param {number} bytes */
export function kib(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

/** @param {number} bytes */
export function mebibytes(bytes) {
  return `${digits(bytes / 2 ** 20)} MiB`;
}

/** @param {number} ms */
export const ms = (ms) => `${digits(ms)} ms`;
