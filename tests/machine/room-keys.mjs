// @ts-check
// What a page prints of events whose room key is missing, kept back or begins later: real clients of Alice and Bob, without a server.
// `node tests/machine/room-keys.mjs` prints it as tests/fixtures/room-keys.json keeps it.

import './node.mjs';
import {
  CollectStrategy,
  DeviceId,
  DeviceLists,
  EncryptionSettings,
  initAsync,
  OlmMachine,
  RequestType,
  RoomId,
  StoreHandle,
  UserId,
} from '@matrix-org/matrix-sdk-crypto-wasm';
import { OnlySignedDevicesIsolationMode } from 'matrix-js-sdk/lib/crypto-api/index.js';
import { MatrixError } from 'matrix-js-sdk/lib/http-api/errors.js';
import { MatrixEvent } from 'matrix-js-sdk/lib/models/event.js';
import { initRustCrypto } from 'matrix-js-sdk/lib/rust-crypto/index.js';
import { isMain } from '../../scripts/lib/project.mjs';
import { keeping } from './node.mjs';

const ALICE = { user: '@alice:example.org', device: 'QWERTYALIC' };
const BOB = { user: '@bob:example.org', device: 'HNWJLZTGGU' };
const DAY_MS = 86_400_000;

/** @typedef {{ event_id: string, type: string, sender: string, room_id: string, origin_server_ts: number, content: Record<string, string> }} RoomEvent */
/** @typedef {{ what: string, event: RoomEvent, notice: Record<string, unknown> | null, lines: string[] }} Scene */

/** @returns {Promise<Scene[]>} what Alice's page prints, at warn and error */
export async function scenes() {
  await initAsync();
  /** @type {string[]} */
  let lines = [];
  const logger = keeping((line) => void lines.push(line));
  // There is no key backup.
  const authedRequest = () => Promise.reject(new MatrixError({ errcode: 'M_NOT_FOUND', error: 'none' }, 404));
  const alice = await initRustCrypto(
    /** @type {any} */ ({
      logger,
      http: { authedRequest },
      userId: ALICE.user,
      deviceId: ALICE.device,
      secretStorage: { get: async () => null },
      cryptoCallbacks: {},
      storePrefix: null,
    }),
  );
  /** @type {OlmMachine} */
  const alices = /** @type {any} */ (alice).olmMachine;
  const quiet = keeping(() => {});
  const store = await StoreHandle.open(null, null, quiet);
  const bob = await OlmMachine.initFromStore(new UserId(BOB.user), new DeviceId(BOB.device), store, quiet);

  const uploaded = { [ALICE.user]: await upload(alices), [BOB.user]: await upload(bob) };
  for (const machine of [alices, bob]) {
    await machine.updateTrackedUsers([new UserId(ALICE.user), new UserId(BOB.user)]);
    await answer(machine, RequestType.KeysQuery, {
      device_keys: {
        [ALICE.user]: { [ALICE.device]: uploaded[ALICE.user].device_keys },
        [BOB.user]: { [BOB.device]: uploaded[BOB.user].device_keys },
      },
    });
  }
  const claim = await bob.getMissingSessions([new UserId(ALICE.user)]);
  if (!claim) throw new Error('Bob claims no key');
  const [[id, key]] = Object.entries(uploaded[ALICE.user].one_time_keys);
  const claimed = { one_time_keys: { [ALICE.user]: { [ALICE.device]: { [id]: key } } } };
  await bob.markRequestAsSent(claim.id, claim.type, JSON.stringify(claimed));

  let events = 0;
  const sent = async (/** @type {string} */ room) => {
    events += 1;
    const body = JSON.stringify({ msgtype: 'm.text', body: 'x' });
    const content = await bob.encryptRoomEvent(new RoomId(room), 'm.room.message', body);
    return {
      event_id: `$event-${events}`,
      type: 'm.room.encrypted',
      sender: BOB.user,
      room_id: room,
      origin_server_ts: Date.now(),
      content: JSON.parse(content),
    };
  };
  /** Bob shares a room's key; what Alice gets of that. @param {string} room @param {boolean} withAlice @param {boolean} [onlyTrusted] */
  const share = async (room, withAlice, onlyTrusted = false) => {
    const settings = new EncryptionSettings();
    settings.sharingStrategy = CollectStrategy.deviceBasedStrategy(onlyTrusted, false);
    const users = withAlice ? [new UserId(ALICE.user)] : [];
    const messages = [];
    for (const request of await bob.shareRoomKey(new RoomId(room), users, settings)) {
      const content = JSON.parse(request.body).messages[ALICE.user]?.[ALICE.device];
      if (content) messages.push({ type: request.event_type, sender: BOB.user, content });
      await bob.markRequestAsSent(request.txn_id, RequestType.ToDevice, '{}');
    }
    await alices.receiveSyncChanges(JSON.stringify(messages), new DeviceLists(), new Map());
    return messages;
  };
  /** @type {Scene[]} */
  const all = [];
  const read = async (
    /** @type {string} */ what,
    /** @type {RoomEvent} */ event,
    /** @type {Record<string, unknown> | null} */ notice = null,
  ) => {
    lines = [];
    const { warn, error } = console;
    console.warn = logger.warn;
    console.error = logger.error;
    try {
      await new MatrixEvent(event).attemptDecryption(/** @type {any} */ (alice));
    } finally {
      Object.assign(console, { warn, error });
    }
    all.push({ what, event, notice, lines });
  };

  await share('!none:example.org', false);
  const missing = await sent('!none:example.org');
  await read('the key never came', missing);
  const old = { ...missing, event_id: '$old', origin_server_ts: missing.origin_server_ts - DAY_MS };
  await read('the event is older than the device, and there is no key backup', old);

  await share('!later:example.org', false);
  const first = await sent('!later:example.org');
  await sent('!later:example.org');
  await share('!later:example.org', true);
  const later = await sent('!later:example.org');
  await read('the key begins two messages later', first);

  const [notice] = await share('!kept:example.org', true, true);
  await read('the sender keeps the key from unverified devices', await sent('!kept:example.org'), notice);

  await read('the key is there', later);
  alice.setDeviceIsolationMode(new OnlySignedDevicesIsolationMode());
  await read('the key is of a device that its owner has not signed', later);
  return all;
}

/** @param {OlmMachine} machine @returns {Promise<Record<string, any>>} what it uploads */
async function upload(machine) {
  const counts = { one_time_key_counts: { signed_curve25519: 50 } };
  return answer(machine, RequestType.KeysUpload, counts);
}

/** Answers the requests of a kind. @param {OlmMachine} machine @param {RequestType} type @param {unknown} body */
async function answer(machine, type, body) {
  let asked = {};
  for (const request of await machine.outgoingRequests()) {
    if (request.type !== type || !request.id) continue;
    asked = JSON.parse(request.body);
    await machine.markRequestAsSent(request.id, request.type, JSON.stringify(body));
  }
  return asked;
}

if (isMain(import.meta.url)) process.stdout.write(`${JSON.stringify(await scenes(), null, 2)}\n`);
