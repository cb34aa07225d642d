// @ts-check
// What each word of the prefilter costs.

import { rounds } from '../lib/rounds.mjs';
import { spread } from '../lib/stats.mjs';
import { digits, withSpread } from '../lib/words.mjs';

/** @type {import('./index.mjs').Part} */
export const needles = {
  name: 'needles',
  title: 'The price of each prefilter literal',
  pages: true,

  async measure(context) {
    const results = await rounds(context, 'needles', ['none']);
    return Object.fromEntries(
      Object.entries(results).map(([engine, { none: runs }]) => [
        engine,
        {
          all: spread(runs.map(({ all }) => all)),
          literals: runs[0].literals.map(
            (/** @type {{literal: string}} */ { literal }, /** @type {number} */ at) => ({
              literal,
              alone: spread(runs.map(({ literals }) => literals[at].alone)),
              saves: spread(runs.map(({ all, literals }) => all - literals[at].without)),
            }),
          ),
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
          'it alone is left out (negative: noise). A needle of the table has the price of its literal, and rows share literals.',
        columns: [
          'literal',
          ...engines.flatMap((engine) => [`${engine}, alone`, `${engine}, saved without it`]),
        ],
        rows: [
          ['all of them', ...engines.flatMap((engine) => [withSpread(data[engine].all), ''])],
          ...data[engines[0]].literals.map(
            (/** @type {{literal: string}} */ { literal }, /** @type {number} */ at) => [
              `\`${literal}\``,
              ...engines.flatMap((engine) => {
                const row = data[engine].literals[at];
                return [digits(row.alone.median), digits(row.saves.median)];
              }),
            ],
          ),
        ],
      },
    ];
  },
};
