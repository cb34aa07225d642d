// @ts-check
// Programs that a test starts, and the folders they write to. Whatever is started here ends with the test process,
// also when a test throws or the process is interrupted; only SIGKILL of the test process itself leaves things behind.
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';

/** How long a program may take to end after its signal, in milliseconds; it is killed then. */
const END_MS = 3_000;

/** @type {Map<import('node:child_process').ChildProcess, NodeJS.Signals>} children and the signal that ends each */
const children = new Map();
/** @type {Set<string>} */
const folders = new Set();
let watching = false;

/** Installs the exit handlers once, with the first thing that needs them. */
function watchExit() {
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const [child, signal] of children) signalGroup(child, signal);
    for (const folder of folders) removeFolder(folder);
  });
  // Without a listener these signals end the process and skip the exit handlers.
  for (const [signal, number] of /** @type {const} */ ([
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ])) {
    process.on(signal, () => process.exit(128 + number));
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child leader of its own process group
 * @param {NodeJS.Signals} signal
 */
function signalGroup(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the whole group has ended already.
  }
}

/** @param {string} folder */
function removeFolder(folder) {
  folders.delete(folder);
  // A dying browser may still write: try again for a second.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}

/**
 * A fresh folder below the system's temporary folder, removed by `remove()` or when the process exits.
 * @param {string} purpose part of its name
 * @returns {{ path: string, remove: () => void }}
 */
export function temporaryFolder(purpose) {
  watchExit();
  const path = mkdtempSync(join(tmpdir(), `crypto-diag-${purpose}-`));
  folders.add(path);
  return { path, remove: () => removeFolder(path) };
}

/**
 * Registers a child that a library spawned as leader of its own process group, so that it ends with this process.
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} [signal] what ends it
 */
export function adopt(child, signal = 'SIGKILL') {
  watchExit();
  children.set(child, signal);
  child.once('exit', () => {
    // The leader's helpers may outlive it.
    signalGroup(child, signal);
    children.delete(child);
  });
}

/**
 * Starts a program as leader of its own process group.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, descriptor3?: boolean, signal?: NodeJS.Signals }} [options] `descriptor3` opens a
 *   pipe on file descriptor 3 for the program to write to; `signal` is what ends the program (default SIGKILL)
 */
export function start(command, args, { env = process.env, descriptor3 = false, signal = 'SIGKILL' } = {}) {
  const child = spawn(command, args, {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', descriptor3 ? 'pipe' : 'ignore'],
  });
  adopt(child, signal);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => (output = (output + text).slice(-4_000)));
  }
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  return {
    child,
    /** Resolves when the program has ended, or could not be started. */
    ended,
    /** The last 4,000 characters that the program wrote, for an error message. */
    output: () => output.trim(),
    /** Ends the program and its whole group. */
    async stop() {
      if (child.pid === undefined) return;
      signalGroup(child, signal);
      const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), END_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * Where a program is.
 * @param {{ name: string, candidates: string[], apt: string, variable?: string }} program `candidates` are absolute paths or names
 *   on PATH, best first; `variable` is the environment variable that overrides them
 * @returns {string} an absolute path
 * @throws {Error} naming the program, where it was looked for, and the command that installs it
 */
export function findProgram({ name, candidates, apt, variable }) {
  const override = variable && process.env[variable];
  const wanted = override ? [override] : candidates;
  for (const candidate of wanted) {
    const places = isAbsolute(candidate)
      ? [candidate]
      : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, candidate));
    for (const place of places) {
      try {
        accessSync(place, constants.X_OK);
        return place;
      } catch {
        // Not there; the next place.
      }
    }
  }
  throw new Error(
    `${name} is missing (looked for ${wanted.join(', ') || 'it'}${override ? `, from ${variable}` : ''}). ` +
      `Install it with "apt-get install ${apt}"` +
      (variable ? `, or set ${variable} to the program's path.` : '.'),
  );
}
