// @ts-check
// What a call costs: a contender's beside the trivial wrapper's and the storer's, in turn, in one page.
import * as storer from '../peers/storer.js';
import * as trivial from '../peers/trivial.js';
import { callOf, load, pause, settled } from './contender.js';
import { LINES } from './lines.js';
import { goOffline } from './offline.js';

/** Milliseconds of one sample: long beside the clock's steps. */
const SAMPLE_MS = 8;
const SAMPLES = 5;
const WARM_UP_MS = 60;
/** Calls before a look at what they have put off. */
const PUT_OFF_CALLS = 1000;
/** Matching calls in a row: they come in bursts, and what a burst puts off is done before the next. */
const BURST = 200;
const BURSTS = 20;

/** @typedef {(...args: unknown[]) => void} Call */

/** Nanoseconds a call, over so many. */
function time(/** @type {Call} */ call, /** @type {unknown[][]} */ lines, /** @type {number} */ calls) {
  const begun = performance.now();
  for (let at = 0; at < calls; at++) {
    const args = lines[at % lines.length];
    if (args.length === 1) call(args[0]);
    else call(args[0], args[1], args[2]);
  }
  return ((performance.now() - begun) * 1e6) / calls;
}

/** How many calls make a sample; engines have compiled what they will by then. */
function calibrate(/** @type {Call} */ call, /** @type {unknown[][]} */ lines) {
  let calls = 32;
  const begun = performance.now();
  let cost = time(call, lines, calls);
  while (performance.now() - begun < WARM_UP_MS) {
    calls = Math.min(100_000, Math.max(32, Math.ceil((SAMPLE_MS * 1e6) / cost / 4)));
    cost = time(call, lines, calls);
  }
  return Math.max(1, Math.ceil((SAMPLE_MS * 1e6) / cost));
}

/** The same for lines that match, in bursts. */
async function timeBursts(/** @type {Call} */ call, /** @type {unknown[][]} */ lines) {
  let sum = 0;
  for (let burst = 0; burst < BURSTS; burst++) {
    sum += time(call, lines, BURST);
    await pause();
  }
  return sum / BURSTS;
}

const median = (/** @type {number[]} */ values) => values.sort((a, b) => a - b)[values.length >> 1];

/** @param {string} id */
export async function measureCalls(id) {
  goOffline();
  console.warn = () => {};
  const native = console.error.bind(console);
  const { peer, evaluate, start } = await load(id);
  // The rivals wrap consoles of their own: what the contender does to the page's must not reach them.
  const warn = callOf(peer, 'warn');
  const error = callOf(peer, 'error');
  const rivals = { trivial: rival(trivial), storer: rival(storer) };
  const first = await firstMatch(warn);
  /** @type {Record<string, Record<string, number>>} */
  const costs = {};
  for (const [name, line] of Object.entries(LINES)) {
    costs[name] = await compare({ contender: warn, ...rivals }, line);
  }
  costs.native = await compare({ contender: error, native }, LINES.none);
  // Some hand on a little later.
  await settled(peer);
  const later = await putOff(warn, LINES.none.calls, PUT_OFF_CALLS);
  const laterMatch = await putOff(warn, LINES.match.calls, BURST);
  return { evaluate, start, first, costs, later, laterMatch };
}

/** Milliseconds that the page stands still for the first line that matches: in its call, and soon after. */
async function firstMatch(/** @type {Call} */ call) {
  const [[line]] = LINES.match.calls;
  await pause();
  const idle = await timeOf(pause);
  const begun = performance.now();
  call(line);
  const inCall = performance.now() - begun;
  return { inCall, later: Math.max(0, (await timeOf(pause)) - idle) };
}

/** What a call costs afterwards, in nanoseconds: some contenders do their work in a task or a timer of its own. */
async function putOff(
  /** @type {Call} */ call,
  /** @type {unknown[][]} */ lines,
  /** @type {number} */ calls,
) {
  const costs = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const idle = await timeOf(pause);
    time(call, lines, calls);
    costs.push(((await timeOf(pause)) - idle) * (1e6 / calls));
    await pause();
  }
  return Math.max(0, median(costs));
}

async function timeOf(/** @type {() => Promise<unknown>} */ work) {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** A simple capturer around a console whose methods do nothing. */
function rival(/** @type {{wrap: (console: any, method: 'warn') => void}} */ { wrap }) {
  const console = { warn: () => {} };
  wrap(console, 'warn');
  return (/** @type {unknown[]} */ ...args) => /** @type {any} */ (console).warn(...args);
}

/** The median cost of each, in nanoseconds; samples are taken in turn, so that noise hits all. */
async function compare(
  /** @type {Record<string, Call>} */ ways,
  /** @type {{calls: unknown[][], matches: boolean}} */ { calls: lines, matches },
) {
  const names = Object.keys(ways);
  const counts = names.map((name) => calibrate(ways[name], lines));
  const times = names.map(() => /** @type {number[]} */ ([]));
  for (let sample = 0; sample < SAMPLES; sample++) {
    for (let at = 0; at < names.length; at++) {
      const call = ways[names[at]];
      times[at].push(matches ? await timeBursts(call, lines) : time(call, lines, counts[at]));
    }
    // What a contender has put off comes now, and is not part of the call.
    await pause();
  }
  return Object.fromEntries(names.map((name, at) => [name, median(times[at])]));
}
