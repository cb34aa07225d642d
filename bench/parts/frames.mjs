// @ts-check
// What the frame watcher costs a page that adds nodes.

import { ofEach, rounds } from '../lib/rounds.mjs';
import { spread } from '../lib/stats.mjs';
import { digits, times, withSpread } from '../lib/words.mjs';

/** @type {Record<string, string>} */
const TITLES = {
  none: 'nobody looks',
  'crypto-diag': 'crypto-diag',
  rrweb: 'rrweb, which records the nodes',
};

/** @type {import('./index.mjs').Part} */
export const frames = {
  name: 'frames',
  title: 'The frame watcher',
  pages: true,

  async measure(context) {
    const results = await rounds(
      { ...context, rounds: Math.min(context.rounds, 2) },
      'frames',
      Object.keys(TITLES),
    );
    return ofEach(results, (runs) => ({
      with: spread(runs.map((run) => run.with)),
      without: spread(runs.map((run) => run.without)),
      ratio: spread(runs.map((run) => run.with / run.without)),
      perNode: spread(runs.map((run) => ((run.with - run.without) * 1e6) / run.nodes)),
    }));
  },

  tables: (data) =>
    Object.entries(data).map(([engine, byContender]) => ({
      title: `10,000 nodes added, ${engine}`,
      note: 'Each with a child and a text, one by one; until observers have run. Milliseconds before and after the contender starts.',
      columns: ['', 'before', 'after', 'ratio', 'more per node, ns'],
      rows: Object.entries(/** @type {Record<string, any>} */ (byContender)).map(([id, row]) => [
        TITLES[id],
        withSpread(row.without),
        withSpread(row.with),
        times(row.ratio),
        digits(row.perNode.median),
      ]),
    })),
};
