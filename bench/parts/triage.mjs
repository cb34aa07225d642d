// @ts-check
// Judging bundles that grow.

import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../../scripts/lib/process.mjs';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { needs } from '../lib/command-line.mjs';
import { timed } from '../lib/timed.mjs';
import { HAR, REPORT, writeServerLog } from '../lib/server-log.mjs';
import { exponent, spread } from '../lib/stats.mjs';
import { digits, mebibytes, ms, withSpread } from '../lib/words.mjs';

const SIZES = [1, 10, 100, 1000].map((megabytes) => megabytes * 1_000_000);
/** A bundle's log is a slice: many of its lines are the user's. */
const RATE = 0.1;

/** @type {import('./index.mjs').Part} */
export const triage = {
  name: 'triage',
  title: 'triage on growing bundles',
  pages: false,

  async measure({ rounds, say }) {
    const ours = commandLine('release');
    needs(ours, 'triage');
    const folder = temporaryFolder('bench-bundle');
    fs.copyFileSync(REPORT, path.join(folder.path, 'victim.report.json'));
    fs.copyFileSync(HAR, path.join(folder.path, 'victim.har'));
    const rows = [];
    try {
      for (const size of SIZES) {
        say(`  triage: ${mebibytes(size)}`);
        const { bytes } = writeServerLog(path.join(folder.path, 'homeserver.log'), size, RATE);
        const runs = [];
        for (let run = 0; run < (size > 5e7 ? 1 : rounds); run++) {
          runs.push(await timed(ours, ['triage', folder.path, '--format', 'json'], { good: [0, 1, 2] }));
        }
        rows.push({
          bytes,
          time: spread(runs.map((run) => run.ms)),
          peak: spread(runs.map((run) => run.peak)),
        });
      }
    } finally {
      folder.remove();
    }
    return { rows };
  },

  tables: ({ rows }) => [
    {
      title: 'triage on growing bundles',
      note:
        "A report, a HAR and a slice of a server's log, a tenth of whose lines are the user's. Growth: the time's exponent is " +
        `${exponent(rows.map((/** @type {any} */ row) => ({ size: row.bytes, time: row.time.median }))).toFixed(2)}.`,
      columns: ['log', 'time', 'MB/s', 'peak memory'],
      rows: rows.map((/** @type {any} */ row) => [
        `${digits(row.bytes / 1e6)} MB`,
        withSpread(row.time, ms),
        digits(row.bytes / 1e3 / row.time.median),
        row.peak ? mebibytes(row.peak.max) : '–',
      ]),
    },
  ],
};
