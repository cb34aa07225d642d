// @ts-check
/** @typedef {import('./recording.js').RecordedLine} RecordedLine */

/** Milliseconds between two reports of progress while nothing is printed. */
const TICK = 250;

/**
 * @typedef {object} Progress
 * @property {number} printed lines printed so far
 * @property {number} total
 * @property {number} wait milliseconds until the next line; 0 at the end
 */

/**
 * Prints lines one after another at the pace at which they were recorded. Times count from the start, not from the line
 * before, so delays of the page do not add up; lines that are late are printed together.
 *
 * @param {readonly RecordedLine[]} lines
 * @param {(line: RecordedLine) => void} print
 * @param {{ signal: AbortSignal, progress: (progress: Progress) => void }} options
 * @returns {Promise<boolean>} whether all lines were printed; false if the signal stopped it
 */
export async function playAtPace(lines, print, { signal, progress }) {
  const begun = performance.now();
  const first = lines[0]?.ts ?? 0;
  let printed = 0;
  while (printed < lines.length) {
    if (signal.aborted) return false;
    const played = performance.now() - begun;
    while (printed < lines.length && lines[printed].ts - first <= played) print(lines[printed++]);
    const wait = printed < lines.length ? Math.max(0, lines[printed].ts - first - played) : 0;
    progress({ printed, total: lines.length, wait });
    if (wait > 0) await pause(Math.min(wait, TICK), signal);
  }
  return true;
}

/**
 * Prints all lines at once.
 *
 * @param {readonly RecordedLine[]} lines
 * @param {(line: RecordedLine) => void} print
 */
export function playAtOnce(lines, print) {
  for (const line of lines) print(line);
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal ends the pause early
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
