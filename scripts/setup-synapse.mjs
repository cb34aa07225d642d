// @ts-check
/**
 * Installs one pinned Synapse into a Python virtual environment of its own, for the live tests.
 *
 * Run it as `node scripts/setup-synapse.mjs [version …]`, or import {@link ensureSynapse}. A second run finds the finished
 * environment and does nothing. The folder is `.cache/` at the project's root unless CRYPTO_DIAG_CACHE names another.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The Synapse that the runbook's deployment runs. */
export const DEFAULT_VERSION = '1.155.0';

/** What pip and venv need and a bare Debian lacks; psycopg2 is compiled against libpq. */
const APT = 'apt-get install -y --no-install-recommends python3-venv python3-dev gcc libpq-dev';

const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** The folder for things that are downloaded once: CRYPTO_DIAG_CACHE, else `.cache/` at the project's root. */
export function defaultCacheDir() {
  return path.resolve(process.env.CRYPTO_DIAG_CACHE || path.join(projectRoot, '.cache'));
}

/**
 * Makes sure that Synapse is installed, and says on stderr what it does.
 *
 * @param {{version?: string, cacheDir?: string}} [options]
 * @returns {Promise<string>} absolute path of the Python that can `-m synapse.app.homeserver`
 * @throws {Error} when Python, pip or the compiler fails; the message names the apt command
 */
export async function ensureSynapse({ version = DEFAULT_VERSION, cacheDir = defaultCacheDir() } = {}) {
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
    await run('python3', ['-m', 'venv', venv]);
    await run(python, ['-m', 'pip', 'install', '--quiet', `matrix-synapse[postgres]==${version}`]);
    // The marker comes last: an interrupted install has none and is made again.
    await run(python, ['-c', 'import psycopg2, synapse.app.homeserver']);
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
  for (let told = false; ;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    const owner = Number(await readFile(file, 'utf8').catch(() => ''));
    if (owner && !isAlive(owner)) {
      await rm(file, { force: true });
      continue;
    }
    if (!told) say(`waiting for the installation that process ${owner || '?'} has begun`);
    told = true;
    await sleep(500);
  }
}

function isAlive(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<void>}
 */
function run(command, args) {
  const shown = [command, ...args].join(' ');
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => (output = (output + chunk).slice(-4000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) =>
      reject(new Error(`${shown}: ${error.message}. On Debian: ${APT}`, { cause: error })),
    );
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${shown} ended with code ${code}. On Debian: ${APT}\n${output}`));
    });
  });
}

const say = (/** @type {string} */ text) => process.stderr.write(`setup-synapse: ${text}\n`);

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const versions = process.argv.slice(2);
  for (const version of versions.length ? versions : [DEFAULT_VERSION]) {
    process.stdout.write(`${await ensureSynapse({ version })}\n`);
  }
}
