// @ts-check
// Collecting from a server's log, beside what one would search it with.

import fs from 'node:fs';
import path from 'node:path';
import { Explained } from '../../scripts/lib/project.mjs';
import { temporaryFolder } from '../../scripts/lib/process.mjs';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { grep, needs, ripgrep, versionLine } from '../lib/command-line.mjs';
import { timed } from '../lib/timed.mjs';
import { REPORT, victim, writeServerLog } from '../lib/server-log.mjs';
import { exponent, spread } from '../lib/stats.mjs';
import { digits, mebibytes, ms, withSpread } from '../lib/words.mjs';

const SIZES = [10, 100, 1000].map((megabytes) => megabytes * 1_000_000);
const RATES = [0.0001, 0.1];

/** Milliseconds of the window that is looked for in the largest log. */
const WINDOW_MS = 5 * 60_000;

/** Ways that are measured with the largest log and the lower rate alone. @type {Record<string, string>} */
const SPECIAL_TITLES = {
  packed: 'crypto-diag collect, the log in gzip',
  rgz: 'rg -z, the log in gzip',
  window: 'crypto-diag collect --window-only, five minutes',
  whole: 'crypto-diag collect, the same window',
};

/** @type {Record<string, string>} */
const TITLES = {
  collect: 'crypto-diag collect',
  bare: 'crypto-diag collect --no-latency',
  rg: 'rg, the same ids',
  grep: 'grep -E, the same ids, | grep the user',
};

/**
 * A slice holds each line that names an id, and what joins to them: of a recorded request, at most two lines more.
 *
 * @param {number} found Lines that ripgrep finds.
 * @param {number} kept Records of the slice; a log of this bench has a line for each.
 */
function sameWork(found, kept) {
  if (found > kept || kept > 3 * found + 200)
    throw new Explained(`The searches differ: ripgrep finds ${found} lines, the slice has ${kept}.`);
}

/** @type {import('./index.mjs').Part} */
export const collect = {
  name: 'collect',
  title: 'collect beside grep and ripgrep',
  pages: false,

  async measure({ rounds, say }) {
    const [rg, plainGrep] = [ripgrep(), grep()];
    const ours = commandLine('release');
    needs(ours, 'collect');
    const folder = temporaryFolder('bench-log');
    const { ids, userId } = victim();
    const alternation = ids.map((id) => id.replaceAll(/[$.+|()[\]\\*?^{}]/g, '\\$&')).join('|');
    const log = path.join(folder.path, 'homeserver.log');
    const rows = [];
    const special = [];
    try {
      for (const rate of RATES) {
        for (const size of SIZES) {
          say(`  collect: ${mebibytes(size)}, ${rate * 100} % of lines`);
          const { bytes, lines, matching, from, to } = writeServerLog(log, size, rate);
          const window = [
            '--since',
            new Date(from - 1000).toISOString(),
            '--until',
            new Date(to + 1000).toISOString(),
          ];
          const found = path.join(folder.path, 'found.txt');
          let records = 0;
          const collected = async (/** @type {string[]} */ options, file = log, span = window) => {
            const out = fs.mkdtempSync(path.join(folder.path, 'bundle-'));
            const fixed = ['--report', REPORT, '--log', file, '--zone', 'UTC', ...span, '--out', out];
            const done = await timed(ours, ['collect', ...fixed, ...options], { good: [0] });
            const [bundle] = fs.readdirSync(out);
            const manifest = JSON.parse(fs.readFileSync(path.join(out, bundle, 'manifest.json'), 'utf8'));
            records = manifest.coverage.logs[0].records;
            fs.rmSync(out, { recursive: true });
            return done;
          };
          const ways = /** @type {Record<string, () => Promise<{ms: number, peak: number | null}>>} */ ({
            collect: () => collected([]),
            bare: () => collected(['--no-latency']),
            rg: () => timed(rg, ['-e', alternation, log], { good: [0], output: found }),
            grep: () =>
              timed('sh', ['-c', '"$0" -E "$1" "$2" | "$0" -F "$3"', plainGrep, alternation, log, userId], {
                good: [0],
                output: found,
              }),
          });
          // Once for the system's cache: what is measured is the search, not the disk. And all have to do the same work.
          await timed(rg, ['-c', '-e', alternation, log], { good: [0], output: found });
          await ways.collect();
          sameWork(Number(fs.readFileSync(found, 'utf8')), records);
          /** @type {Record<string, {ms: number, peak: number | null}[]>} */
          const results = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
          for (let run = 0; run < rounds; run++) {
            for (const [way, work] of Object.entries(ways)) results[way].push(await work());
          }
          for (const [way, runs] of Object.entries(results)) {
            rows.push({
              way,
              rate,
              bytes,
              lines,
              matching,
              time: spread(runs.map((run) => run.ms)),
              peak: spread(runs.map((run) => run.peak)),
            });
          }
          if (rate !== RATES[0] || size !== SIZES.at(-1)) continue;
          const gzip = `${log}.gz`;
          await timed('gzip', ['-c', log], { good: [0], output: gzip });
          const middle = (from + to) / 2;
          const five = [
            '--since',
            new Date(middle).toISOString(),
            '--until',
            new Date(middle + WINDOW_MS).toISOString(),
          ];
          const specials = /** @type {Record<string, () => Promise<{ms: number, peak: number | null}>>} */ ({
            packed: () => collected([], gzip),
            rgz: () => timed(rg, ['-z', '-e', alternation, gzip], { good: [0], output: found }),
            window: () => collected(['--window-only'], log, five),
            whole: () => collected([], log, five),
          });
          for (const [way, work] of Object.entries(specials)) {
            const runs = [];
            for (let run = 0; run < rounds; run++) runs.push(await work());
            special.push({ way, bytes, time: spread(runs.map((run) => run.ms)) });
          }
        }
      }
    } finally {
      folder.remove();
    }
    return {
      rows,
      special,
      user: userId,
      ids: ids.length,
      rg: versionLine(rg),
      grep: versionLine(plainGrep),
    };
  },

  tables: (data) =>
    [
      ...RATES.map((rate) => ({
        title: `A server's log, ${rate * 100} % of whose lines are the user's`,
        note:
          `${data.ids} ids out of a report; logs made of a recorded incident's lines, of 5,000 other users; the file in the system's ` +
          'cache; mapped files count as memory, of the pipeline only the shell is counted. grep and ripgrep only find lines: no ' +
          'window, no joins by request, no pseudonyms, no coverage, no latencies. ' +
          `${data.rg}; ${data.grep}.`,
        columns: ['', 'log', 'time', 'MB/s', 'peak memory'],
        rows: data.rows
          .filter((/** @type {any} */ row) => row.rate === rate)
          .map((/** @type {any} */ row) => [
            TITLES[row.way],
            `${digits(row.bytes / 1e6)} MB`,
            withSpread(row.time, ms),
            digits(row.bytes / 1e3 / row.time.median),
            row.peak ? mebibytes(row.peak.max) : '–',
          ]),
      })),
      {
        title: 'Packed logs, and a window in a large one',
        note: `The largest log, ${RATES[0] * 100} % of whose lines are the user's. ripgrep hands a packed log to gzip. ${data.rg}.`,
        columns: ['', 'log', 'time'],
        rows: (data.special ?? []).map((/** @type {any} */ row) => [
          SPECIAL_TITLES[row.way],
          `${digits(row.bytes / 1e6)} MB`,
          withSpread(row.time, ms),
        ]),
      },
      {
        title: 'How the time grows with the log',
        note: 'The slope of time over size, both as logarithms: 1 is linear.',
        columns: ['', ...RATES.map((rate) => `${rate * 100} %`)],
        rows: Object.entries(TITLES).map(([way, title]) => [
          title,
          ...RATES.map((rate) => {
            const rows = data.rows.filter((/** @type {any} */ row) => row.way === way && row.rate === rate);
            return exponent(
              rows.map((/** @type {any} */ row) => ({ size: row.bytes, time: row.time.median })),
            ).toFixed(2);
          }),
        ]),
      },
    ].filter(({ rows }) => rows.length > 0),
};
