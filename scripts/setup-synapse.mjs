// @ts-check
/**
 * Installs one pinned Synapse into a Python virtual environment of its own, for the live tests.
 *
 * Run it as `node scripts/setup-synapse.mjs [version …]`, or import {@link ensureSynapse}. A second run finds the finished
 * environment and does nothing. The folder is `.cache/` at the project's root unless CRYPTO_DIAG_CACHE names another.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isRunning, quietly } from './lib/process.mjs';
import { cache, isMain, say } from './lib/project.mjs';
import { until } from './lib/wait.mjs';

/** The Synapse that the runbook's deployment runs. */
export const SYNAPSE_VERSION = '1.155.0';

/** How long an installation may take, in milliseconds. */
const INSTALL_MS = 900_000;

/** What pip and venv need and a bare Debian lacks; psycopg2 is compiled against libpq. */
const APT = 'apt-get install -y --no-install-recommends python3-venv python3-dev gcc libpq-dev';

/**
 * Makes sure that Synapse is installed, and says on stderr what it does.
 *
 * @param {{version?: string, cacheDir?: string}} [options]
 * @returns {Promise<string>} absolute path of the Python that can `-m synapse.app.homeserver`
 * @throws {Error} when Python, pip or the compiler fails; the message names the apt command
 */
export async function ensureSynapse({ version = SYNAPSE_VERSION, cacheDir = cache } = {}) {
  const venv = path.join(cacheDir, `synapse-${version}`);
  const python = path.join(venv, 'bin', 'python');
  if (await isReady(venv, version)) return python;

  await mkdir(cacheDir, { recursive: true });
  const unlock = await lock(`${venv}.lock`);
  try {
    if (await isReady(venv, version)) return python;
    const started = Date.now();
    say(`installing Synapse ${version} into ${venv} (about a minute)`);
    await rm(venv, { recursive: true, force: true });
    run('python3', ['-m', 'venv', venv]);
    run(python, ['-m', 'pip', 'install', '--quiet', `matrix-synapse[postgres]==${version}`]);
    // The marker comes last: an interrupted install has none and is made again.
    run(python, ['-c', 'import psycopg2, synapse.app.homeserver']);
    await writeFile(marker(venv), `${version}\n`);
    say(`Synapse ${version} is ready after ${Math.round((Date.now() - started) / 1000)} s`);
    return python;
  } finally {
    await unlock();
  }
}

const marker = (/** @type {string} */ venv) => path.join(venv, '.crypto-diag-ready');

async function isReady(/** @type {string} */ venv, /** @type {string} */ version) {
  const written = await readFile(marker(venv), 'utf8').catch(() => '');
  return written.trim() === version && existsSync(path.join(venv, 'bin', 'python'));
}

/**
 * Keeps two test runs from filling one environment at once. The lock holds its owner's pid, so a dead owner's lock is void.
 *
 * @param {string} file
 * @returns {Promise<() => Promise<void>>} unlocks
 */
async function lock(file) {
  let told = false;
  return until(
    async () => {
      try {
        await writeFile(file, String(process.pid), { flag: 'wx' });
        return () => rm(file, { force: true });
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
      }
      const owner = Number(await readFile(file, 'utf8').catch(() => ''));
      if (owner && !isRunning(owner)) await rm(file, { force: true });
      else if (!told) say(`waiting for the installation that process ${owner || '?'} has begun`);
      told = true;
      return undefined;
    },
    INSTALL_MS,
    () => `another process holds ${file}: remove it if none is installing`,
  );
}

/** Runs a command; what it printed is shown only if it fails. */
function run(/** @type {string} */ command, /** @type {string[]} */ args) {
  try {
    quietly(command, args);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}. On Debian: ${APT}`, { cause: error });
  }
}

if (isMain(import.meta.url)) {
  const versions = process.argv.slice(2);
  for (const version of versions.length ? versions : [SYNAPSE_VERSION]) {
    process.stdout.write(`${await ensureSynapse({ version })}\n`);
  }
}
