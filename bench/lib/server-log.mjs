// @ts-check
// Server logs of any size that have a real log's shape: its lines, drawn at random, of many users, in the order of time.

import fs from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/lib/project.mjs';

/** A recorded incident: a Synapse log and the report of the device that it befell. */
const RECORDED = path.join(root, 'tests/fixtures/bundles/store-rollback');
export const REPORT = path.join(RECORDED, 'victim.report.json');
export const HAR = path.join(RECORDED, 'victim.har');
const LOG = path.join(RECORDED, 'homeserver.log.txt');

/** Bytes that are written at once. */
const BLOCK_BYTES = 4 << 20;
/** Users that the other lines are of. */
const USERS = 5000;
/** Each request has a number of its own: joins find what belongs together, and no more. */
const FIRST_REQUEST = 1000;

/** @typedef {{userId: string, deviceId: string, ids: string[], from: number}} Victim `ids`: user and device first. */

/** Whom the report is of, and every id in it that a log may hold. @returns {Victim} */
export function victim() {
  const text = fs.readFileSync(REPORT, 'utf8');
  const report = JSON.parse(text);
  const ids = new Set([report.userId, report.deviceId]);
  // Event ids, to-device messages' ids, ids of one-time keys, and both public keys of a conflict.
  for (const [id] of text.matchAll(
    /\$[\w-]{43}|(?<=msgid:? ?)[0-9a-f-]{32,36}|(?<=signed_curve25519:)\w{11}|(?<=key\\*["']: ?\\*["'])[\w+/]{43}/g,
  ))
    ids.add(id);
  return { userId: report.userId, deviceId: report.deviceId, ids: [...ids], from: report.generatedAt };
}

/** Numbers that look random and are the same every time. @param {number} seed */
function randomness(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The lines of each recorded request of the user, with marks where its user, its device and other ids stand. */
function recordedRequests() {
  const { userId, deviceId, ids } = victim();
  const encoded = encodeURIComponent(userId);
  /** @type {Map<string, string[]>} */
  const requests = new Map();
  for (const line of fs.readFileSync(LOG, 'utf8').split('\n')) {
    const number = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} .*? - (?:GET|POST|PUT|OPTIONS)-(\d+) - /.exec(
      line,
    )?.[1];
    if (number) requests.set(number, [...(requests.get(number) ?? []), line.slice(23)]);
  }
  return [...requests.values()]
    .filter((lines) => lines.some((line) => line.includes(userId)))
    .map((lines) =>
      lines.map((line) => {
        // The other users of that log are not looked for by anybody.
        let rest = line.replaceAll(/@(bob|carol)[\w-]*:localhost/g, '@somebody:localhost');
        rest = rest.replaceAll(encoded, '\0u').replaceAll(userId, '\0U').replaceAll(deviceId, '\0D');
        ids.forEach((id, index) => (rest = rest.replaceAll(id, `\0${index}`)));
        return rest.replaceAll(/(?<=\b(?:GET|POST|PUT|OPTIONS)-)\d+\b/g, '\0R');
      }),
    );
}

/**
 * @param {string} file
 * @param {number} bytes At least.
 * @param {number} rate The share of lines that are of the report's user.
 * @returns {{bytes: number, lines: number, matching: number, from: number, to: number}} Times in milliseconds.
 */
export function writeServerLog(file, bytes, rate) {
  const random = randomness(7);
  const { userId, deviceId, ids, from } = victim();
  const requests = recordedRequests();
  const own = { user: userId, device: deviceId, ids };
  const others = Array.from({ length: USERS }, (_, number) => {
    const device = Array.from({ length: 10 }, () => String.fromCharCode(65 + random() * 26)).join('');
    return { user: `@user${number}:localhost`, device, ids: ids.map((id) => 'Z'.repeat(id.length)) };
  });
  const output = fs.openSync(file, 'w');
  let [written, lines, matching, at, request] = [0, 0, 0, from, FIRST_REQUEST];
  let second = 0;
  let stamp = '';
  try {
    while (written < bytes) {
      let block = '';
      while (block.length < BLOCK_BYTES && written + block.length < bytes) {
        const shapes = requests[Math.floor(random() * requests.length)];
        const isOwn = random() < rate;
        const who = isOwn ? own : others[Math.floor(random() * USERS)];
        request++;
        for (const shape of shapes) {
          at += Math.floor(random() * 4);
          if (Math.floor(at / 1000) !== second) {
            second = Math.floor(at / 1000);
            stamp = new Date(at).toISOString().slice(0, 19).replace('T', ' ');
          }
          block += `${stamp},${String(at % 1000).padStart(3, '0')}${fill(shape, who, request)}\n`;
        }
        lines += shapes.length;
        if (isOwn) matching += shapes.length;
      }
      written += fs.writeSync(output, block);
    }
    // What the system has still to write would slow down whoever writes next.
    fs.fsyncSync(output);
  } finally {
    fs.closeSync(output);
  }
  return { bytes: written, lines, matching, from, to: at };
}

/**
 * @param {string} shape
 * @param {{user: string, device: string, ids: string[]}} who
 * @param {number} request
 */
function fill(shape, { user, device, ids }, request) {
  return shape.replace(/\0(?:[UuRD]|\d+)/g, (mark) => {
    if (mark === '\0U') return user;
    if (mark === '\0u') return encodeURIComponent(user);
    if (mark === '\0R') return String(request);
    return mark === '\0D' ? device : ids[Number(mark.slice(1))];
  });
}
