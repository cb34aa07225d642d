// @ts-check
// Real clients of one device, and somebody who writes to it: matrix-sdk-crypto as matrix-js-sdk ships and drives it, on stores in memory
// that can be copied, set back and lost. Each question asks for one thing to be done. The answer has what came of it, and every line that
// was printed at warn or error meanwhile.

import { createHash } from 'node:crypto';
import { IDBFactory } from 'fake-indexeddb';
import { keeping } from './node.mjs';
import {
  DecryptionSettings,
  DeviceId,
  DeviceLists,
  initAsync,
  OlmMachine,
  ProcessedToDeviceEventType,
  RequestType,
  StoreHandle,
  TrustRequirement,
  UserId,
} from '@matrix-org/matrix-sdk-crypto-wasm';
import { FetchHttpApi } from 'matrix-js-sdk/lib/http-api/fetch.js';
import { OutgoingRequestProcessor } from 'matrix-js-sdk/lib/rust-crypto/OutgoingRequestProcessor.js';
import { OutgoingRequestsManager } from 'matrix-js-sdk/lib/rust-crypto/OutgoingRequestsManager.js';

const SERVER = 'https://matrix.example.org';
const BOB = { user: '@bob:example.org', device: 'HNWJLZTGGU' };
const ALGORITHM = 'signed_curve25519';
/** The type of an event with a media key of a call. */
const EVENT_TYPE = 'io.element.call.encryption_keys';

/** @typedef {Record<string, any>} Question */
/** @typedef {{ machine: OlmMachine, http: FetchHttpApi<any>, logger: ReturnType<typeof keeping> }} Client */

/** A database's object stores with all that they hold. @param {IDBDatabase} database */
async function contents(database) {
  const stores = [];
  for (const name of database.objectStoreNames) {
    const store = database.transaction(name).objectStore(name);
    const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
    const indexes = [...store.indexNames].map((index) => {
      const { keyPath, unique, multiEntry } = store.index(index);
      return { name: index, keyPath, unique, multiEntry };
    });
    stores.push({ name, keyPath: store.keyPath, autoIncrement: store.autoIncrement, indexes, keys, values });
  }
  return { version: database.version, stores };
}

/** @typedef {Awaited<ReturnType<typeof contents>>} Contents */

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {string} name */
async function copied(name) {
  const database = await done(indexedDB.open(name));
  const copy = await contents(database);
  database.close();
  return copy;
}

/** Puts back the contents of a copy, also while clients have the database open. @param {string} name @param {Contents} copy */
async function restored(name, { version, stores }) {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => {
    for (const { name, keyPath, autoIncrement, indexes } of stores) {
      const store = request.result.createObjectStore(name, { keyPath, autoIncrement });
      for (const { name, keyPath, ...options } of indexes) store.createIndex(name, keyPath, options);
    }
  };
  const database = await done(request);
  for (const { name, keyPath, keys, values } of stores) {
    const store = database.transaction(name, 'readwrite').objectStore(name);
    await done(store.clear());
    for (const [at, value] of values.entries())
      await done(keyPath === null ? store.put(value, keys[at]) : store.put(value));
  }
  database.close();
}

/** What a message that begins a session says in the clear. @param {string} sender @param {any} content */
function seen(sender, content) {
  const [{ body }] = Object.values(/** @type {Record<string, { body: string }>} */ (content.ciphertext));
  const bytes = Buffer.from(body, 'base64');
  // A version, then fields of protobuf: a tag, a length of one byte and 32 bytes, for three keys; the message within begins likewise.
  const key = (/** @type {number} */ tag, /** @type {number} */ from) => {
    const at = bytes.indexOf(Buffer.from([tag, 32]), from);
    if (at < 0) throw new Error(`a message without the field ${tag}`);
    return { key: bytes.subarray(at + 2, at + 34), end: at + 34 };
  };
  const oneTime = key(0x0a, 1);
  const base = key(0x12, oneTime.end);
  const identity = key(0x1a, base.end);
  const ratchet = key(0x0a, identity.end);
  const text = (/** @type {Buffer} */ found) => found.toString('base64').replaceAll('=', '');
  return {
    sender,
    senderKey: content.sender_key,
    messageId: content['org.matrix.msgid'],
    oneTimeKey: text(oneTime.key),
    baseKey: text(base.key),
    ratchetKey: text(ratchet.key),
    sessionId: text(createHash('sha256').update(identity.key).update(base.key).update(oneTime.key).digest()),
  };
}

/** Clients and stores of one device. */
export class Machines {
  /** @type {string[]} */ #lines = [];
  #user = '';
  #device = '';
  /** By tab. @type {Map<number, Client>} */
  #clients = new Map();
  /** An upload that waits for its answer, by tab. @type {Map<number, ReturnType<Machines['begun']>>} */
  #waiting = new Map();
  /** How often each profile has lost its store. After a loss it opens a store of another name. */
  #lost = [0, 0];
  /** @type {Map<string, Contents>} */
  #copies = new Map();

  /** Does one thing. @param {Question} question @returns {Promise<Record<string, unknown>>} */
  async answer(question) {
    /** @type {Record<string, (question: Question) => Promise<object>>} */
    const acts = this.#acts;
    this.#lines = [];
    const answer = await acts[question.do](question);
    return { ...answer, lines: this.#lines };
  }

  /** @param {number} profile */
  #name(profile) {
    return `profile-${profile}-${this.#lost[profile]}`;
  }

  /** @param {number} tab */
  #client(tab) {
    const client = this.#clients.get(tab);
    if (!client) throw new Error(`no client runs in tab ${tab}`);
    return client;
  }

  /** @param {string} user @param {string} device @param {string | null} store @param {(url: URL, options: any) => Promise<Response>} fetchFn */
  async #start(user, device, store, fetchFn) {
    const logger = keeping((line) => void this.#lines.push(line));
    const handle = await StoreHandle.open(store, null, logger);
    const machine = await OlmMachine.initFromStore(new UserId(user), new DeviceId(device), handle, logger);
    const options = { baseUrl: SERVER, prefix: '', onlyData: /** @type {const} */ (true), fetchFn };
    const http = new FetchHttpApi(/** @type {any} */ ({ emit: () => true }), /** @type {any} */ (options));
    return { machine, http, logger };
  }

  /** Answers a client's question about a user's devices. @param {OlmMachine} machine @param {string} user @param {string} device @param {unknown} keys */
  async #tellDevices(machine, user, device, keys) {
    await machine.updateTrackedUsers([new UserId(user)]);
    for (const request of await machine.outgoingRequests()) {
      if (request.type !== RequestType.KeysQuery || !request.id) continue;
      const answer = { device_keys: { [user]: keys ? { [device]: keys } : {} } };
      await machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer));
    }
  }

  /** Has matrix-js-sdk send what waits. The first request stops at the server until it is answered. @param {Client} client */
  begun({ machine, http, logger }) {
    /** @type {string[]} */
    const requests = [];
    const request = Promise.withResolvers();
    const response = Promise.withResolvers();
    let heard = true;
    let address = '';
    const own = { ...logger, error: (/** @type {unknown[]} */ ...args) => heard && logger.error(...args) };
    http.opts.fetchFn = (/** @type {URL} */ url, /** @type {RequestInit} */ options) => {
      requests.push(`${options?.method} ${new URL(String(url)).pathname}`);
      address = String(url);
      request.resolve(options?.body);
      return /** @type {Promise<Response>} */ (response.promise);
    };
    const processor = new OutgoingRequestProcessor(
      /** @type {any} */ (own),
      machine,
      /** @type {any} */ (http),
    );
    const manager = new OutgoingRequestsManager(/** @type {any} */ (own), machine, processor);
    const processed = manager.doProcessOutgoingRequests();
    return {
      requests,
      /** The body of the first request; null if there is none. @type {Promise<unknown>} */
      body: Promise.race([request.promise, processed.then(() => null)]),
      /** @param {number} status @param {string} body */
      async answer(status, body) {
        const headers = { 'Content-Type': 'application/json' };
        const answered = new Response(body, { status, headers });
        // As a browser's fetch gives it; matrix-js-sdk prints it.
        Object.defineProperty(answered, 'url', { value: address });
        response.resolve(answered);
        await processed;
        // After a success matrix-js-sdk looks at once whether there is more to send.
        if (answered.ok) await manager.doProcessOutgoingRequests();
      },
      /** Lets the page wait no longer. The lines that it would print of that a minute later are not in the model. */
      async abandon() {
        heard = false;
        manager.stop();
        response.reject(new DOMException('The page was left', 'AbortError'));
        await processed;
      },
    };
  }

  #acts = {
    nothing: async () => ({}),

    begin: async (/** @type {Question} */ { user, device }) => {
      for (const tab of [...this.#clients.keys()]) await this.#acts.close({ tab });
      this.#user = user;
      this.#device = device;
      this.#lost = [0, 0];
      this.#copies.clear();
      globalThis.indexedDB = new IDBFactory();
      return {};
    },

    open: async (/** @type {Question} */ { tab, profile, deviceKeys }) => {
      const nothing = () => Promise.reject(new Error('no request is under way'));
      const client = await this.#start(this.#user, this.#device, this.#name(profile), nothing);
      this.#clients.set(tab, client);
      await this.#tellDevices(client.machine, this.#user, this.#device, deviceKeys);
      return { ed25519: client.machine.identityKeys.ed25519.toBase64() };
    },

    close: async (/** @type {Question} */ { tab }) => {
      await this.#acts.abandon({ tab });
      this.#clients.get(tab)?.machine.close();
      this.#clients.delete(tab);
      return {};
    },

    sync: async (/** @type {Question} */ { tab, count, unused, events }) => {
      const { machine } = this.#client(tab);
      const processed = await machine.receiveSyncChanges(
        JSON.stringify(events),
        new DeviceLists(),
        new Map([[ALGORITHM, count]]),
        new Set(unused),
        new DecryptionSettings(TrustRequirement.Untrusted),
      );
      return { opened: processed.map(({ type }) => type === ProcessedToDeviceEventType.Decrypted) };
    },

    send: async (/** @type {Question} */ { tab }) => {
      const waiting = this.begun(this.#client(tab));
      const body = await waiting.body;
      if (body !== null) this.#waiting.set(tab, waiting);
      return { requests: waiting.requests, body: typeof body === 'string' ? JSON.parse(body) : body };
    },

    answer: async (/** @type {Question} */ { tab, status, body }) => {
      const waiting = this.#waiting.get(tab);
      if (!waiting) throw new Error(`no upload of tab ${tab} is under way`);
      this.#waiting.delete(tab);
      await waiting.answer(status, body);
      return { requests: waiting.requests.slice(1) };
    },

    abandon: async (/** @type {Question} */ { tab }) => {
      const waiting = this.#waiting.get(tab);
      this.#waiting.delete(tab);
      await waiting?.abandon();
      return {};
    },

    keep: async (/** @type {Question} */ { profile, as }) => {
      this.#copies.set(as, await copied(this.#database(profile)));
      return {};
    },

    'set back': async (/** @type {Question} */ { profile, from }) => {
      const copy = this.#copies.get(from);
      if (!copy) throw new Error(`there is no copy ${from}`);
      await restored(this.#database(profile), copy);
      return {};
    },

    evict: async (/** @type {Question} */ { profile }) => {
      this.#lost[profile] += 1;
      return {};
    },

    write: async (/** @type {Question} */ { deviceKeys, id, key }) => {
      const nothing = () => Promise.reject(new Error('the writer is asked for nothing'));
      const { machine } = await this.#start(BOB.user, BOB.device, null, nothing);
      await this.#tellDevices(machine, this.#user, this.#device, deviceKeys);
      const claim = await machine.getMissingSessions([new UserId(this.#user)]);
      if (!claim) throw new Error('the writer claims no key');
      const claimed = { one_time_keys: { [this.#user]: { [this.#device]: { [id]: key } } } };
      await machine.markRequestAsSent(claim.id, claim.type, JSON.stringify(claimed));
      const device = await machine.getDevice(new UserId(this.#user), new DeviceId(this.#device));
      if (!device) throw new Error('the writer does not know the device');
      const content = JSON.parse(await device.encryptToDeviceEvent(EVENT_TYPE, { keys: {} }));
      machine.close();
      const event = { sender: BOB.user, type: 'm.room.encrypted', content };
      return { event, seen: seen(BOB.user, content) };
    },
  };

  /** @param {number} profile */
  #database(profile) {
    return `${this.#name(profile)}::matrix-sdk-crypto`;
  }
}

/** Loads the library. */
export const ready = initAsync;
