// The report as a file.

import { now, slice } from './builtins.js';
import { option } from './options.js';
import { collectReport } from './report.js';

/** What a file's name begins with, unless the app says otherwise. */
const PREFIX = 'lotus-crypto-diag';
/** Milliseconds after which a download's Blob is freed; a browser may read it after the click has returned. */
const RELEASE_AFTER = 60_000;

/**
 * Gives the report to the user as a file.
 * @param {import('../index.js').MatrixClientLike | null} [mx]
 * @param {{sdkVersion?: string, prefix?: string}} [extra]
 * @returns {Promise<string>} The file's name: the prefix and the time in UTC, as `2026-11-23T19-30-00Z`: file systems do not
 *   take the colons.
 */
export async function downloadReport(mx, extra) {
  const time = new Date(now()).toISOString();
  const part = (/** @type {number} */ from, /** @type {number} */ to) => slice(time, from, to);
  const prefix = option(extra, 'prefix');
  const begin = typeof prefix === 'string' ? prefix : PREFIX;
  const name = `${begin}-${part(0, 13)}-${part(14, 16)}-${part(17, 19)}Z.json`;
  const report = await collectReport(mx, extra);
  const url = URL.createObjectURL(new Blob([report], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), RELEASE_AFTER);
  return name;
}
