// @ts-check
// Every program that a script, a test or the bench starts, and the folders that such programs write to, come from here. What is
// started ends with this process: when it exits, throws or is interrupted, and on Linux also when it is killed outright.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { Explained, root, say } from './project.mjs';

/** How long a program may take to end after its signal, in milliseconds; it is killed then. */
const END_MS = 10_000;
/** The same inside an exit handler, where nothing may wait for long. */
const END_AT_EXIT_MS = 3_000;
/** The most that a program run to its end may print, in bytes. */
const OUTPUT_MAX = 1 << 28;
/** How much of a program's output an error message shows. */
const SHOWN_LINES = 60;

/**
 * @typedef {object} Options
 * @property {string} [cwd] the project's root if left out
 * @property {Record<string, string | undefined>} [env] added to this process's environment
 *
 * @typedef {{ uid: number, gid: number }} Account
 */

// Programs that are run to their end, while this process waits.

/**
 * Runs a program, whatever comes of it.
 * @param {string} command
 * @param {string[]} args
 * @param {Options & { seconds?: number, visible?: boolean }} [options] after `seconds` it is killed; `visible` attaches the
 *   terminal instead of gathering what is printed
 * @returns {{ code: number | null, stdout: string, stderr: string, why: string }} `why`, in words, if `code` is not 0
 */
export function outcome(command, args, { cwd = root, env = {}, seconds, visible = false } = {}) {
  const done = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: visible ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: OUTPUT_MAX,
    timeout: seconds && seconds * 1000,
    killSignal: 'SIGKILL',
  });
  const why = done.error?.message ?? `it ended with ${done.signal ?? `exit code ${done.status}`}`;
  // A program that was killed or could not be started has printed nothing worth reading as its answer.
  return { code: done.error ? null : done.status, stdout: done.stdout ?? '', stderr: done.stderr ?? '', why };
}

/**
 * Runs a program with the terminal attached.
 * @param {string} command
 * @param {string[]} args
 * @param {Options} [options]
 * @throws {Explained} unless it ends well
 */
export function run(command, args, options) {
  const { code, why } = outcome(command, args, { ...options, visible: true });
  if (code !== 0) throw new Explained(`${command} ${args.join(' ')}: ${why}`);
}

/**
 * Runs a program whose output concerns nobody unless it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {Options & { seconds?: number }} [options]
 * @returns {string} its standard output
 * @throws {Explained} with the end of all that it printed, unless it ends well
 */
export function quietly(command, args, options) {
  const { code, stdout, stderr, why } = outcome(command, args, options);
  if (code === 0) return stdout;
  const printed = `${stdout}\n${stderr}`.trim().split('\n').slice(-SHOWN_LINES).join('\n');
  throw new Explained(`${command} ${args.join(' ')}: ${why}\n${printed}`);
}

/**
 * Asks a program something.
 * @param {string} command
 * @param {string[]} args
 * @param {Options & { seconds?: number }} [options]
 * @returns {string | null} its trimmed output; null when it is missing, fails or takes too long
 */
export function ask(command, args, { seconds = 30, ...options } = {}) {
  const { code, stdout } = outcome(command, args, { seconds, ...options });
  return code === 0 ? stdout.trim() : null;
}

// Programs that run beside this process.

/** Programs that run, first started first, and the signal that ends each. @type {Map<import('node:child_process').ChildProcess, NodeJS.Signals>} */
const children = new Map();
/** @type {Set<string>} */
const folders = new Set();
let watching = false;

function endEverything() {
  const running = [...children].reverse();
  for (const [child, signal] of running) signalGroup(child, signal);
  const deadline = Date.now() + END_AT_EXIT_MS;
  for (const [{ pid }] of running) {
    while (pid && isRunning(pid) && Date.now() < deadline) {
      // Nothing asynchronous runs in an exit handler.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  for (const [child] of running) signalGroup(child, 'SIGKILL');
  for (const folder of folders) removeFolder(folder);
}

/**
 * Has everything ended when this process exits, after the exit handlers that others have by now: a library that started a browser
 * ends it in its own, and the browser's folder can only be removed after that.
 */
function watchExit() {
  process.off('exit', endEverything);
  process.on('exit', endEverything);
  if (watching) return;
  watching = true;
  // Without a listener these signals end the process and skip the exit handlers. 128 + n is what a shell reports.
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
  // A dying program may still write: try again, for some seconds on a busy machine.
  rmSync(folder, { recursive: true, force: true, maxRetries: 30, retryDelay: 20 });
}

/**
 * A fresh folder below the system's temporary folder, removed by `remove()` or when this process exits.
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
 * @param {Options & { signal?: NodeJS.Signals, account?: Account, input?: string, visible?: boolean,
 *   stdout?: string, stderr?: string }} [options]
 *   `signal` ends it (default SIGKILL); `account` is whose process it becomes; `input` is its standard input; `visible` passes on
 *   what it prints; `stdout` and `stderr` are files that its output goes to instead of being gathered
 */
export function start(command, args, options = {}) {
  const { cwd = root, env = {}, signal = 'SIGKILL', account, input, visible = false } = options;
  const [file, argv] = bound(command, args, signal, account);
  const sinks = [options.stdout, options.stderr].map((path) =>
    path === undefined ? 'pipe' : openSync(path, 'w'),
  );
  const child = spawn(file, argv, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: [input === undefined ? 'ignore' : 'pipe', ...sinks],
  });
  for (const sink of sinks) if (typeof sink === 'number') closeSync(sink);
  adopt(child, signal);
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
    if (visible) process.stdout.write(text);
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
    if (visible) process.stderr.write(text);
  });
  // A program that reads nothing may close its input early.
  child.stdin?.on('error', () => {}).end(input);
  const gone = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  /** @type {Promise<{ code: number | null, out: string, err: string }>} */
  const ended = new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
    child.once('error', (error) => resolve({ code: null, out, err: `${err}${error.message}` }));
  });
  return {
    child,
    /** Resolves when the program has ended, with its exit code and all that it printed; null if a signal ended it. */
    ended,
    running: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    /** The last lines that the program printed, for an error message. */
    printed: () => `${out}\n${err}`.trim().split('\n').slice(-SHOWN_LINES).join('\n'),
    /** Ends the program and its whole group. */
    async stop() {
      if (child.pid === undefined) return;
      signalGroup(child, signal);
      const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), END_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}

/** @typedef {ReturnType<typeof start>} Program */

/**
 * Runs a program to its end while this process goes on.
 * @param {string} command
 * @param {string[]} args
 * @param {Parameters<typeof start>[2]} [options]
 * @returns {Promise<string>} its standard output
 * @throws {Explained} with the end of all that it printed, unless it ends well
 */
export async function finished(command, args, options) {
  const program = start(command, args, options);
  const { code, out } = await program.ended;
  if (code === 0) return out;
  throw new Explained(`${command} ended with ${code ?? program.child.signalCode}: ${program.printed()}`);
}

/**
 * Runs a program, passes on what it prints and returns it with the exit code; never throws.
 * @param {string} command
 * @param {string[]} args
 * @param {Options & { seconds: number, visible?: boolean }} options after `seconds` the program's whole process group is ended;
 *   with `visible: false` nothing is passed on
 * @returns {Promise<{ code: number | null, output: string, timedOut: boolean }>}
 */
export async function watch(command, args, { seconds, ...options }) {
  const program = start(command, args, { visible: true, ...options, signal: 'SIGTERM' });
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    void program.stop();
  }, seconds * 1000);
  const { code, out, err } = await program.ended;
  clearTimeout(limit);
  if (code === null && !timedOut) say(`${command} ended early: ${program.printed().split('\n').at(-1)}`);
  return { code, output: `${out}\n${err}`, timedOut };
}

/**
 * Whether a process runs. One that has ended but was not reaped yet (a zombie) does not.
 * @param {number} pid
 */
export function isRunning(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
  try {
    // Field 3 of /proc/<pid>/stat, after the name in parentheses, is the state.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    // No /proc on this system, or gone in between: the next look tells.
    return process.platform !== 'linux';
  }
}

/**
 * The command line that runs a program as `account` and ends it with this process: PR_SET_PDEATHSIG, where Linux's setpriv is there.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.Signals} signal
 * @param {Account} [account]
 * @returns {[string, string[]]}
 */
function bound(command, args, signal, account) {
  setpriv ??= ask('setpriv', ['--version']) !== null;
  if (!setpriv && account)
    throw new Explained('setpriv is missing. On Debian: apt-get install -y util-linux');
  if (!setpriv) return [command, args];
  const change = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  return ['setpriv', [...change, `--pdeathsig=${signal.slice(3)}`, command, ...args]];
}

/** @type {boolean | undefined} */
let setpriv;

/**
 * Where a program is.
 * @param {{ name: string, candidates: string[], apt: string, variable?: string }} program `candidates` are absolute paths or names
 *   on PATH, best first; `variable` is the environment variable that overrides them
 * @returns {string} an absolute path
 * @throws {Explained} naming the program, where it was looked for, and the command that installs it
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
  throw new Explained(
    `${name} is missing (looked for ${wanted.join(', ') || 'it'}${override ? `, from ${variable}` : ''}). ` +
      `Install it with "apt-get install ${apt}"` +
      (variable ? `, or set ${variable} to the program's path.` : '.'),
  );
}
