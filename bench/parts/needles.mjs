// @ts-check
// What each word of the prefilter costs.

import { rounds } from '../lib/rounds.mjs';
import { spread } from '../lib/stats.mjs';
import { digits, withSpread } from '../lib/words.mjs';

/** @type {import('./index.mjs').Part} */
export const needles = {
  name: 'needles',
  title: 'The price of each gate',
  pages: true,

  async measure(context) {
    const results = await rounds(context, 'needles', ['none']);
    return Object.fromEntries(
      Object.entries(results).map(([engine, { none: runs }]) => [
        engine,
        {
          all: spread(runs.map(({ all }) => all)),
          gates: runs[0].gates.map((/** @type {{gate: string}} */ { gate }, /** @type {number} */ at) => ({
            gate,
            alone: spread(runs.map(({ gates }) => gates[at].alone)),
            saves: spread(runs.map(({ all, gates }) => all - gates[at].without)),
          })),
        },
      ]),
    );
  },

  tables: (data) => {
    const engines = Object.keys(data);
    return [
      {
        title: "The prefilter's words",
        note:
          'Nanoseconds for a line of 200 characters without match: what it takes to look for this one word, and what is saved if ' +
          'it alone is left out (negative: noise). A needle of the table has the price of its gate, and rows share gates.',
        columns: [
          'gate',
          ...engines.flatMap((engine) => [`${engine}, alone`, `${engine}, saved without it`]),
        ],
        rows: [
          ['all of them', ...engines.flatMap((engine) => [withSpread(data[engine].all), ''])],
          ...data[engines[0]].gates.map(
            (/** @type {{gate: string}} */ { gate }, /** @type {number} */ at) => [
              `\`${gate}\``,
              ...engines.flatMap((engine) => {
                const row = data[engine].gates[at];
                return [digits(row.alone.median), digits(row.saves.median)];
              }),
            ],
          ),
        ],
      },
    ];
  },
};
