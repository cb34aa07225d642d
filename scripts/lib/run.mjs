// Running commands and saying what is being done: the one way every script of this project starts a process.

import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

/** The project's root folder. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Where downloaded tools and intermediate files live; git-ignored. `CRYPTO_DIAG_CACHE` moves it. */
export const cache = process.env.CRYPTO_DIAG_CACHE
  ? path.resolve(process.env.CRYPTO_DIAG_CACHE)
  : path.join(root, '.cache');

/** A failure whose message is all that a person needs: printed without a stack. */
export class Explained extends Error {}

/** Says on stderr what is going on, so that stdout stays for results. */
export const say = (text) => process.stderr.write(`${text}\n`);

/**
 * Runs a command with the terminal attached and throws `Explained` when it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd?: string, env?: Record<string, string|undefined>, quiet?: boolean}} [options] `quiet` holds the
 *   output back and shows it only on failure.
 */
export function run(command, args, { cwd = root, env = {}, quiet = false } = {}) {
  const done = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (done.error) throw new Explained(`Could not start ${command}: ${done.error.message}`);
  if (done.status !== 0) {
    if (quiet) say(`${done.stdout}\n${done.stderr}`.trim().split('\n').slice(-60).join('\n'));
    throw new Explained(`Failed (${done.signal ?? `exit ${done.status}`}): ${command} ${args.join(' ')}`);
  }
  return done.stdout ?? '';
}

/**
 * Runs a command and returns its trimmed output, or null when it is missing, fails or takes too long.
 * @param {string} command
 * @param {string[]} args
 * @param {{env?: Record<string, string|undefined>, seconds?: number, cwd?: string}} [options]
 */
export function ask(command, args, { env = {}, seconds = 30, cwd = root } = {}) {
  const done = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: seconds * 1000,
  });
  return done.status === 0 ? done.stdout.trim() : null;
}

/**
 * Runs a command, passes its output on as it comes and returns it with the exit code; never throws on failure.
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd?: string, env?: Record<string, string|undefined>, seconds?: number}} [options] After `seconds` the
 *   command's whole process group is ended.
 * @returns {Promise<{code: number|null, output: string, timedOut: boolean}>}
 */
export function watch(command, args, { cwd = root, env = {}, seconds = 600 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    let timedOut = false;
    const pass = (to) => (chunk) => {
      output += chunk;
      to.write(chunk);
    };
    child.stdout.on('data', pass(process.stdout));
    child.stderr.on('data', pass(process.stderr));
    const end = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // Already gone.
      }
    };
    const limit = setTimeout(() => {
      timedOut = true;
      end('SIGTERM');
      setTimeout(() => end('SIGKILL'), 10_000).unref();
    }, seconds * 1000);
    // Whoever asks this script to stop means the whole of it, not the stage that happens to run.
    const interrupted = () => {
      end('SIGTERM');
      process.exit(130);
    };
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    const finish = (code) => {
      clearTimeout(limit);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
      resolve({ code, output, timedOut });
    };
    child.on('error', (error) => {
      output += error.message;
      say(`Could not start ${command}: ${error.message}`);
      finish(null);
    });
    child.on('close', finish);
  });
}

/**
 * Prints a step's name and, when it is over, how long it took.
 * @template T
 * @param {string} title
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const start = Date.now();
  say(`▸ ${title}`);
  const result = await work();
  say(`  ${title}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

/** Wraps a script's main function: an `Explained` failure is printed plainly, anything else with its stack. */
export function main(work) {
  Promise.resolve()
    .then(work)
    .catch((error) => {
      say(error instanceof Explained ? `\n${error.message}` : error.stack);
      process.exitCode = 1;
    });
}
