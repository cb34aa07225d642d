// The WebAssembly instance: unpacked, compiled and started when it is first needed, entered only through plain exports, and
// never again once it has failed.

import { coreText } from 'crypto-diag/core-source';
import { KES, MEANINGS } from 'crypto-diag/facts';
import {
  Bytes,
  Doubles,
  Instance,
  Module,
  Words,
  apply,
  call,
  encodeInto,
  instantiate,
  memoryBuffer,
  parseJson,
  trunc,
} from './builtins.js';
import { nameOfError, wordsOf } from './error-words.js';
import { bytesOf } from './module-text.js';
import { BYTES_PER_UNIT, read, write } from './utf8.js';

/** Bytes of the inbox at the start. Most lines fit into it, so memory need not grow. */
const INBOX_BYTES = 16 * 1024;
/** What `record` gives when a signature stands in the line, and when the recorder is in use, which only a failure can
 * have left behind. */
const MATCHED = 1;
const BUSY = 2;
/** Free stack that is required before WebAssembly is entered: so many calls with so many arguments, 32 KB. If the stack overflowed inside
 * WebAssembly, its state would be unknown, and pages do log from runaway recursions. */
const SPARE_CALLS = 8;
const SPARE_WORDS = 512;
/** @typedef {import('crypto-diag/report').Entry} Entry */

/** What the module exports: crates/wasm/src/lib.rs. @typedef {object} CoreExports
 * @property {WebAssembly.Memory} memory
 * @property {(size: number) => number} inbox
 * @property {() => number} black_box
 * @property {() => void} clear
 * @property {(kind: number, pathBytes: number) => number} add_realm
 * @property {(nameBytes: number, textBytes: number) => number} scrub
 * @property {(ts: number, level: number, realm: number, uncaught: number, head: number, tail: number, stack: number,
 *   length: number) => number} record
 */

/** The shortest valid module, to try whether a policy forbids WebAssembly: it refuses this one like any other. */
const EMPTY_MODULE = [0, 97, 115, 109, 1, 0, 0, 0];

/** The exports; unset until the core runs. Check `status` or `hasMemory` before use. */
let exports = /** @type {CoreExports} */ (/** @type {unknown} */ (undefined));
let inboxAddress = 0;
let inboxBytes = 0;
let boxAddress = 0;

/** `idle`: not asked for yet. `ready`: allowed to start. Then `starting`, `running`, `failed`. */
export let status = 'idle';
/** Why the core does not run, as a sentence. */
/** @type {string | null} */
export let reason = null;
let onChange = () => {};

/**
 * Finds out whether the core may start; that costs next to nothing.
 * @param {() => void} changed Called when `status` has changed later: the core runs at last, or has failed.
 */
export function prepare(changed) {
  if (status !== 'idle') return;
  if (!Module || !encodeInto || !memoryBuffer) {
    fail('This browser has no WebAssembly.');
    return;
  }
  try {
    // WebKit compiles a module under any policy and refuses to make an instance.
    new Instance(new Module(new Bytes(EMPTY_MODULE)));
    status = 'ready';
  } catch (error) {
    if (isRefusal(error)) refused(error);
    else status = 'ready';
  }
  onChange = changed;
}

/** Starts the core, at once if its bytes are here and the browser compiles synchronously. Gives the status afterwards. */
export function start() {
  if (status !== 'ready' || !hasStack()) return status;
  try {
    const text = coreText();
    if (typeof text !== 'string') {
      startLater(text);
      return status;
    }
    const wasm = bytesOf(text);
    try {
      running(new Instance(new Module(wasm), {}));
    } catch (error) {
      // Asking again would only have the browser complain twice.
      if (isRefusal(error)) throw error;
      // Older Chromium compiles no more than 4 KB synchronously on the main thread.
      startLater(wasm);
    }
  } catch (error) {
    refused(error);
  }
  return status;
}

/** Settles once the core runs or has failed, if it has been asked to start. @type {Promise<void>} */
export let started = Promise.resolve();

/** @param {Uint8Array<ArrayBuffer> | Promise<string>} source The module's bytes, or its text once that is loaded. */
function startLater(source) {
  status = 'starting';
  started = (async () => {
    let wasm;
    try {
      wasm = source instanceof Bytes ? source : bytesOf(await source);
    } catch (error) {
      fail(`The core could not be loaded: ${wordsOf(error)}`);
      return;
    }
    try {
      const { instance } = /** @type {any} */ (await apply(instantiate, undefined, [wasm, {}]));
      running(instance);
    } catch (error) {
      refused(error);
    }
    if (status === 'running') onChange();
  })();
}

/** Whether an error says that a policy, or the browser's mode, forbids WebAssembly. */
const isRefusal = (/** @type {unknown} */ error) =>
  nameOfError(error) === 'CompileError' || nameOfError(error) === 'EvalError';

/** @param {WebAssembly.Instance} instance */
function running(instance) {
  exports = /** @type {CoreExports} */ (/** @type {unknown} */ (instance.exports));
  inboxAddress = exports.inbox(INBOX_BYTES);
  inboxBytes = INBOX_BYTES;
  boxAddress = exports.black_box();
  status = 'running';
}

/** Marks the core as failed; it is not entered again. @param {string} why */
function fail(why) {
  status = 'failed';
  reason = why;
  onChange();
}

/** @param {unknown} error */
function refused(error) {
  fail(`The browser refused to compile the core: ${wordsOf(error)}`);
}

/** For each call of `descend`, its arguments: how many more calls, and words that only take room. @type {number[][]} */
const spare = [];
for (let left = 0; left < SPARE_CALLS; left++) {
  spare[left] = [left];
  for (let at = 1; at < SPARE_WORDS; at++) spare[left][at] = 0;
}

/**
 * Takes room on the stack by its arguments, which engines push there one by one however well they have compiled it: its own frames
 * may be large or small. @param {number} left How many more calls.
 */
function descend(left) {
  if (left > 0) apply(descend, undefined, spare[left - 1]);
}

/** Whether the stack has room: the page's own runaway recursion may have spent it. */
function hasStack() {
  try {
    descend(SPARE_CALLS);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs something that enters the core; where that fails, the core is dead.
 * @param {() => void} work
 * @returns {boolean} Whether it was done.
 */
export function enter(work) {
  if (status !== 'running' || !hasStack()) return false;
  try {
    work();
    return true;
  } catch (error) {
    fail(`The core failed: ${wordsOf(error)}`);
    return false;
  }
}

/** @returns {ArrayBuffer} */
function memory() {
  return call(memoryBuffer, exports.memory);
}

/** @param {string} text @param {number} at */
function put(text, at) {
  return write(text, new Bytes(memory(), inboxAddress + at, inboxBytes - at));
}

/** @param {number} units */
function makeRoom(units) {
  const needed = units * BYTES_PER_UNIT;
  if (needed <= inboxBytes) return;
  inboxAddress = checked(exports.inbox(needed), 0);
  inboxBytes = needed;
}

/** An answer of the core, unless it is the one that only an earlier failure can have left behind. @param {number} answer @param {number} busy */
function checked(answer, busy) {
  if (answer === busy) throw new Error('An earlier failure has left it in an unknown state.');
  return answer;
}

/**
 * Gives a line to the core; inside of `enter`.
 * @param {number} ts Milliseconds since the epoch.
 * @param {number} level
 * @param {number} realm
 * @param {number} uncaught
 * @param {string} head
 * @param {string} tail
 * @param {string} stack
 * @param {number} length Of the whole line, in UTF-16 code units.
 * @returns {boolean} Whether a signature stands in it.
 */
export function record(ts, level, realm, uncaught, head, tail, stack, length) {
  makeRoom(head.length + tail.length + stack.length);
  const headBytes = put(head, 0);
  const tailBytes = tail === '' ? 0 : put(tail, headBytes);
  const stackBytes = stack === '' ? 0 : put(stack, headBytes + tailBytes);
  const answer = exports.record(ts, level, realm, uncaught, headBytes, tailBytes, stackBytes, length);
  return checked(answer, BUSY) === MATCHED;
}

/** The number of a realm, for `record`; inside of `enter`. `kind`: 0 main, 1 frame, 2 worker. @param {number} kind @param {string} path */
export function addRealm(kind, path) {
  makeRoom(path.length);
  return exports.add_realm(kind, put(path, 0));
}

/**
 * A field's text without what the core's redactor closes in it; null where there is no core to ask.
 * @param {string} text
 * @param {string} name Says what the text is: a public key, bare, is only known for one by it.
 * @returns {string | null}
 */
export function redact(text, name) {
  /** @type {string | null} */
  let clean = null;
  enter(() => {
    makeRoom(name.length + text.length);
    const named = put(name, 0);
    const bytes = exports.scrub(named, put(text, named));
    inboxAddress = checked(exports.inbox(0), 0);
    clean = read(memory(), inboxAddress, bytes);
  });
  return clean;
}

/** Forgets entries and counts. */
export function clear() {
  enter(() => exports.clear());
}

/** Whether there ever was a core whose memory can be read. */
export function hasMemory() {
  return exports !== undefined;
}

/**
 * The kept entries, read out of memory without entering the core, so that it works on a dead one, too.
 * @param {(id: number) => Entry | undefined} known An entry that was read before, by its id.
 * @returns {{id: number, entry: Entry}[]}
 */
export function readEntries(known) {
  const buffer = memory();
  const header = new Words(buffer, boxAddress, 4);
  const rows = new Words(buffer, header[1], header[0] * 3);
  const found = [];
  for (let at = 0; at < rows.length; at += 3) {
    const id = rows[at];
    let entry = known(id);
    if (!entry) {
      try {
        entry = /** @type {Entry} */ (parseJson(read(buffer, rows[at + 1], rows[at + 2])));
      } catch {
        continue; // The core died while it wrote this one.
      }
    }
    found[found.length] = { id, entry };
  }
  return found;
}

/** The core's own counters, read out of memory likewise. */
export function readCounters() {
  const numbers = new Words(memory(), boxAddress, 7);
  return { evicted: numbers[4], truncated: numbers[5], redactions: numbers[6] };
}

/**
 * The exact counts, read out of memory likewise.
 * @returns {import('crypto-diag/report').TallyRow[]} Every class, those without lines included.
 */
export function readTallies() {
  const buffer = memory();
  const header = new Words(buffer, boxAddress, 4);
  const numbers = new Doubles(buffer, header[3], header[2] * 5);
  /** @type {import('crypto-diag/report').TallyRow[]} */
  const tallies = [];
  // In the core's order: by family, then by meaning.
  for (let row = 0; row < numbers.length; row += 5) {
    const at = tallies.length;
    const rate = numbers[row + 4];
    tallies[at] = {
      ke: KES[trunc(at / MEANINGS.length)],
      meaning: MEANINGS[at % MEANINGS.length],
      total: numbers[row],
      firstTs: numbers[row + 1],
      lastTs: numbers[row + 2],
      peakPerSecond: numbers[row + 3],
      ratePerSecond: rate === rate ? rate : null,
    };
  }
  return tallies;
}
