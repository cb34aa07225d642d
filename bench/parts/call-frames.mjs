// @ts-check
// What a frame pays in which a call could be, and what a page pays that is kept.

import { ofEach, rounds } from '../lib/rounds.mjs';
import { spread } from '../lib/stats.mjs';
import { digits, withSpread } from '../lib/words.mjs';

/** @typedef {import('../lib/stats.mjs').Spread} Spread */

/** @type {Record<string, string>} */
const TITLES = { none: 'nobody looks', 'crypto-diag': 'crypto-diag' };

/** Milliseconds as microseconds. @param {Spread | null} all */
const inMicroseconds = (all) =>
  all && { ...all, median: all.median * 1000, min: all.min * 1000, max: all.max * 1000 };

/** @type {import('./index.mjs').Part} */
export const callFrames = {
  name: 'call-frames',
  title: 'Frames of calls, and kept pages',
  pages: true,

  async measure(context) {
    const frames = ofEach(await rounds(context, 'call-frames', Object.keys(TITLES)), (runs) => ({
      load: spread(runs.map((run) => run.load)),
      connection: spread(runs.map((run) => run.connection)),
      info: spread(runs.map((run) => run.info)),
    }));
    const kept = ofEach(await rounds(context, 'kept', ['crypto-diag-keep']), (runs) => ({
      write: spread(runs.map((run) => run.write)),
    }));
    return { frames, kept };
  },

  tables: ({ frames, kept }) => [
    ...Object.entries(frames).map(([engine, byContender]) => ({
      title: `A frame without a call, ${engine}`,
      note: 'A document of one line until it has loaded; a connection that is made and closed; a line at info, with the browser’s own method.',
      columns: ['', 'loaded, ms', 'a connection, µs', 'a line at info, µs'],
      rows: Object.entries(/** @type {Record<string, any>} */ (byContender)).map(([id, row]) => [
        TITLES[id],
        withSpread(row.load),
        withSpread(inMicroseconds(row.connection)),
        withSpread(inMicroseconds(row.info)),
      ]),
    })),
    {
      title: 'A page is stored that is kept',
      note: 'At most once a second while lines match. The page has 10,000 elements, its client 500 rooms. Milliseconds that it stands still.',
      columns: ['', 'stored, ms', 'at most, ms'],
      rows: Object.entries(/** @type {Record<string, any>} */ (kept)).map(([engine, byContender]) => [
        engine,
        digits(byContender['crypto-diag-keep'].write.median),
        digits(byContender['crypto-diag-keep'].write.max),
      ]),
    },
  ],
};
