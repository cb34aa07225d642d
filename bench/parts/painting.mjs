// @ts-check
// Whether the page still paints while 10,000 lines a second come in, with the card open and without.

import { ofEach, rounds } from '../lib/rounds.mjs';
import { spread } from '../lib/stats.mjs';
import { ms, withSpread } from '../lib/words.mjs';
import { inWebkit } from '../lib/webkit.mjs';

/** @type {Record<string, string>} */
const TITLES = {
  none: 'nobody looks',
  'crypto-diag': 'crypto-diag',
  'crypto-diag-card': 'crypto-diag, card open',
};

/** @type {import('./index.mjs').Part} */
export const painting = {
  name: 'painting',
  title: 'Painting under 10,000 lines a second',
  pages: true,

  async measure(context) {
    const ids = Object.keys(TITLES);
    const few = { ...context, rounds: 1 };
    const results = await rounds(few, 'painting', ids);
    context.say('  painting: webkit');
    results.webkit = await inWebkit(context.host, 'painting', ids);
    return ofEach(results, (runs) => ({
      typical: spread(runs.map((run) => run.typical)),
      largest: spread(runs.map((run) => run.largest)),
    }));
  },

  tables: (data) => [
    {
      title: 'Painting under 10,000 matching lines a second',
      note: 'For four seconds: the usual time between two frames, and the longest. WebKit through its driver, once.',
      columns: ['', ...Object.keys(data).flatMap((engine) => [`${engine}, usual`, `${engine}, longest`])],
      rows: Object.entries(TITLES).map(([id, title]) => [
        title,
        ...Object.values(data).flatMap((byContender) => [
          withSpread(byContender[id].typical, ms),
          withSpread(byContender[id].largest, ms),
        ]),
      ]),
    },
  ],
};
