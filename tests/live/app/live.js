// @ts-check
// What the tests call: `live.<name>(…)`, with arguments and results that survive JSON. Everything is done through the SDK's public
// methods, as an app does it, except where a fault has to be made by hand.
import { buildReport, collectReport, downloadReport, getCounts, getEntries } from 'crypto-diag';
import * as sdk from 'matrix-js-sdk';
import { copyStore, deleteStore, fingerprint } from './stores.js';

const SESSION = 'live-session';
/** How long a condition may take to come about, in milliseconds; nothing is timed here. */
const WAIT_MS = 60_000;

/** @type {import('matrix-js-sdk').MatrixClient | undefined} */
let mx;

/** The frame's side of the call. @type {any} */
let media;

function client() {
  if (!mx) throw new Error('no client: call start first');
  return mx;
}

function crypto() {
  const api = client().getCrypto();
  if (!api) throw new Error('the client has no crypto');
  return api;
}

/** @returns {{baseUrl: string, userId: string, deviceId: string, accessToken: string}} */
function session() {
  const stored = localStorage.getItem(SESSION);
  if (!stored) throw new Error('no session: call login first');
  return JSON.parse(stored);
}

/**
 * Waits for `look` to return something; looks again with every event of the client and every 50 ms.
 *
 * @template T
 * @param {string} what for the error message
 * @param {() => T | null | undefined | false} look
 * @returns {Promise<T>}
 */
async function until(what, look) {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const found = look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${WAIT_MS / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function room(/** @type {string} */ roomId) {
  return until(`room ${roomId}`, () => client().getRoom(roomId));
}

const live = {
  // --- session and client ------------------------------------------------------------------------------------------------

  /** Logs in and keeps the session in localStorage, where it outlives the crypto store, as in a real app. */
  async login(/** @type {Record<string, string>} */ { baseUrl, userId, password, deviceId }) {
    const response = await sdk.createClient({ baseUrl }).loginRequest({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: userId },
      password,
      ...(deviceId ? { device_id: deviceId } : {}),
    });
    const kept = {
      baseUrl,
      userId: response.user_id,
      deviceId: response.device_id,
      accessToken: response.access_token,
    };
    localStorage.setItem(SESSION, JSON.stringify(kept));
    return { userId: kept.userId, deviceId: kept.deviceId };
  },

  /** The kept session with its access token, for {@link adopt} in another browser. */
  session,

  /** Keeps a session that was copied from another browser. */
  adopt: (/** @type {object} */ copied, /** @type {string} */ baseUrl) =>
    localStorage.setItem(SESSION, JSON.stringify({ ...copied, baseUrl })),

  /**
   * Starts a client for the kept session on the crypto store `store` and waits until it has synced. With `losesField` the app has a
   * fault: what it wraps around `fetch` takes that field out of encrypted events.
   */
  async start(/** @type {{ store: string, losesField?: string }} */ { store, losesField }) {
    if (mx) throw new Error('a client is running: call stop first');
    const { baseUrl, userId, deviceId, accessToken } = session();
    const fetchFn = losesField ? fetchWithout(losesField) : undefined;
    mx = sdk.createClient({ baseUrl, userId, deviceId, accessToken, timelineSupport: true, fetchFn });
    await mx.initRustCrypto({ cryptoDatabasePrefix: store });
    await mx.startClient({ initialSyncLimit: 20, lazyLoadMembers: true });
    await until('the first sync', () => ['PREPARED', 'SYNCING'].includes(mx?.getSyncState() ?? ''));
    return live.identity();
  },

  /** Stops the client; the session and the stores stay. */
  stop() {
    mx?.stopClient();
    mx = undefined;
  },

  /** Logs the device out: the homeserver deletes it. */
  async logout() {
    await client().logout(true);
    mx = undefined;
    localStorage.removeItem(SESSION);
  },

  copyStore,
  deleteStore,
  fingerprint,

  /** The device's public identity keys and where it is. */
  async identity() {
    const keys = await crypto().getOwnDeviceKeys();
    return {
      userId: client().getUserId(),
      deviceId: client().getDeviceId(),
      ed25519: keys.ed25519,
      curve25519: keys.curve25519,
      syncState: client().getSyncState(),
    };
  },

  // --- rooms -------------------------------------------------------------------------------------------------------------

  /** An encrypted room in which everybody may take part in calls. */
  async createRoom({ invite = /** @type {string[]} */ ([]) } = {}) {
    const { room_id } = await client().createRoom({
      preset: sdk.Preset.PrivateChat,
      invite,
      initial_state: [
        { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
      ],
      power_level_content_override: { events: { 'org.matrix.msc3401.call.member': 0 } },
    });
    await until('encryption in the new room', () => client().getRoom(room_id)?.hasEncryptionStateEvent());
    return room_id;
  },

  async join(/** @type {string} */ roomId) {
    await until('the invitation', () => client().getRoom(roomId)?.getMyMembership() === 'invite');
    await client().joinRoom(roomId);
    await until('encryption in the joined room', () => {
      const joined = client().getRoom(roomId);
      return joined?.getMyMembership() === 'join' && joined.hasEncryptionStateEvent();
    });
  },

  waitForMember: (/** @type {string} */ roomId, /** @type {string} */ userId) =>
    until(`${userId} in ${roomId}`, () => client().getRoom(roomId)?.getMember(userId)?.membership === 'join'),

  // --- events ------------------------------------------------------------------------------------------------------------

  /** Sends an encrypted message; returns the event id. */
  async sendMessage(/** @type {string} */ roomId, /** @type {string} */ body) {
    const { event_id } = await client().sendTextMessage(roomId, body);
    return event_id;
  },

  /** Sends an event exactly as given, past the SDK's encryption; returns the event id. */
  async sendRawEvent(/** @type {string} */ roomId, /** @type {string} */ type, /** @type {any} */ content) {
    const path = `/rooms/${encodeURIComponent(roomId)}/send/${encodeURIComponent(type)}/${client().makeTxnId()}`;
    const { event_id } = await client().http.authedRequest(sdk.Method.Put, path, undefined, content);
    return event_id;
  },

  async redact(/** @type {string} */ roomId, /** @type {string} */ eventId) {
    const { event_id } = await client().redactEvent(roomId, eventId);
    return event_id;
  },

  waitForRedaction: (/** @type {string} */ roomId, /** @type {string} */ eventId) =>
    until(`the redaction of ${eventId}`, () =>
      client().getRoom(roomId)?.findEventById(eventId)?.isRedacted(),
    ),

  /** Waits until the event is there and its decryption, if any, has ended; returns what became of it. */
  async waitForEvent(/** @type {string} */ roomId, /** @type {string} */ eventId) {
    await room(roomId);
    const event = await until(`event ${eventId}`, () => {
      const found = client().getRoom(roomId)?.findEventById(eventId);
      return found &&
        !found.isBeingDecrypted() &&
        (found.getType() !== 'm.room.encrypted' || found.isDecryptionFailure())
        ? found
        : undefined;
    });
    return {
      type: event.getType(),
      body: event.getContent().body ?? null,
      failure: event.isDecryptionFailure() ? (event.decryptionFailureReason ?? 'unknown') : null,
      redacted: event.isRedacted(),
    };
  },

  // --- devices and to-device messages ------------------------------------------------------------------------------------

  /** Fetches the user's devices and begins an Olm session with each that has none, by preparing to write in the room. */
  async prepareRoom(/** @type {string} */ roomId) {
    crypto().prepareToEncrypt(await room(roomId));
  },

  /** The devices of a user that this client knows, with their public keys. */
  async knownDevices(/** @type {string} */ userId) {
    const devices = (await crypto().getUserDeviceInfo([userId], false)).get(userId);
    return [...(devices?.values() ?? [])].map((device) => ({
      deviceId: device.deviceId,
      ed25519: device.getFingerprint() ?? null,
      curve25519: device.getIdentityKey() ?? null,
    }));
  },

  waitForDevice: async (/** @type {string} */ userId, /** @type {string} */ deviceId) => {
    const deadline = Date.now() + WAIT_MS;
    while (!(await live.knownDevices(userId)).some((device) => device.deviceId === deviceId)) {
      if (Date.now() > deadline) throw new Error(`device ${deviceId} of ${userId} stays unknown`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },

  /**
   * Sends an Olm-encrypted to-device message to each of the devices; returns which of them the SDK could encrypt for, with the
   * message id that it gave to each, and the one-time key that the message names if it begins a session.
   */
  async sendEncryptedToDevice(
    /** @type {string} */ type,
    /** @type {any} */ devices,
    /** @type {any} */ content,
  ) {
    const batch = await crypto().encryptToDeviceMessages(type, devices, content);
    await client().queueToDevice(batch);
    return batch.batch.map(({ userId, deviceId, payload }) => {
      const [ciphertext] = Object.values(payload.ciphertext ?? {});
      return {
        userId,
        deviceId,
        messageId: payload['org.matrix.msgid'] ?? null,
        preKey: ciphertext?.type === 0,
        oneTimeKey: ciphertext?.type === 0 ? oneTimeKeyOf(ciphertext.body) : null,
      };
    });
  },

  /** Takes one of the device's one-time keys from the homeserver, as a peer that begins a session does. */
  async claimOneTimeKey(/** @type {string} */ userId, /** @type {string} */ deviceId) {
    const answer = await client().http.authedRequest(sdk.Method.Post, '/keys/claim', undefined, {
      one_time_keys: { [userId]: { [deviceId]: 'signed_curve25519' } },
    });
    const [[id, key] = [null, null]] = Object.entries(answer.one_time_keys?.[userId]?.[deviceId] ?? {});
    return { id, key: key?.key ?? null, fallback: key?.fallback === true };
  },

  // --- calls -------------------------------------------------------------------------------------------------------------

  /** Joins the room's call as a MatrixRTC member; there is no media. */
  async joinCall(/** @type {string} */ roomId, config = {}) {
    const rtc = client().matrixRTC.getRoomSession(await room(roomId));
    const focus = { type: 'livekit', livekit_service_url: 'http://127.0.0.1:9', livekit_alias: roomId };
    rtc.joinRoomSession([focus], undefined, config);
    const me = client().getDeviceId();
    await until('the own membership in the call', () =>
      rtc.memberships.some(({ userId, deviceId }) => userId === client().getUserId() && deviceId === me),
    );
    return { delayId: rtc.delayId ?? null };
  },

  /** Devices that take part, by what this client knows. */
  callMembers: async (/** @type {string} */ roomId) =>
    client()
      .matrixRTC.getRoomSession(await room(roomId))
      .memberships.map(({ userId, deviceId }) => ({ userId, deviceId })),

  waitForCallMember: async (/** @type {string} */ roomId, /** @type {string} */ userId) => {
    const rtc = client().matrixRTC.getRoomSession(await room(roomId));
    await until(`${userId} in the call`, () => rtc.memberships.some((member) => member.userId === userId));
  },

  /** The delayed leave event's id at this moment; null if there is none. */
  delayId: async (/** @type {string} */ roomId) =>
    client().matrixRTC.getRoomSession(await room(roomId)).delayId ?? null,

  /** How many media keys went out and came in. */
  callStatistics: async (/** @type {string} */ roomId) => ({
    ...client().matrixRTC.getRoomSession(await room(roomId)).statistics.counters,
  }),

  /**
   * Opens a frame as Element Call's, with the session that it takes part in where Element Call keeps it.
   * @param {string} roomId
   */
  async openCallFrame(roomId) {
    const rtcSession = client().matrixRTC.getRoomSession(await room(roomId));
    const frame = document.createElement('iframe');
    frame.src = '/call/';
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
    document.body.append(frame);
    await loaded;
    return Object.assign(/** @type {any} */ (frame.contentWindow), { rtcSession });
  },

  /** Opens such a frame without media. */
  showCall: async (/** @type {string} */ roomId) => void (await live.openCallFrame(roomId)),

  /**
   * Opens the media of two in a call: a frame as Element Call's, which is given the session's keys as they come and change.
   *
   * @param {string} roomId
   * @param {{userId: string, deviceId: string, sid: string}[]} people `sid` is the session at the media server, `PA_…`
   */
  async openMedia(roomId, people) {
    const rtc = client().matrixRTC.getRoomSession(await room(roomId));
    // The media server lets in whoever has a token; the session may not know of that.
    const members = people.map(({ userId, deviceId, sid }) => {
      const member = rtc.memberships.find((one) => one.userId === userId);
      return { userId, identity: member?.rtcBackendIdentity ?? `${userId}:${deviceId}`, sid };
    });
    media = (await live.openCallFrame(roomId)).call;
    const isOwn = (/** @type {{userId: string}} */ { userId }) => userId === client().getUserId();
    await media.begin(
      members.find(isOwn),
      members.find((member) => !isOwn(member)),
    );
    const given = media.give;
    rtc.on(
      /** @type {any} */ ('encryption_key_changed'),
      (
        /** @type {Uint8Array} */ key,
        /** @type {number} */ index,
        /** @type {unknown} */ _membership,
        /** @type {string} */ identity,
      ) => given(key, identity, index),
    );
    rtc.reemitEncryptionKeys();
  },

  /** What `tests/support/call/side.js` offers in the call's frame. */
  media: (/** @type {string} */ name, /** @type {unknown[]} */ ...args) => media[name](...args),

  leaveCall: async (/** @type {string} */ roomId) =>
    client()
      .matrixRTC.getRoomSession(await room(roomId))
      .leaveRoomSession(5000),

  /** The line that LiveKit prints for a participant whose media key it does not have. There is no media here to make it print one. */
  printMissingKey: (/** @type {string} */ participant, /** @type {number} */ index) =>
    console.error(`MissingKey: missing key at index ${index} for participant ${participant}`),

  /** Opens the settings page of which the card is the one part; it stays open during calls. */
  async showCard() {
    const { CryptoDiagCard } = await import('crypto-diag/card');
    const card = new CryptoDiagCard();
    card.client = client();
    card.sdkVersion = LIVE_SDK_VERSION;
    document.body.append(card);
  },

  // --- what crypto-diag has seen -----------------------------------------------------------------------------------------

  entries: () => getEntries(),
  counts: () => getCounts(),
  report: () => JSON.parse(buildReport(mx, { sdkVersion: LIVE_SDK_VERSION })),
  collectReport: async () => JSON.parse(await collectReport(mx, { sdkVersion: LIVE_SDK_VERSION })),

  /** The question of collectReport about devices, but as it must not be asked: unknown ones are fetched. */
  async fetchDevices(/** @type {string} */ userId) {
    const devices = await crypto().getUserDeviceInfo([userId], true);
    return [...(devices.get(userId)?.keys() ?? [])];
  },

  console: () => /** @type {any} */ (window).liveConsole,
  sdkVersion: () => LIVE_SDK_VERSION,
};

/**
 * A `fetch` behind which the encrypted events of rooms lack a field.
 *
 * @param {string} field
 * @returns {typeof fetch}
 */
function fetchWithout(field) {
  return async (...args) => {
    const response = await fetch(...args);
    if (!response.ok || !response.url.includes('/sync?')) return response;
    const sync = await response.json();
    for (const room of /** @type {any[]} */ (Object.values(sync.rooms?.join ?? {}))) {
      for (const event of room.timeline?.events ?? []) {
        if (event.type === 'm.room.encrypted') delete event.content[field];
      }
    }
    const { status, statusText, headers } = response;
    return new Response(JSON.stringify(sync), { status, statusText, headers });
  };
}

/**
 * The one-time key that a pre-key message was made for. It stands in the header in the clear: bytes 3 to 35 of the body.
 *
 * @param {string} body unpadded base64
 */
function oneTimeKeyOf(body) {
  const bytes = atob(body.slice(0, 48));
  return btoa(bytes.slice(3, 35)).replace(/=+$/, '');
}

document.querySelector('#download')?.addEventListener('click', async () => {
  const file = await downloadReport(mx, { sdkVersion: LIVE_SDK_VERSION });
  const output = document.querySelector('#file');
  if (output) output.textContent = file;
});

Object.assign(window, { live });
