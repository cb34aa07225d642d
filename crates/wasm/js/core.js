// The WebAssembly instance: started synchronously where the browser allows it, entered only through plain exports on the
// per-line path, and never again once it has failed.

import initAsync, { file_url, initSync, release_file } from 'crypto-diag/glue';
import { CORE_BYTES } from 'crypto-diag/core-bytes';
import { CLASSES } from 'crypto-diag/facts';
import {
  Bytes,
  Doubles,
  RuntimeError,
  Words,
  apply,
  decode,
  encode,
  encodeInto,
  memoryBuffer,
  parseJson,
} from './builtins.js';
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
let onChange = () => {};

/**
 * Starts the core, at once if the browser compiles synchronously.
 * @param {() => void} changed Called when `status` has changed later: the core runs at last, or has failed.
 */
export function start(changed) {
  if (status !== 'idle') return;
  if (typeof WebAssembly !== 'object' || !encodeInto || !memoryBuffer) {
    fail('This browser has no WebAssembly.');
    return;
  }
  try {
    encoder = new TextEncoder();
    decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const wasm = unpack(CORE_BYTES);
    try {
      running(initSync({ module: new WebAssembly.Module(wasm) }));
    } catch (error) {
      // A policy forbids it: asking again would only have the browser complain twice.
      if (error?.name === 'CompileError' || error?.name === 'EvalError') throw error;
      // Older Chromium compiles no more than 4 KB synchronously on the main thread.
      status = 'starting';
      startLater(wasm);
    }
  } catch (error) {
    fail(`The browser refused to compile the core: ${error?.message ?? error}`);
  }
  onChange = changed;
}

async function startLater(wasm) {
  try {
    running(await initAsync({ module_or_path: wasm }));
  } catch (error) {
    fail(`The browser refused to compile the core: ${error?.message ?? error}`);
  }
  if (status === 'running') onChange();
}

function running(started) {
  exports = started;
  inboxAddress = exports.inbox(INBOX_BYTES);
  inboxBytes = INBOX_BYTES;
  boxAddress = exports.black_box();
  status = 'running';
}

/** Marks the core as failed; it is not entered again. */
function fail(why) {
  status = 'failed';
  reason = why;
  onChange();
}

/** Throws where the stack has no room for so many frames. */
function spare(frames) {
  return frames === 0 ? 0 : 1 + spare(frames - 1);
}

/** Runs something that enters the core; where that fails, the core is dead and `otherwise` is the answer. */
function entering(work, otherwise) {
  if (status !== 'running') return otherwise;
  try {
    spare(SPARE_FRAMES);
  } catch {
    // The page's own runaway recursion; nothing has been entered.
    return otherwise;
  }
  try {
    return work();
  } catch (error) {
    died(error);
    return otherwise;
  }
}

function died(error) {
  fail(`The core failed: ${error?.message ?? error}`);
}

function memory() {
  return apply(memoryBuffer, exports.memory, []);
}

function write(text, at) {
  const target = new Bytes(memory(), inboxAddress + at, inboxBytes - at);
  return apply(encodeInto, encoder, [text, target]).written;
}

function makeRoom(units) {
  const needed = units * BYTES_PER_UNIT;
  if (needed <= inboxBytes) return;
  inboxAddress = checked(exports.inbox(needed), 0);
  inboxBytes = needed;
}

/** An answer of the core, unless it is the one that only an earlier failure can have left behind. */
function checked(answer, busy) {
  if (answer === busy) throw new Error('An earlier failure has left it in an unknown state.');
  return answer;
}

/**
 * Gives a line to the core.
 * @returns {boolean} Whether a signature stands in it.
 */
export function record(ts, level, realm, uncaught, head, tail, stack, length) {
  return entering(() => {
    makeRoom(head.length + tail.length + stack.length);
    const headBytes = write(head, 0);
    const tailBytes = tail === '' ? 0 : write(tail, headBytes);
    const stackBytes = stack === '' ? 0 : write(stack, headBytes + tailBytes);
    const answer = exports.record(ts, level, realm, uncaught, headBytes, tailBytes, stackBytes, length);
    return checked(answer, BUSY) === MATCHED;
  }, false);
}

/** The number of a realm, for `record`. `kind`: 0 main, 1 frame, 2 worker. */
export function addRealm(kind, path) {
  return entering(() => {
    makeRoom(path.length);
    return exports.add_realm(kind, write(path, 0));
  }, 0);
}

/**
 * A field's text without the secrets that the core finds in it; as it is where there is no core to ask. The name says what
 * the text is: a public key, bare, is only known for one by it.
 */
export function scrub(text, name = '') {
  return entering(() => {
    makeRoom(name.length + text.length);
    const named = write(name, 0);
    const bytes = exports.scrub(named, write(text, named));
    inboxAddress = checked(exports.inbox(0), 0);
    return read(inboxAddress, bytes);
  }, text);
}

/** Forgets entries and counts. */
export function clear() {
  entering(() => exports.clear());
}

/** The address of a Blob that holds a text, or undefined. What the page's own methods throw does not concern the core. */
export function fileUrl(text) {
  return cold(() => file_url(text));
}

/** Revokes it. */
export function releaseFile() {
  cold(() => release_file());
}

function cold(work) {
  if (status !== 'running') return undefined;
  try {
    return work();
  } catch (error) {
    if (error instanceof RuntimeError) died(error);
    return undefined;
  }
}

function read(address, size) {
  return apply(decode, decoder, [new Bytes(memory(), address, size)]);
}

/** A copy of a text: a part of a longer one would keep all of it alive. */
export function compact(text) {
  return apply(decode, decoder, [apply(encode, encoder, [text])]);
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
  const buffer = memory();
  const header = new Words(buffer, boxAddress, 4);
  const rows = new Words(buffer, header[1], header[0] * 3);
  const found = [];
  for (let at = 0; at < rows.length; at += 3) {
    const id = rows[at];
    let entry = known(id);
    if (entry === undefined) {
      try {
        entry = parseJson(read(rows[at + 1], rows[at + 2]));
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
 * @returns {{ke: string, meaning: string, total: number, firstTs: number, lastTs: number, peakPerSecond: number,
 *   ratePerSecond: number | null}[]} Every class, those without lines included.
 */
export function readTallies() {
  const buffer = memory();
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
