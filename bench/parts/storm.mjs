// @ts-check
// 100,000 matching lines.

import { ofEach, rounds } from '../lib/rounds.mjs';
import { spread } from '../lib/stats.mjs';
import { digits, kib, ms, withSpread } from '../lib/words.mjs';
import { CONTENDERS } from '../peers/index.mjs';

const CARD = 'crypto-diag-card';

/** @type {import('./index.mjs').Part} */
export const storm = {
  name: 'storm',
  title: 'A storm of 100,000 matching lines',
  pages: true,

  async measure(context) {
    const ids = CONTENDERS.map(({ id }) => id);
    const results = await rounds({ ...context, rounds: Math.min(context.rounds, 2) }, 'storm', [
      CARD,
      ...ids,
    ]);
    return ofEach(results, (runs) =>
      Object.fromEntries(
        ['lines', 'time', 'spent', 'largest', 'retained', 'sent'].map((what) => [
          what,
          spread(runs.map((run) => run[what])),
        ]),
      ),
    );
  },

  tables: (data) =>
    Object.entries(data).map(([engine, byContender]) => ({
      title: `A storm, ${engine}`,
      note:
        'A hundred lines in each task, one task after the other, for at most 4 seconds. “In the calls” is the time inside the ' +
        'console method; the largest pause is the longest task or the longest wait between two. Retained: ' +
        '`measureUserAgentSpecificMemory()` afterwards less before, WebAssembly included; only Chromium has it.',
      columns: ['', 'lines', 'time', 'in the calls, per line', 'largest pause', 'retained', 'sent'],
      rows: Object.entries(/** @type {Record<string, any>} */ (byContender)).map(([id, row]) => [
        id === CARD ? 'crypto-diag, card open' : (CONTENDERS.find((one) => one.id === id)?.title ?? id),
        row.lines.median.toLocaleString('en'),
        withSpread(row.time, ms),
        `${digits((row.spent.median * 1e6) / row.lines.median)} ns`,
        withSpread(row.largest, ms),
        row.retained ? kib(row.retained.median) : '–',
        row.sent.median > 0 ? kib(row.sent.median) : '–',
      ]),
    })),
};
