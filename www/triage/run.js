// @ts-check
// The worker that reads and triages. It is made of text inside this document: a worker that is loaded from an address does not
// inherit the document's policy, so it could send what it reads. A worker from a `blob:` address inherits the policy.

import { TRIAGE_BYTES } from 'crypto-diag/triage-bytes';
import WORKER from 'crypto-diag/triage-worker';

/**
 * @typedef {object} Answer
 * @property {string} view what the page shows, as JSON
 * @property {string} json
 * @property {string} html
 * @property {string} markdown
 * @property {string} sarif
 * @property {string} svg
 * @property {string} hars the HARs without secrets, as a JSON list of `name` and `text`
 * @property {number} memory bytes that the module needed
 *
 * @typedef {object} Listener
 * @property {(index: number, kind: string) => void} kind what a file was taken for
 * @property {(index: number, bytes: number) => void} read how far a file was read
 * @property {(index: number, used: boolean) => void} done
 * @property {(answer: Answer) => void} answer the end
 * @property {(why: string) => void} failed the other end
 */

/** The one script address that this page may run, where the browser asks (Trusted Types). */
let workerAddress = '';
const { trustedTypes } = /** @type {any} */ (globalThis);
const policy = trustedTypes?.createPolicy('crypto-diag-worker', {
  createScriptURL(/** @type {string} */ address) {
    if (address === workerAddress) return address;
    throw new TypeError('this page runs no other script');
  },
});

/** @type {Promise<ArrayBuffer> | undefined} */
let unpacked;

/** The module's bytes: Base64 of deflated ones in this document, fetched from nowhere. */
function moduleBytes() {
  const packed = Uint8Array.from(atob(TRIAGE_BYTES), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).arrayBuffer();
}

/** Bytes of all files at most, where the worker cannot read slices and the files must be held in memory. */
const HELD_MAX = 300_000_000;

/**
 * The files' bytes, all at once: for a worker that may not read them.
 * @param {File[]} files
 */
async function held(files) {
  const sum = files.reduce((all, { size }) => all + size, 0);
  if (sum > HELD_MAX) {
    throw new Error(
      'this browser reads no files slice by slice for a page that is a file itself; use another one',
    );
  }
  return Promise.all(files.map((file) => file.arrayBuffer()));
}

/**
 * Reads files and triages them.
 * @param {Map<string, File>} files by the name that the answer calls them
 * @param {number | undefined} zoneMinutes minutes that the server's local time is ahead of UTC, where the user says so
 * @param {Listener} listener
 * @returns {() => void} ends it at once, whatever it does; nothing more is heard of it
 */
export function start(files, zoneMinutes, listener) {
  workerAddress ||= URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }));
  const worker = new Worker(policy ? policy.createScriptURL(workerAddress) : workerAddress);
  let over = false;
  const end = () => {
    over = true;
    worker.terminate();
  };
  const fail = (/** @type {unknown} */ why) => {
    if (over) return;
    end();
    listener.failed(why instanceof Error ? why.message : String(why));
  };
  worker.addEventListener('message', ({ data }) => {
    if (over) return;
    if (data.what === 'answer') {
      end();
      listener.answer(data.answer);
    } else if (data.what === 'failed') fail(data.why);
    else if (data.what === 'unreadable') held([...files.values()]).then(send, fail);
    else if (data.what in listener) /** @type {any} */ (listener)[data.what](data.index, data.value);
  });
  worker.addEventListener('error', (event) => fail(event.message || 'the worker did not start'));
  const send = (/** @type {(File | ArrayBuffer)[]} */ contents) => {
    if (over) return;
    unpacked ??= moduleBytes();
    const names = [...files.keys()];
    unpacked.then((module) => worker.postMessage({ module, files: contents, names, zoneMinutes }), fail);
  };
  send([...files.values()]);
  return end;
}
