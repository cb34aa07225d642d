// @ts-check
// Debian packages and npm dependencies: installed when missing, named when they cannot be.

import fs from 'node:fs';
import path from 'node:path';
import { ask, quietly } from './process.mjs';
import { Explained, cache, say } from './project.mjs';

const isRoot = process.getuid?.() === 0;

/** A registry that does not answer once is asked again. */
const TRIES = 3;
const PATIENT = ['-o', `Acquire::Retries=${TRIES}`];

/** Which of these Debian packages are not installed. @param {string[]} packages */
export function missing(packages) {
  return packages.filter(
    (name) => ask('dpkg-query', ['-W', '-f', '${Status}', name]) !== 'install ok installed',
  );
}

let listsAreFresh = false;

/**
 * Installs Debian packages that are not there yet.
 * @param {string[]} packages
 * @param {string} why What they are for, said in the error.
 */
export function ensureDebian(packages, why) {
  const absent = missing(packages);
  if (absent.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${absent.join(' ')}`;
  const sudo = !isRoot && ask('sudo', ['-n', 'true']) !== null ? ['sudo', '-n'] : [];
  if (ask('apt-get', ['--version']) === null || (!isRoot && sudo.length === 0)) {
    throw new Explained(`Missing for ${why}: ${absent.join(', ')}.\nInstall with: sudo ${command}`);
  }
  say(`  installing ${absent.join(' ')} (${why})`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const [first, ...rest] = [...sudo, 'apt-get'];
  if (!listsAreFresh) quietly(first, [...rest, ...PATIENT, 'update'], { env });
  listsAreFresh = true;
  quietly(first, [...rest, ...PATIENT, 'install', '-y', '--no-install-recommends', ...absent], { env });
}

/**
 * The files of Debian packages in a folder of their own, for a server whose package would start it on this machine. Fetched once.
 * @param {string[]} packages
 * @returns {string} the folder
 */
export function unpackDebian(packages) {
  const folder = path.join(cache, 'unpacked', packages.join('+'));
  if (fs.existsSync(folder)) return folder;
  // Under another name until it is whole.
  const unfinished = `${folder}-${process.pid}`;
  fs.mkdirSync(unfinished, { recursive: true });
  const download = () => quietly('apt-get', [...PATIENT, 'download', ...packages], { cwd: unfinished });
  try {
    download();
  } catch {
    // A machine that has never asked knows no package.
    asRoot('apt-get', [...PATIENT, 'update']);
    download();
  }
  for (const name of fs.readdirSync(unfinished).filter((file) => file.endsWith('.deb')))
    quietly('dpkg-deb', ['-x', name, '.'], { cwd: unfinished });
  fs.renameSync(unfinished, folder);
  return folder;
}

/** Runs a command as root, through sudo where this user is not. @param {string} command @param {string[]} args */
export function asRoot(command, args) {
  if (isRoot) quietly(command, args);
  else quietly('sudo', ['-n', command, ...args]);
}

/**
 * `npm ci` in a folder, tried again if it fails.
 * @param {string} folder
 * @param {string[]} [flags]
 */
export function npmCi(folder, flags = []) {
  for (let tried = 1; ; tried++) {
    try {
      quietly('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...flags], { cwd: folder });
      return;
    } catch (error) {
      if (tried === TRIES) throw error;
      say(`  ${/** @type {Error} */ (error).message}\n  Trying again in ${path.basename(folder)}/.`);
    }
  }
}

/**
 * Installs a folder's npm dependencies exactly as its lock file names them, once for each lock file.
 * @param {string} folder
 */
export function ensureNpm(folder) {
  const lock = path.join(folder, 'package-lock.json');
  const stamp = path.join(folder, 'node_modules', '.installed-from');
  const wanted = fs.readFileSync(lock, 'utf8');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted) return;
  say(`  installing npm packages of ${path.basename(folder)}/`);
  npmCi(folder);
  fs.writeFileSync(stamp, wanted);
}
