// The WebAssembly instance: started synchronously where the browser allows it, entered only through plain exports on the
// per-line path, and never again once it has failed.

import initAsync, { download, initSync, release_download } from 'crypto-diag/glue';
import { CORE_BYTES } from 'crypto-diag/core-bytes';
import { CLASSES } from 'crypto-diag/facts';
import { Bytes, Doubles, Words, apply, decode, encodeInto, memoryBuffer, parseJson } from './builtins.js';
import { unpack } from './unpack.js';

/** Bytes that one UTF-16 code unit needs in UTF-8 at most. */
const BYTES_PER_UNIT = 3;
/** Room that the inbox has from the start: most lines fit, and memory need not grow for them. */
const INBOX_BYTES = 16 * 1024;
/** What `record` gives when a signature stands in the line, and when the recorder is in use, which only a failure can
 * have left behind. */
const MATCHED = 1;
const BUSY = 2;
/** JavaScript frames that must fit on the stack before WebAssembly is entered: a stack that overflows inside it would
 * leave it in an unknown state, and pages do log from runaway recursions. */
const SPARE_FRAMES = 128;

/** @type {Record<string, any> | undefined} */
let exports;
let inboxAddress = 0;
let inboxBytes = 0;
let boxAddress = 0;
let encoder;
let decoder;

/** `idle`, `starting`, `running` or `failed`. */
export let status = 'idle';
/** Why the core does not run, as a sentence. */
export let reason = null;

/**
 * Starts the core, at once if the browser compiles synchronously.
 * @param {() => void} settled Called later, only if it did not: the core runs then, or has failed.
 */
export function start(settled) {
  if (status !== 'idle') return;
  if (typeof WebAssembly !== 'object' || !encodeInto || !memoryBuffer) {
    fail('This browser has no WebAssembly.');
    return;
  }
  let wasm;
  try {
    wasm = unpack(CORE_BYTES);
    running(initSync({ module: new WebAssembly.Module(wasm) }));
  } catch (error) {
    if (!wasm) {
      fail(`The core could not be unpacked: ${error?.message}`);
      return;
    }
    // Older Chromium compiles no more than 4 KB synchronously on the main thread.
    status = 'starting';
    initAsync({ module_or_path: wasm }).then(
      (started) => {
        running(started);
        settled();
      },
      (later) => {
        fail(`The browser refused to compile the core: ${later?.message ?? later}`);
        settled();
      },
    );
  }
}

function running(started) {
  exports = started;
  encoder = new TextEncoder();
  decoder = new TextDecoder();
  inboxAddress = exports.inbox(INBOX_BYTES);
  inboxBytes = INBOX_BYTES;
  boxAddress = exports.black_box();
  status = 'running';
}

/** Marks the core as failed; it is not entered again. */
export function fail(why) {
  status = 'failed';
  reason = why;
}

/** Runs something that enters the core; where that fails, the core is dead and `otherwise` is the answer. */
function guarded(work, otherwise) {
  if (status !== 'running') return otherwise;
  try {
    return work();
  } catch (error) {
    fail(`The core failed: ${error?.message ?? error}`);
    return otherwise;
  }
}

function spare(frames) {
  return frames === 0 ? 0 : 1 + spare(frames - 1);
}

function write(text, at) {
  const buffer = apply(memoryBuffer, exports.memory, []);
  const target = new Bytes(buffer, inboxAddress + at, inboxBytes - at);
  return apply(encodeInto, encoder, [text, target]).written;
}

function makeRoom(units) {
  const needed = units * BYTES_PER_UNIT;
  if (needed <= inboxBytes) return;
  inboxAddress = exports.inbox(needed);
  inboxBytes = needed;
}

/**
 * Gives a line to the core.
 * @returns {boolean} Whether a signature stands in it.
 */
export function record(ts, level, realm, uncaught, head, tail, stack, length) {
  if (status !== 'running') return false;
  try {
    spare(SPARE_FRAMES);
  } catch {
    return false;
  }
  try {
    makeRoom(head.length + tail.length + stack.length);
    const headBytes = write(head, 0);
    const tailBytes = tail === '' ? 0 : write(tail, headBytes);
    const stackBytes = stack === '' ? 0 : write(stack, headBytes + tailBytes);
    const answer = exports.record(ts, level, realm, uncaught, headBytes, tailBytes, stackBytes, length);
    if (answer === BUSY) fail('The core was left in an unknown state by an earlier failure.');
    return answer === MATCHED;
  } catch (error) {
    fail(`The core failed: ${error?.message ?? error}`);
    return false;
  }
}

/** The number of a realm, for `record`. `kind`: 0 main, 1 frame, 2 worker. */
export function addRealm(kind, path) {
  return guarded(() => {
    makeRoom(path.length);
    return exports.add_realm(kind, write(path, 0));
  }, 0);
}

/** Forgets entries and counts. */
export function clear() {
  guarded(() => exports.clear());
}

/** Saves a file through the core; false where it cannot. */
export function saveFile(name, text) {
  return guarded(() => (download(name, text), true), false);
}

/** Frees the latest download's Blob. */
export function releaseFile() {
  guarded(() => release_download());
}

/** Whether there ever was a core whose memory can be read. */
export function hasMemory() {
  return exports !== undefined;
}

/**
 * The kept entries, read out of memory without entering the core, so that it works on a dead one, too.
 * @param {(id: number) => any} known An entry that was read before, by its id.
 * @returns {{id: number, entry: any}[]}
 */
export function readEntries(known) {
  const buffer = apply(memoryBuffer, exports.memory, []);
  const header = new Words(buffer, boxAddress, 4);
  const rows = new Words(buffer, header[1], header[0] * 3);
  const found = [];
  for (let at = 0; at < rows.length; at += 3) {
    const id = rows[at];
    let entry = known(id);
    if (entry === undefined) {
      try {
        const text = new Bytes(buffer, rows[at + 1], rows[at + 2]);
        entry = parseJson(apply(decode, decoder, [text]));
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
  const numbers = new Words(apply(memoryBuffer, exports.memory, []), boxAddress, 8);
  return { evicted: numbers[4], truncated: numbers[5], redactions: numbers[6], partlyScanned: numbers[7] };
}

/**
 * The exact counts, read out of memory likewise.
 * @returns {{ke: string, meaning: string, total: number, firstTs: number, lastTs: number, peakPerSecond: number,
 *   ratePerSecond: number | null}[]} Every class, those without lines included.
 */
export function readTallies() {
  const buffer = apply(memoryBuffer, exports.memory, []);
  const header = new Words(buffer, boxAddress, 4);
  const numbers = new Doubles(buffer, header[3], header[2] * 5);
  const tallies = [];
  for (let at = 0; at < CLASSES.length; at++) {
    const row = at * 5;
    const rate = numbers[row + 4];
    tallies[at] = {
      ke: CLASSES[at][0],
      meaning: CLASSES[at][1],
      total: numbers[row],
      firstTs: numbers[row + 1],
      lastTs: numbers[row + 2],
      peakPerSecond: numbers[row + 3],
      ratePerSecond: rate === rate ? rate : null,
    };
  }
  return tallies;
}
