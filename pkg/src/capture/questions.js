// What `collectReport` asks beyond `buildReport`: storage and crypto facts. Every question here is answered on this
// machine. Left out on purpose, since they fetch or change state: getKeyBackupInfo, checkKeyBackupAndEnable,
// getSessionBackupPrivateKey, every bootstrap and export.

import { apply, now, round, slice, startTimer, steadyNow, stopTimer } from './builtins.js';
import { callFacts, withCallLines } from './call.js';
import { messageText } from './error-words.js';
import { serverMinusPage } from './server-clock.js';
import { number, text, truth } from './values.js';

/** Milliseconds that one question may take, and all questions together: a user is waiting for the download. */
const PATIENCE = 3000;
const PATIENCE_IN_ALL = 10_000;
/** Users whose devices are looked up, and devices listed. */
const USERS_MAX = 20;
const DEVICES_MAX = 200;

/** A Matrix user id inside a line. The specification's grammar allows more, but no such id was seen on a line. */
const USER_ID = /@[a-z0-9._=\-/+]{1,200}:[a-z0-9.-]{1,200}(?::\d{1,5})?/gi;

/**
 * Asks one question, with a limit; a refusal, an exception or silence costs that answer only. It never rejects.
 * @template T
 * @param {{unanswered: {question: string, why: string}[], until: number}} round
 * @param {string} question
 * @param {() => T | Promise<T>} ask
 * @returns {Promise<T | null>}
 */
async function answer({ unanswered, until }, question, ask) {
  let timer;
  try {
    const left = until - now();
    if (left <= 0) throw new Error('not asked: the other questions took too long');
    const patience = left < PATIENCE ? left : PATIENCE;
    return await new Promise((resolve, reject) => {
      timer = startTimer(() => reject(new Error(`no answer within ${patience} ms`)), patience);
      // Not Promise.race: it uses builtins that a page may have broken. The rejection would then be unhandled, and the page would see it.
      (async () => {
        try {
          resolve((await ask()) ?? null);
        } catch (error) {
          reject(error);
        }
      })();
    });
  } catch (error) {
    unanswered[unanswered.length] = { question, why: slice(messageText(error), 0, 500) };
    return null;
  } finally {
    stopTimer(timer);
  }
}

/** Milliseconds that the page's clock has been set forward since the navigation began; null where the engine has no steady clock. */
export function clockOffset() {
  const { performance } = globalThis;
  const origin = number(performance?.timeOrigin);
  return origin === null ? null : round(now() - origin - apply(steadyNow, performance, []));
}

/** The page's clocks, as the report holds them. @param {any} mx The Matrix client, or null. */
export function clockFacts(mx) {
  const { performance } = globalThis;
  return {
    timeOrigin: number(performance?.timeOrigin),
    offset: clockOffset(),
    timeZoneOffset: new Date().getTimezoneOffset(),
    serverMinusPage: serverMinusPage(mx, performance?.timeOrigin),
  };
}

/** @typedef {<T>(question: string, ask: () => T | Promise<T>) => Promise<T | null>} Ask */

/** @param {Ask} ask */
async function storageFacts(ask) {
  const { navigator, indexedDB } = globalThis;
  // Ask all three at the same time.
  const persisted = ask('navigator.storage.persisted', () => navigator.storage.persisted());
  const estimate = ask('navigator.storage.estimate', () => navigator.storage.estimate());
  const databases = ask('indexedDB.databases', () => indexedDB.databases());
  const { quota, usage } = (await estimate) ?? {};
  return {
    persisted: truth(await persisted),
    quota: number(quota),
    usage: number(usage),
    databases:
      (await databases)?.map(({ name, version }) => ({ name: text(name), version: number(version) })) ?? null,
  };
}

/**
 * The users whom entries and sent batches name, this user first.
 * @param {string | null} own
 * @param {readonly {message: string}[]} entries
 * @param {readonly {targets: {userId: string}[]}[]} sent
 */
function usersNamed(own, entries, sent) {
  const users = new Set();
  if (own) users.add(own);
  for (const { message } of entries) for (const user of message.match(USER_ID) ?? []) users.add(user);
  for (const { targets } of sent) for (const { userId } of targets) users.add(userId);
  return [...users].slice(0, USERS_MAX);
}

/** @param {any} crypto @param {string[]} users @param {Ask} ask */
async function knownDevices(crypto, users, ask) {
  const known = await ask('getUserDeviceInfo', () => crypto.getUserDeviceInfo(users, false));
  const devices = [];
  for (const [userId, ofUser] of known ?? []) {
    for (const [deviceId, device] of ofUser) {
      if (devices.length >= DEVICES_MAX) return devices;
      const status = await ask('getDeviceVerificationStatus', () =>
        crypto.getDeviceVerificationStatus(userId, deviceId),
      );
      devices.push({
        userId: String(userId),
        deviceId: String(deviceId),
        ed25519: text(device.getFingerprint?.()),
        curve25519: text(device.getIdentityKey?.()),
        verified: truth(status?.isVerified?.()),
      });
    }
  }
  return devices;
}

/**
 * @param {any} mx
 * @param {any} crypto
 * @param {readonly {message: string}[]} entries
 * @param {readonly {targets: {userId: string}[]}[]} sent
 * @param {Ask} ask
 */
async function cryptoFacts(mx, crypto, entries, sent, ask) {
  const own = text(await ask('getUserId', () => mx.getUserId()));
  const keys = await ask('getOwnDeviceKeys', () => crypto.getOwnDeviceKeys());
  const synced = (await ask('isInitialSyncComplete', () => mx.isInitialSyncComplete())) === true;
  const afterSync = (/** @type {string} */ question) =>
    synced ? ask(question, () => crypto[question]()) : null;
  return {
    ownDeviceKeys: keys && { ed25519: text(keys.ed25519), curve25519: text(keys.curve25519) },
    devices: await knownDevices(crypto, usersNamed(own, entries, sent), ask),
    activeBackupVersion: text(
      await ask('getActiveSessionBackupVersion', () => crypto.getActiveSessionBackupVersion()),
    ),
    crossSigningReady: truth(await afterSync('isCrossSigningReady')),
    secretStorageReady: truth(await afterSync('isSecretStorageReady')),
  };
}

/**
 * The asynchronous part of a report.
 * @param {any} mx The Matrix client, or null.
 * @param {readonly {message: string}[]} entries
 * @param {readonly {targets: {userId: string}[]}[]} sent
 * @param {Promise<void>} core Settles when there is a core to look at the answers, or none will come.
 */
export async function collectFacts(mx, entries, sent, core) {
  /** @type {{question: string, why: string}[]} */
  const unanswered = [];
  const round = { unanswered, until: now() + PATIENCE_IN_ALL };
  /** @type {Ask} */
  const ask = (question, work) => answer(round, question, work);
  // The call's statistics are sampled twice, a second apart. Start now, so that the other questions need not wait for it.
  const ready = ask('core', () => core);
  const calling = callFacts(ask, mx);
  const storage = await storageFacts(ask);
  await ready;
  const asked = await ask('getCrypto', () => mx?.getCrypto?.());
  const crypto = asked ? await cryptoFacts(mx, asked, entries, sent, ask) : null;
  const call = withCallLines(await calling);
  return { storage, crypto, call, unanswered };
}
