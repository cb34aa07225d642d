// @ts-check
// The folder that a browser saves downloads to. Every engine has its own way of saying that a download is complete; what they share
// is the folder, so that is what is watched.
import { readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../scripts/lib/process.mjs';
import { DOWNLOAD_MS, until } from '../../scripts/lib/wait.mjs';

/** What a browser calls a file it is still writing: Firefox (and this driver), Chromium, WebKitGTK. */
const PARTIAL = /\.(part|crdownload|wkdownload)$/;

/**
 * @typedef {object} Download
 * @property {string} name the file's name as the browser saved it
 * @property {string} text the file's content as UTF-8
 * @property {string | null} path where the file is kept, null unless `launch` was given a `downloads` folder
 */

/**
 * @param {string} [keep] an existing folder to move complete downloads to; without it they are read and removed
 */
export function openInbox(keep) {
  const folder = temporaryFolder('downloads');
  let busy = false;

  const listing = () =>
    readdirSync(folder.path)
      .map((name) => ({
        name,
        size: statSync(join(folder.path, name), { throwIfNoEntry: false })?.size ?? 0,
      }))
      .sort((a, b) => a.name.localeCompare(b.name));

  /**
   * Runs `action` and returns the one file that the browser saved because of it. An empty file does not count: Firefox makes one
   * before it has anything to write.
   * @param {() => Promise<unknown>} action
   * @returns {Promise<Download>}
   */
  async function receive(action) {
    if (busy) throw new Error('page.download: another download of this browser is under way');
    busy = true;
    try {
      for (const { name } of listing()) rmSync(join(folder.path, name));
      await action();
      let before = '';
      const file = await until(
        async () => {
          const files = listing();
          const now = JSON.stringify(files);
          // Complete: nothing partial, nothing empty, and the same as at the last look.
          const complete =
            files.length > 0 && files.every(({ name, size }) => size > 0 && !PARTIAL.test(name));
          if (complete && now === before) return files[0];
          before = now;
          return undefined;
        },
        DOWNLOAD_MS,
        () =>
          `page.download: no complete file after ${DOWNLOAD_MS / 1000} s; the downloads folder has ` +
          (listing()
            .map(({ name, size }) => `${name} (${size} bytes)`)
            .join(', ') || 'nothing'),
      );
      const path = join(folder.path, file.name);
      const text = readFileSync(path, 'utf8');
      if (!keep) {
        rmSync(path);
        return { name: file.name, text, path: null };
      }
      const kept = join(keep, file.name);
      renameSync(path, kept);
      return { name: file.name, text, path: kept };
    } finally {
      busy = false;
    }
  }

  return { path: folder.path, receive, remove: folder.remove };
}
