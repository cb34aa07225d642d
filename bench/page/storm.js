// @ts-check
// 100,000 matching lines as fast as they go, a hundred in each task, and what the page feels of them.
import { callOf, load, settled } from './contender.js';
import { LINES } from './lines.js';
import { goOffline, sent } from './offline.js';

const LINES_OF_STORM = 100_000;
const LINES_OF_TASK = 100;
/** Milliseconds after which a contender is stopped; what it managed is told. */
const LIMIT_MS = 4_000;
/** Milliseconds that a contender has to hand on what it put off. */
const AFTER_MS = 500;

/** Bytes that the page holds, WebAssembly's memory included; null where the browser does not say. */
async function bytes() {
  const { measureUserAgentSpecificMemory: measure } = /** @type {any} */ (performance);
  return measure ? /** @type {number} */ ((await measure.call(performance)).bytes) : null;
}

/** Runs tasks one after the other until one says that it was the last. */
function tasks(/** @type {() => boolean} */ step) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      if (step()) port2.postMessage(null);
      else {
        port1.close();
        resolve(null);
      }
    };
    port2.postMessage(null);
  });
}

/** @param {string} id @param {boolean} card Whether the card is open. */
export async function measureStorm(id, card) {
  goOffline();
  console.warn = () => {};
  const { peer } = await load(id);
  if (card) document.body.append(document.createElement('crypto-diag-card'));
  const warn = callOf(peer, 'warn');
  const { calls } = LINES.match;
  for (let at = 0; at < 2000; at++) warn(calls[at % calls.length][0]);
  await settled(peer);
  const before = await bytes();
  let lines = 0;
  let largest = 0;
  let spent = 0;
  const begun = performance.now();
  let last = begun;
  await tasks(() => {
    const started = performance.now();
    // From one task's end to the next one's start: what else the page had to do. And the task itself.
    largest = Math.max(largest, started - last);
    for (let at = 0; at < LINES_OF_TASK; at++) warn(calls[at % calls.length][0], lines + at);
    lines += LINES_OF_TASK;
    last = performance.now();
    spent += last - started;
    largest = Math.max(largest, last - started);
    return lines < LINES_OF_STORM && last - begun < LIMIT_MS;
  });
  const time = performance.now() - begun;
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  const after = await bytes();
  return {
    lines,
    time,
    spent,
    largest,
    retained: before === null || after === null ? null : after - before,
    sent: sent.bytes,
  };
}
