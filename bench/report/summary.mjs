// @ts-check
// The table of the project's README: the few figures that somebody wants before anything else. All others are in docs/bench.

import { digits, kib, times } from '../lib/words.mjs';
import { CONTENDERS } from '../peers/index.mjs';
import { toTable } from './markdown.mjs';

const BEGIN = '<!-- Written by `npm run bench`: -->';
const END = '<!-- until here -->';

/**
 * Puts the figures into a README, between its two marks.
 *
 * @param {string} readme
 * @param {import('./markdown.mjs').Record_} record
 * @throws {Error} if the marks are not there
 */
export function summarised(readme, record) {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md has no “${BEGIN}” … “${END}” for the table.`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${summary(record)}\n\n${readme.slice(end)}`;
}

/** Ourselves, the least that any wrapper costs, and what most clients have already. */
const SHOWN = ['crypto-diag', 'trivial', 'sentry-breadcrumbs'];

/** @param {import('./markdown.mjs').Record_} record */
function summary({ versions, parts: { calls, size } }) {
  const { chromium, firefox } = calls.data;
  const cost = (/** @type {any} */ engine, /** @type {string} */ id) => {
    const { ns, toTrivial } = engine[id].costs.none;
    return `${digits(Math.round(ns.median))} ns, ${times(toTrivial)}`;
  };
  const start = (/** @type {string} */ id) =>
    digits(chromium[id].evaluate.median + chromium[id].start.median);
  const gzipped = (/** @type {string} */ title) =>
    [...size.data.peers, ...size.data.own].find((one) => one.title.startsWith(title))?.gzipped;
  const rows = CONTENDERS.filter(({ id }) => SHOWN.includes(id)).map(({ id, title, module }) => {
    const bytes = gzipped(title);
    const name = module ? `${title} ${versions[module]}` : title;
    return [name, cost(chromium, id), cost(firefox, id), `${start(id)} ms`, bytes ? kib(bytes) : '–'];
  });
  return [
    toTable(['', 'a call in Chromium', 'in Firefox', 'start', 'gzipped'], rows),
    '',
    `A call that matches nothing, with 200 characters, around an original that does nothing: median, and × the trivial wrapper (eight ` +
      `\`includes\`). Start: how long the page stands still in Chromium. Measured ${calls.at.slice(0, 10)} with Chromium ` +
      `${versions.chromium} and Firefox ${versions.firefox} by \`npm run bench -- --only calls,size --rounds ${calls.rounds}\`.`,
  ].join('\n');
}
