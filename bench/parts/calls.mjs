// @ts-check
// What a call costs, and what the start costs.

import { rounds } from '../lib/rounds.mjs';
import { spread } from '../lib/stats.mjs';
import { digits, ms, times, withSpread } from '../lib/words.mjs';
import { LINES } from '../page/lines.js';
import { CONTENDERS } from '../peers/index.mjs';

const BASE = 'none';
const titleOf = (/** @type {string} */ id) =>
  CONTENDERS.find((one) => one.id === id)?.title ?? 'an empty page';

/** @type {import('./index.mjs').Part} */
export const calls = {
  name: 'calls',
  title: 'Cost per call, and of the start',
  pages: true,

  async measure(context) {
    const ids = [BASE, ...CONTENDERS.map(({ id }) => id)];
    const results = await rounds(context, 'calls', ids);
    /** @type {Record<string, any>} */
    const data = {};
    for (const [engine, byContender] of Object.entries(results)) {
      data[engine] = {};
      for (const [id, runs] of Object.entries(byContender)) {
        const column = (/** @type {(run: any) => number} */ value) => spread(runs.map(value));
        /** @type {Record<string, any>} */
        const costs = {};
        for (const line of Object.keys(LINES)) {
          costs[line] = {
            ns: column((run) => run.costs[line].contender),
            toTrivial: column((run) => run.costs[line].contender / run.costs[line].trivial),
            toStorer: column((run) => run.costs[line].contender / run.costs[line].storer),
          };
        }
        data[engine][id] = {
          costs,
          onNative: {
            ns: column((run) => run.costs.native.contender),
            native: column((run) => run.costs.native.native),
          },
          later: column((run) => run.later),
          laterMatch: column((run) => run.laterMatch),
          firstInCall: column((run) => run.first.inCall),
          firstLater: column((run) => run.first.later),
          evaluate: column((run) => run.evaluate),
          start: column((run) => run.start),
        };
      }
    }
    return data;
  },

  tables: (data) => Object.entries(data).flatMap(([engine, byContender]) => tablesOf(engine, byContender)),
};

/** @param {{median: number} | undefined} later Nanoseconds; less than 200 cannot be told from nothing. */
const putOff = (later) => (!later || later.median < 200 ? '–' : digits(later.median));

/** @returns {import('./index.mjs').Table[]} */
function tablesOf(/** @type {string} */ engine, /** @type {Record<string, any>} */ data) {
  const rows = Object.entries(data);
  const measured = rows.filter(([id]) => id !== BASE);
  return [
    {
      title: `Cost per call, ${engine}`,
      note:
        'Nanoseconds: median (least–most) of the rounds, the original a function that does nothing; × is the ratio to the ' +
        'trivial wrapper in the same page. Lines that match come in bursts of 200. “Put off” is what a call costs later, in a task or ' +
        'a timer.',
      columns: ['', ...Object.values(LINES).map(({ title }) => title), 'put off, no match', 'put off, match'],
      rows: measured.map(([id, { costs, later, laterMatch }]) => [
        titleOf(id),
        ...Object.keys(LINES).map((line) => `${withSpread(costs[line].ns)}, ${times(costs[line].toTrivial)}`),
        putOff(later),
        putOff(laterMatch),
      ]),
    },
    {
      title: `Matching lines beside a capturer that stores the text, ${engine}`,
      note: 'The ratio to the string storer in the same page.',
      columns: ['', LINES.match.title],
      rows: measured.map(([id, { costs }]) => [titleOf(id), times(costs.match.toStorer)]),
    },
    {
      title: `Around the browser's own method, ${engine}`,
      note: "Nanoseconds of a 200-character line without match, the browser's own `console.error` included.",
      columns: ['', 'with the contender', 'the method alone'],
      rows: measured.map(([id, { onNative }]) => [
        titleOf(id),
        withSpread(onNative.ns),
        withSpread(onNative.native),
      ]),
    },
    {
      title: `Start-up, ${engine}`,
      note:
        'Milliseconds that the page stands still in a fresh browser: while the bundle is compiled and run, while it starts, and for the ' +
        'first line that matches, in its call and soon after.',
      columns: ['', 'compile and run', 'start', 'together', 'first match: the call', 'soon after'],
      rows: rows.map(([id, { evaluate, start, firstInCall, firstLater }]) => [
        titleOf(id),
        withSpread(evaluate),
        withSpread(start),
        ms(evaluate.median + start.median),
        firstInCall ? withSpread(firstInCall) : '–',
        firstLater ? withSpread(firstLater) : '–',
      ]),
    },
  ];
}
