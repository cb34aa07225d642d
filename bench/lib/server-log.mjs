// @ts-check
// Server logs of any size that have a real log's shape: its lines, drawn at random, of many users, in the order of time.

import fs from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/lib/run.mjs';

/** A recorded incident: a Synapse log and the report of the device that it befell. */
const RECORDED = path.join(root, 'tests/fixtures/bundles/store-rollback');
export const REPORT = path.join(RECORDED, 'victim.report.json');
export const HAR = path.join(RECORDED, 'victim.har');
const LOG = path.join(RECORDED, 'homeserver.log.txt');

/** Bytes that are written at once. */
const BLOCK_BYTES = 4 << 20;
/** Users that the other lines are of. */
const USERS = 5000;
/** Each line is of a request of its own: joins by request find what belongs together, and no more. */
const FIRST_REQUEST = 1000;

/** @typedef {{userId: string, deviceId: string, ids: string[], from: number}} Victim */

/** Whom the report is of, and every id in it that a log may hold. @returns {Victim} */
export function victim() {
  const text = fs.readFileSync(REPORT, 'utf8');
  const report = JSON.parse(text);
  const ids = new Set([report.userId, report.deviceId]);
  for (const [id] of text.matchAll(
    /\$[\w-]{43}|(?<=msgid:? ?)[0-9a-f-]{32,36}|(?<=signed_curve25519:)\w{11}/g,
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

/** A recorded line, in pieces between which a user and a device stand. */
function templates() {
  const { userId, deviceId, ids } = victim();
  const encoded = encodeURIComponent(userId);
  const lines = fs.readFileSync(LOG, 'utf8').split('\n');
  return lines
    .filter((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} /.test(line) && line.includes(userId))
    .map((line) => {
      // The other users of that log are not looked for by anybody.
      let rest = line.slice(23).replaceAll(/@(bob|carol)[\w-]*:localhost/g, '@somebody:localhost');
      rest = rest.replaceAll(encoded, '\0u').replaceAll(userId, '\0U').replaceAll(deviceId, '\0D');
      for (const id of ids) rest = rest.replaceAll(id, '\0I');
      rest = rest.replaceAll(/(?<=\b(?:GET|POST|PUT|OPTIONS)-)\d+\b/g, '\0R');
      return rest;
    });
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
  const shapes = templates();
  const own = { user: userId, device: deviceId, id: ids.at(-1) ?? '' };
  const others = Array.from({ length: USERS }, (_, number) => {
    const device = Array.from({ length: 10 }, () => String.fromCharCode(65 + random() * 26)).join('');
    return { user: `@user${number}:localhost`, device, id: 'AAAAAAAAZZZ' };
  });
  const output = fs.openSync(file, 'w');
  let [written, lines, matching, at] = [0, 0, 0, from];
  let second = 0;
  let stamp = '';
  try {
    while (written < bytes) {
      let block = '';
      while (block.length < BLOCK_BYTES && written + block.length < bytes) {
        at += Math.floor(random() * 4);
        if (Math.floor(at / 1000) !== second) {
          second = Math.floor(at / 1000);
          stamp = new Date(at).toISOString().slice(0, 19).replace('T', ' ');
        }
        const shape = shapes[Math.floor(random() * shapes.length)];
        const isOwn = random() < rate;
        if (isOwn) matching++;
        const who = isOwn ? own : others[Math.floor(random() * USERS)];
        block += `${stamp},${String(at % 1000).padStart(3, '0')}${fill(shape, who, FIRST_REQUEST + lines)}`;
        block += '\n';
        lines++;
      }
      written += fs.writeSync(output, block);
    }
  } finally {
    fs.closeSync(output);
  }
  return { bytes: written, lines, matching, from, to: at };
}

/**
 * @param {string} shape
 * @param {{user: string, device: string, id: string}} who
 * @param {number} request
 */
function fill(shape, { user, device, id }, request) {
  return shape.replace(/\0./g, (mark) => {
    if (mark === '\0U') return user;
    if (mark === '\0u') return encodeURIComponent(user);
    if (mark === '\0R') return String(request);
    return mark === '\0D' ? device : id;
  });
}
