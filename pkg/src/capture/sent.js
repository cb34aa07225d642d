// The sender's half of the evidence: matrix-js-sdk says at info which devices it sends a batch of encrypted to-device
// messages to, and under which message ids. The receiver's log names the same ids.

import { getOwnPropertyDescriptor, indexOf, isArray, now, slice } from './builtins.js';
import { compact } from './utf8.js';
import { Waiting } from './waiting.js';

/** Targets kept of one batch: more than a large call has devices. */
const TARGETS_MAX = 200;
/** UTF-16 code units of one id: Matrix ids have at most 255 bytes. */
const ID_UNITS = 255;

/** @typedef {import('crypto-diag/report').SentBatch} SentBatch */
/** @typedef {import('crypto-diag/report').SentTarget} SentTarget */

/** Batches kept; the oldest go first. */
const batches = /** @type {Waiting<SentBatch>} */ (new Waiting(100));

/** The line that announces a batch. Source: matrix-js-sdk 41.6.0-rc.0, src/ToDeviceMessageQueue.ts. @type {import('./lines.js').FactLine} */
export const SENT_LINE = {
  start: 'Enqueuing batch of to-device messages.',
  keep(args, at, realm) {
    const line = /** @type {string} */ (args[at]);
    const { targets, omitted } = targetsOf(args[at + 1]);
    const type = field(line, 'type=');
    batches.add({ ts: now(), type, txnid: field(line, 'txnid='), targets, omitted, realm: realm() });
    return true;
  },
};

/** @param {unknown} list */
function targetsOf(list) {
  /** @type {SentTarget[]} */
  const targets = [];
  let omitted = 0;
  if (typeof list === 'object' && list !== null && isArray(list)) {
    const size = getOwnPropertyDescriptor(list, 'length')?.value;
    omitted = size > TARGETS_MAX ? size - TARGETS_MAX : 0;
    for (let at = 0; at < size - omitted; at++) {
      const text = getOwnPropertyDescriptor(list, '' + at)?.value;
      const target = typeof text === 'string' ? parseTarget(text) : undefined;
      if (target) targets[targets.length] = target;
    }
  }
  return { targets, omitted };
}

/** `@user:server/DEVICE (msgid ID)`, as the line's second argument lists them. @param {string} text @returns {SentTarget | undefined} */
function parseTarget(text) {
  // A localpart and a device id may contain a slash, a server name may not.
  const slash = indexOf(text, '/', indexOf(text, ':'));
  const open = indexOf(text, ' (msgid ', slash);
  if (slash < 0) return undefined;
  const deviceEnd = open < 0 ? text.length : open;
  const close = open < 0 ? -1 : indexOf(text, ')', open);
  return {
    userId: id(slice(text, 0, slash)),
    deviceId: id(slice(text, slash + 1, deviceEnd)),
    messageId: close < 0 ? null : id(slice(text, open + ' (msgid '.length, close)),
  };
}

/** @param {string} line @param {string} name */
function field(line, name) {
  const at = indexOf(line, name);
  if (at < 0) return null;
  const from = at + name.length;
  const space = indexOf(line, ' ', from);
  return id(slice(line, from, space < 0 ? line.length : space));
}

/** @param {string} text */
function id(text) {
  return compact(slice(text, 0, ID_UNITS));
}

/** The batches kept, oldest first, once the core has looked at them. */
export const sentBatches = () => batches.list();

/** Forgets them. */
export const clearSent = () => batches.clear();
