// @ts-check
/**
 * The whole stack of a live test: servers, a browser, and the people who use it.
 *
 * A {@link Profile} is one user's browser profile: a page of its own origin, hence with its own localStorage and IndexedDB,
 * that reaches the homeserver through a proxy of its own. What happens to one profile's network happens to nobody else's.
 */
import { WAIT_MS, until } from '../../scripts/lib/wait.mjs';
import { launch } from '../support/browser.mjs';
import { bundleApp, DEFAULT_SDK } from './app-server.mjs';
import { startProxy } from './proxy.mjs';
import { startServers } from './servers.mjs';

/** The name of every profile's main crypto store, as given to initRustCrypto. */
export const STORE = 'live';

/** @typedef {{ts: number, level: string, ke: string, signature: string, message: string, meaning: string}} Entry */
/** @typedef {{userId: string, password: string}} User */
/** @typedef {{userId: string, deviceId: string, ed25519: string, curve25519: string, syncState: string}} Identity */

/** The entries, shortened, for an error message. */
function listed(/** @type {Entry[]} */ entries) {
  const seen = entries.map(({ ke, meaning, message }) => `${ke} ${meaning}: ${message.slice(0, 160)}`);
  return `There are:\n${seen.join('\n') || 'none'}`;
}

/** One tab of a profile. */
export class Tab {
  /** @param {any} page of tests/support/browser.mjs */
  constructor(page) {
    this.page = page;
  }

  /**
   * Calls `live.<name>(…args)` of app/live.js in the page.
   *
   * @param {string} name
   * @param {unknown[]} args
   * @returns {Promise<any>}
   */
  call(name, ...args) {
    return this.page.evaluate(
      async (/** @type {string} */ fn, /** @type {unknown[]} */ given) =>
        (await /** @type {any} */ (window).live[fn](...given)) ?? null,
      name,
      args,
    );
  }

  /** Loads the page anew: the client and crypto-diag's memory are gone, the stores stay. */
  async reload() {
    await this.page.reload();
  }

  /** @returns {Promise<Entry[]>} what crypto-diag holds */
  entries() {
    return this.call('entries');
  }

  /**
   * Waits for an entry for which `is` holds.
   *
   * @param {string} what for the error message
   * @param {(entry: Entry) => boolean} is
   * @returns {Promise<Entry>}
   */
  async waitForEntry(what, is) {
    /** @type {Entry[]} */
    let entries = [];
    return until(
      async () => {
        entries = await this.entries();
        return entries.find(is);
      },
      WAIT_MS,
      () => `no entry after ${WAIT_MS / 1000} s: ${what}. ${listed(entries)}`,
    );
  }

  /**
   * Waits until `is` holds for `count` entries.
   *
   * @param {number} count
   * @param {(entry: Entry) => boolean} is
   */
  async waitForEntries(count, is) {
    /** @type {Entry[]} */
    let entries = [];
    return until(
      async () => {
        entries = await this.entries();
        const found = entries.filter(is);
        return found.length >= count && found;
      },
      WAIT_MS,
      () => `fewer than ${count} entries after ${WAIT_MS / 1000} s: ${is}. ${listed(entries)}`,
    );
  }

  /**
   * Waits for a line of any level that holds every one of `parts`, in the whole console.
   *
   * @param {string[]} parts
   */
  async waitForLine(...parts) {
    return until(
      async () => {
        const lines = (await this.console()).map(({ args }) => args.join(' '));
        return lines.find((line) => parts.every((part) => line.includes(part)));
      },
      WAIT_MS,
      () => `no line after ${WAIT_MS / 1000} s: ${parts.join(' and ')}`,
    );
  }

  /** @returns {Promise<{ts: number, level: string, types: string[], args: string[]}[]>} the whole console, every level */
  console() {
    return this.call('console');
  }

  /**
   * Clicks "Download report" and reads the file that the browser saved.
   *
   * @returns {Promise<{name: string, text: string, report: any}>}
   */
  async downloadReport() {
    const { name, text } = await this.page.download(() => this.page.click('#download'));
    return { name, text, report: JSON.parse(text) };
  }

  close() {
    return this.page.close();
  }
}

/** One user's browser profile. */
export class Profile {
  /**
   * @param {User} user
   * @param {import('./proxy.mjs').Proxy} proxy
   * @param {{url: string}} origin
   * @param {() => Promise<any>} newPage
   */
  constructor(user, proxy, origin, newPage) {
    this.user = user;
    this.userId = user.userId;
    this.proxy = proxy;
    this.origin = origin;
    /** @type {Tab[]} */
    this.tabs = [];
    this.newPage = newPage;
  }

  /** A further tab on the same origin: same session, same stores. */
  async openTab() {
    const tab = new Tab(await this.newPage());
    await tab.page.goto(`${this.origin.url}/`);
    this.tabs.push(tab);
    return tab;
  }

  /** The first tab. */
  get tab() {
    return this.tabs[0];
  }

  /**
   * The same profile with another tab as its first.
   *
   * @param {Tab} tab
   * @returns {Profile}
   */
  seenFrom(tab) {
    return Object.create(this, { tab: { value: tab } });
  }

  /** Calls a function in the first tab. See {@link Tab#call}. */
  call(/** @type {string} */ name, /** @type {unknown[]} */ ...args) {
    return this.tab.call(name, ...args);
  }

  /**
   * Logs in as a new device, starts its client, and waits until its keys are published.
   *
   * @returns {Promise<Identity>}
   */
  async signIn() {
    await this.call('login', { baseUrl: this.proxy.url, ...this.user });
    const identity = await this.start();
    await this.proxy.waitFor(
      'the first upload of keys',
      ({ path, status }) => path.endsWith('/keys/upload') && status === 200,
    );
    return identity;
  }

  /**
   * Starts the client on a crypto store.
   *
   * @param {string} [store]
   * @param {{losesField?: string}} [fault] of the app
   * @returns {Promise<Identity>}
   */
  start(store = STORE, fault = {}) {
    return this.call('start', { store, ...fault });
  }

  stop() {
    return this.call('stop');
  }

  async close() {
    this.proxy.clearRules();
    for (const tab of this.tabs) await tab.close();
    await this.proxy.close();
  }
}

/**
 * @typedef {object} Rig
 * @property {import('./servers.mjs').Servers} servers
 * @property {import('./app-server.mjs').App} app
 * @property {string} engine
 * @property {(localpart: string) => Promise<Profile>} newUser registers a user and opens a profile; nobody is signed in yet.
 *   A name that is taken gets a number.
 * @property {(user: User) => Promise<Profile>} newProfile another browser profile of a user who exists
 * @property {() => Promise<void>} leave closes every profile, when a scenario is over
 * @property {() => Promise<void>} stop ends everything and leaves nothing behind; safe to call twice
 */

/**
 * @param {{engine?: 'chromium' | 'firefox' | 'webkit', sdk?: string, synapseVersion?: string,
 *   servers?: import('./servers.mjs').Servers, args?: string[]}} [options]
 *   `servers` to use ones that run already; they are not stopped with the rig. `args` are the browser's
 * @returns {Promise<Rig>}
 */
export async function startRig({
  engine = 'chromium',
  sdk = DEFAULT_SDK,
  synapseVersion,
  servers: given,
  args,
} = {}) {
  /** @type {(() => Promise<unknown>)[]} */
  const undo = [];
  const stop = async () => {
    for (let end = undo.pop(); end; end = undo.pop()) await end();
  };
  try {
    const app = await bundleApp({ sdk });
    const servers = given ?? (await startServers({ synapseVersion }));
    if (!given) undo.push(() => servers.stop());
    const browser = await launch(engine, { args });
    undo.push(() => browser.close());

    /** @type {Set<Profile>} */
    const profiles = new Set();
    const leave = async () => {
      for (const profile of profiles) await profile.close();
      profiles.clear();
    };
    undo.push(leave);

    /** @param {User} user */
    const newProfile = async (user) => {
      const proxy = await startProxy(servers.url);
      const origin = await app.serve();
      // It stays open to the end: another profile on the same port would find this one's stores.
      undo.push(() => origin.close());
      const profile = new Profile(user, proxy, origin, () => browser.newPage());
      profiles.add(profile);
      await profile.openTab();
      return profile;
    };

    return {
      servers,
      app,
      engine,
      newUser: async (localpart) => newProfile(await servers.register(localpart)),
      newProfile,
      leave,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * New users, each signed in on a new device. They come up side by side, which takes less time than one after the other.
 *
 * @param {Rig} rig
 * @param {...string} localparts
 * @returns {Promise<[Profile, Identity][]>} in the order of their names
 */
export const signIn = (rig, ...localparts) =>
  Promise.all(
    localparts.map(async (localpart) => {
      const profile = await rig.newUser(localpart);
      return /** @type {[Profile, Identity]} */ ([profile, await profile.signIn()]);
    }),
  );

/**
 * Two of them: whose failure a scenario is about, and whom they talk to.
 *
 * @param {Rig} rig
 * @returns {Promise<[victim: Profile, peer: Profile]>}
 */
export async function signInTwo(rig) {
  const [[victim], [peer]] = await signIn(rig, 'alice', 'bob');
  return [victim, peer];
}

/**
 * Waits until a client knows a device of somebody. Before that, matrix-js-sdk encrypts nothing for this device, says so in one warning,
 * and does not try again: a media key would be lost.
 *
 * @param {Profile} profile whose client it is
 * @param {Profile} other whose device it is
 */
export const waitForDevices = (profile, other) =>
  until(
    async () => (await profile.call('knownDevices', other.userId)).length > 0,
    WAIT_MS,
    () => `${profile.userId} knows no device of ${other.userId}`,
  );

/**
 * Two people in one encrypted room who know each other's devices.
 *
 * @param {Profile} host
 * @param {Profile} guest
 * @returns {Promise<string>} the room's id
 */
export async function meet(host, guest) {
  const roomId = await shareRoom(host, guest);
  for (const profile of [host, guest]) await profile.call('prepareRoom', roomId);
  await waitForDevices(host, guest);
  await waitForDevices(guest, host);
  return roomId;
}

/**
 * Two people in one encrypted room in which neither has prepared to write yet. Whoever prepares second may have got a session from the
 * first by then, and then claims no one-time key.
 *
 * @param {Profile} host
 * @param {Profile} guest
 * @returns {Promise<string>} the room's id
 */
export async function shareRoom(host, guest) {
  const roomId = await host.call('createRoom', { invite: [guest.userId] });
  await guest.call('join', roomId);
  await host.call('waitForMember', roomId, guest.userId);
  return roomId;
}

/** How late a capture may begin for the triage to call its page watched from the beginning. Milliseconds; the rule's own is 2,000. */
const SOON_MS = 1_900;

const TRIES = 20;

/**
 * Opens a signed-in page anew until its capture begins so soon that the page did nothing before: a busy machine may be late with that.
 *
 * @param {Profile} profile
 */
export async function watchFromTheBeginning(profile) {
  for (let tries = 0; ; tries += 1) {
    const { timeOrigin, installedAt } = (await profile.call('report')).capture;
    if (installedAt - timeOrigin <= SOON_MS) return;
    if (tries === TRIES) throw new Error(`the page needs more than ${SOON_MS} ms to begin, ${TRIES} times`);
    await profile.stop();
    await profile.tab.reload();
    await profile.start();
  }
}

/**
 * A page measures its clock by a message of its own, which its homeserver stamps.
 *
 * @param {Profile} profile
 * @param {string} roomId
 */
export async function measureClock(profile, roomId) {
  await profile.call('sendRawEvent', roomId, 'org.example.clock', {});
  await until(
    async () => (await profile.call('report')).clock.serverMinusPage,
    WAIT_MS,
    () => `${profile.userId} does not measure its clock`,
  );
}
