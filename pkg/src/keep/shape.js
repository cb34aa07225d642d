// Reads a stored page field by field. A field that does not have the form that this version writes is treated as absent.

import { KES, MEANINGS } from 'crypto-diag/facts';

/** @typedef {import('crypto-diag/report').EarlierPage} EarlierPage */
/** Gives a value that has its form, else undefined. @template T @typedef {(value: unknown) => T | undefined} Read */

/** The last instant that a Date can hold. */
const LAST = 8.64e15;

const { isArray } = Array;
const { entries: entriesOf, hasOwn } = Object;

/** @param {number} units @returns {Read<string>} */
const text = (units) => (value) => (typeof value === 'string' && value.length <= units ? value : undefined);
/** @param {readonly any[]} words @returns {Read<any>} */
const oneOf = (words) => (value) => (words.includes(value) ? value : undefined);
/** @type {Read<boolean>} */
const truth = (value) => (typeof value === 'boolean' ? value : undefined);
/** @type {Read<number>} */
const number = (value) => (Number.isFinite(value) ? /** @type {number} */ (value) : undefined);
/** @type {Read<number>} */
const count = (value) =>
  Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0 && /** @type {number} */ (value) <= LAST
    ? /** @type {number} */ (value)
    : undefined;
/** @template T @param {Read<T>} read @returns {Read<T | null>} */
const orNull = (read) => (value) => (value === null ? null : read(value));
/** What does not read is left out. @template T @param {Read<T>} read @param {number} max @returns {Read<T[]>} */
const list = (read, max) => (value) =>
  isArray(value)
    ? value
        .slice(-max)
        .map(read)
        .filter((row) => row !== undefined)
    : undefined;
/** @param {Record<string, Read<any>>} fields @returns {Read<any>} */
const object = (fields) => (value) => {
  if (typeof value !== 'object' || value === null) return undefined;
  /** @type {Record<string, unknown>} */
  const made = {};
  for (const [name, read] of entriesOf(fields)) {
    made[name] = hasOwn(value, name) ? read(/** @type {any} */ (value)[name]) : undefined;
    if (made[name] === undefined) return undefined;
  }
  return made;
};

/** UTF-16 code units of an id or an address. */
export const SHORT_UNITS = 1024;

const short = text(SHORT_UNITS);
/** A line. */
const long = text(32 * 1024);
const realm = object({ kind: oneOf(['main', 'frame', 'worker']), path: orNull(short) });

const page = object({
  page: orNull(short),
  timeOrigin: orNull(count),
  storedAt: count,
  left: truth,
  clockOffset: orNull(number),
  userId: orNull(short),
  deviceId: orNull(short),
  sdkVersion: orNull(short),
  cryptoVersion: orNull(short),
  tallies: list(
    object({
      ke: oneOf(KES),
      meaning: oneOf(MEANINGS),
      total: count,
      firstTs: count,
      lastTs: count,
      peakPerSecond: count,
      ratePerSecond: orNull(number),
    }),
    KES.length * MEANINGS.length,
  ),
  sent: list(
    object({
      ts: count,
      type: orNull(short),
      txnid: orNull(short),
      targets: list(object({ userId: short, deviceId: short, messageId: orNull(short) }), 200),
      omitted: count,
      realm,
    }),
    100,
  ),
  marks: list(object({ ts: count, kind: oneOf(['start', 'symptom', 'end']), label: short }), 200),
  facts: list(
    object({
      ts: count,
      what: oneOf(['connected', 'subscribed', 'key-set']),
      participant: orNull(short),
      participantSid: orNull(short),
      keyIndex: orNull(count),
      encrypted: orNull(truth),
      kind: orNull(oneOf(['audio', 'video'])),
    }),
    200,
  ),
  entries: list(
    object({
      ts: count,
      level: oneOf(['warn', 'error']),
      ke: oneOf(KES),
      signature: short,
      message: long,
      meaning: oneOf(MEANINGS),
      realm,
      source: oneOf(['console', 'uncaught']),
      stack: orNull(long),
      redactions: count,
      truncatedFrom: orNull(count),
    }),
    200,
  ),
  omitted: count,
});

/** @param {string} stored @returns {EarlierPage | null} */
export function readPage(stored) {
  try {
    return page(JSON.parse(stored)) ?? null;
  } catch {
    return null;
  }
}
