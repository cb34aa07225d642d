// @ts-check
/**
 * One temporary folder and the processes that live in it. Both end together: on {@link Scratch#dispose}, when this process
 * exits for whatever reason, and on SIGINT, SIGTERM and SIGHUP. Where Linux allows it the processes also end when this one is
 * killed outright (PR_SET_PDEATHSIG).
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { chown, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** How long a process may take to end after its polite signal before it gets SIGKILL. Milliseconds. */
const GRACE_MS = 10_000;

/** The same, inside an exit handler, where nothing may wait for long. */
const GRACE_AT_EXIT_MS = 3_000;

/** @typedef {{uid: number, gid: number}} Account */

/** @type {Set<Scratch>} */
const alive = new Set();
let guarded = false;

function guard() {
  if (guarded) return;
  guarded = true;
  process.on('exit', disposeAll);
  for (const [signal, number] of /** @type {const} */ ([
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ])) {
    // process.exit runs the handler above; 128 + n is what a shell reports for a process that a signal ended.
    process.on(signal, () => process.exit(128 + number));
  }
}

function disposeAll() {
  for (const scratch of alive) scratch.disposeNow();
}

/**
 * Lets everybody who has an exit handler by now clean up before the folders here are removed. To be called once a library has
 * started a program that writes to one of them.
 */
export function disposeLast() {
  process.off('exit', disposeAll);
  process.on('exit', disposeAll);
}

export class Scratch {
  /** Absolute path of the folder. */
  dir;
  /** @type {{child: import('node:child_process').ChildProcess, signal: NodeJS.Signals, ended: Promise<void>}[]} */
  #processes = [];

  /** @param {string} name what the folder is for; part of its name */
  constructor(name) {
    guard();
    // The pid in the name tells whose folder it is if one is ever found.
    this.dir = mkdtempSync(path.join(tmpdir(), `crypto-diag-${name}-${process.pid}-`));
    // PostgreSQL may run as another account and must be able to walk through here.
    chmodSync(this.dir, 0o711);
    alive.add(this);
  }

  /**
   * Makes a folder inside, owned by `account` if given.
   *
   * @param {string} name
   * @param {Account} [account]
   * @returns {Promise<string>} its absolute path
   */
  async folder(name, account) {
    const dir = path.join(this.dir, name);
    await mkdir(dir, { mode: 0o700, recursive: true });
    if (account) await chown(dir, account.uid, account.gid);
    return dir;
  }

  /**
   * Starts a process that belongs to this folder; its output goes to the file `log`.
   *
   * @param {string} command absolute path
   * @param {string[]} args
   * @param {{log: string, signal?: NodeJS.Signals, account?: Account, env?: NodeJS.ProcessEnv}} options `signal` asks it to end
   * @returns {{pid: number, exited: () => boolean}}
   */
  start(command, args, { log, signal = 'SIGTERM', account, env }) {
    const [file, argv] = withAccount(command, args, account, signal);
    const output = openSync(log, 'a');
    const child = spawn(file, argv, {
      cwd: this.dir,
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
      // Out of the terminal's process group: Ctrl-C reaches this process alone, which then ends the others in order.
      detached: true,
    });
    closeSync(output);
    if (!child.pid) throw new Error(`${command} cannot be started`);
    const ended = new Promise((/** @type {(value: void) => void} */ resolve) => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
    this.#processes.push({ child, signal, ended });
    return { pid: child.pid, exited: () => child.exitCode !== null || child.signalCode !== null };
  }

  /** Process ids of what was started here and has not ended. */
  processIds() {
    return this.#processes
      .filter(({ child }) => child.exitCode === null && child.signalCode === null)
      .map(({ child }) => /** @type {number} */ (child.pid));
  }

  /** Ends every process, the last started first, and removes the folder. Safe to call twice. */
  async dispose() {
    for (const { child, signal, ended } of [...this.#processes].reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill(signal);
      const late = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      await ended;
      clearTimeout(late);
    }
    alive.delete(this);
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** {@link dispose} for an exit handler: nothing asynchronous runs there any more. */
  disposeNow() {
    const pids = this.processIds().reverse();
    for (const { child, signal } of this.#processes) if (pids.includes(child.pid ?? 0)) child.kill(signal);
    const deadline = Date.now() + GRACE_AT_EXIT_MS;
    while (pids.some(isRunning) && Date.now() < deadline) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
    for (const pid of pids) {
      if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    }
    alive.delete(this);
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Whether the process still runs. One that has ended but was not reaped yet (a zombie) does not run.
 *
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
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    // No /proc on this system, or gone in between: the next look tells.
    return process.platform !== 'linux';
  }
}

/**
 * The command line that runs `command` as `account` and that ends with this process.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Account | undefined} account
 * @param {NodeJS.Signals} signal
 * @returns {[string, string[]]}
 */
function withAccount(command, args, account, signal) {
  if (!hasSetpriv()) {
    if (account) throw new Error('setpriv is missing. On Debian: apt-get install -y util-linux');
    return [command, args];
  }
  const change = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  return ['setpriv', [...change, `--pdeathsig=${signal.slice(3)}`, command, ...args]];
}

/** @type {boolean | undefined} */
let setpriv;

function hasSetpriv() {
  setpriv ??= spawnSync('setpriv', ['--version'], { stdio: 'ignore' }).status === 0;
  return setpriv;
}

/**
 * Runs a command to its end.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{input?: string, account?: Account, env?: NodeJS.ProcessEnv, cwd?: string}} [options]
 * @returns {Promise<string>} its standard output
 * @throws {Error} with its standard error, if it ends with anything but 0
 */
export function run(command, args, { input = '', account, env, cwd } = {}) {
  const [file, argv] = withAccount(command, args, account, 'SIGTERM');
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk) => (out += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => (err += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${path.basename(command)} ended with ${code ?? signal}: ${err || out}`));
    });
    // A command that reads nothing may close its input early.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
