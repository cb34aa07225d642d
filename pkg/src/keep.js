// crypto-diag/keep: keeps a page for the report of the next one in the same tab. People reload at once when a call dies, and a tab's
// process may be killed. It is a separate entry, so that apps that do not use it do not load it.
//
// What is stored is what a report of the page says, redacted and bounded, in the tab's sessionStorage: that outlives a reload and the
// page's process, needs no IndexedDB, is not shared with other tabs, and is erased with the tab. This module uses the page's builtins: if a page
// breaks them, only stored pages are lost.

import { ask } from './capture/client.js';
import { readPage } from './keep/shape.js';
import { PAGES_MAX, PAGE_UNITS, Store } from './keep/store.js';
import { textOf } from './keep/text.js';

/** @typedef {import('./index.js').MatrixClientLike} Client */
/** @typedef {import('./capture/state.js').KeptCapture} KeptCapture */
/** @typedef {import('./capture/state.js').Keeper} Keeper */
/** @typedef {import('crypto-diag/report').Report} Report */
/** @typedef {import('crypto-diag/report').EarlierPage} EarlierPage */
/** @typedef {Pick<EarlierPage, 'userId' | 'deviceId' | 'sdkVersion' | 'cryptoVersion'>} Who */

/** Milliseconds between two writes at least, but for the last one. */
const PAUSE = 1000;
/** How old an earlier page may be, in milliseconds. */
const AGE_MAX = 24 * 60 * 60 * 1000;

const { clearTimeout, setTimeout } = globalThis;
const { now } = Date;

/** Whose page this is. @type {Client | null} */
let client = null;
/** Clients whose end of session is listened to already, since an app may call `observeClient` repeatedly. @type {WeakSet<Client>} */
const heard = new WeakSet();
/** What keeps this page. @type {PageKeeper | null} */
let keeper = null;

/** @type {import('./keep.d.ts').observeClient} */
export function observeClient(mx) {
  client = mx ?? null;
  attempt(() => hear(client));
  keeper?.changed();
}

/** @param {any} mx */
function hear(mx) {
  if (mx === null || heard.has(mx)) return;
  heard.add(mx);
  mx.on?.('Session.logged_out', () => {
    if (mx === client) keeper?.userHasGone();
  });
}

/** For `install({ keep: keepPages })`. @param {KeptCapture} capture */
export const keepPages = (capture) => (keeper = new PageKeeper(capture));

/** @implements {Keeper} */
class PageKeeper {
  #capture;
  #store = new Store();
  #unsubscribe;
  #who = nobody();
  /** Who is logged in, as the observed client said last. It stays in memory. @type {unknown} */
  #loggedIn = null;
  /** Whether this page's user has logged out. What the page holds must not be shown to the next user. */
  #gone = false;
  /** Whether the user has left the page since it last changed. */
  #left = false;
  /** When the page was last written. */
  #writtenAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Earlier pages by their stored text, since reports are made repeatedly. @type {Map<string, EarlierPage>} */
  #known = new Map();

  /** @param {KeptCapture} capture */
  constructor(capture) {
    this.#capture = capture;
    this.#unsubscribe = capture.subscribe(() => this.changed());
    attempt(() => this.#noticeLogout());
  }

  /** Called after a change: stores the page now, or a second after it was last stored. */
  changed() {
    this.#left = false;
    if (this.#timer !== undefined) return;
    const wait = this.#writtenAt + PAUSE - now();
    // If the clock was set back, do not wait for it.
    if (wait <= 0 || wait > PAUSE) {
      this.#write();
      return;
    }
    this.#timer = setTimeout(() => this.#write(), wait);
    // In Node, the timer must not keep the process alive.
    /** @type {any} */ (this.#timer).unref?.();
  }

  /**
   * Stores the page as it is.
   * @param {boolean} left Whether the user leaves it.
   */
  store(left) {
    // A page is hidden again when it is left.
    this.#left ||= left;
    this.#write();
  }

  #write() {
    this.#unsetTimer();
    attempt(() => {
      // Also on a page with nothing of its own to keep: earlier ones are to go at a logout.
      this.#noticeLogout();
      if (this.#store.refused || this.#gone || isInside()) return;
      // Neither call starts the core if no line has matched.
      if (this.#capture.getEntries().length === 0 && this.#capture.getMarks().length === 0) return;
      const part = this.#capture.keptPart();
      this.#learn(this.#capture.cleanClient(client));
      if (this.#gone) return;
      this.#writtenAt = now();
      const more = { ...this.#who, storedAt: this.#writtenAt, left: this.#left };
      this.#store.write(textOf(part, more, PAGE_UNITS));
    });
  }

  /**
   * Adds the earlier pages to a report of this one.
   * @param {Report} report
   */
  addTo(report) {
    attempt(() => {
      this.#noticeLogout();
      // A report may be made without the client that is observed, or with that of another account.
      if (client !== null) this.#learn(this.#capture.cleanClient(client));
      if (client === null || this.#who.userId === null) this.#learn(report);
      const isAnothers = report.userId !== null && report.userId !== this.#who.userId;
      if (!isInside() && !isAnothers) report.earlierPages = this.#read();
      report.capture.keepsPage = !this.#store.refused && !this.#gone && !isInside();
    });
  }

  /** Forgets this page and all earlier ones. */
  clear() {
    this.#forget();
    this.#gone = false;
  }

  /** Forgets them, and stores nothing more of this page. */
  userHasGone() {
    this.#forget();
    this.#gone = true;
  }

  /** Forgets them, and stops. */
  stop() {
    this.userHasGone();
    this.#unsubscribe();
  }

  #forget() {
    this.#unsetTimer();
    this.#who = nobody();
    this.#loggedIn = null;
    attempt(() => this.#store.erase());
  }

  #unsetTimer() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Once the observed client has named a user, nobody or another one means that this user has logged out. */
  #noticeLogout() {
    if (client === null) return;
    const userId = ask(client, 'getUserId');
    if (this.#loggedIn !== null && userId !== this.#loggedIn) this.userHasGone();
    else this.#loggedIn = userId;
  }

  /**
   * Notes whose page this is.
   * @param {Who} client What a client says of itself, redacted.
   */
  #learn({ userId, deviceId, sdkVersion, cryptoVersion }) {
    const known = this.#who.userId;
    if (known !== null && userId !== null && userId !== known) {
      this.userHasGone();
      return;
    }
    this.#who = {
      userId: userId ?? known,
      deviceId: deviceId ?? this.#who.deviceId,
      sdkVersion: sdkVersion ?? this.#who.sdkVersion,
      cryptoVersion: cryptoVersion ?? this.#who.cryptoVersion,
    };
  }

  /** The pages of this one's user, oldest first. */
  #read() {
    const { userId } = this.#who;
    /** @type {Map<string, EarlierPage>} */
    const read = new Map();
    for (const { key, text } of this.#store.others()) {
      if (read.size === PAGES_MAX) break;
      // Whoever shares the origin may have put it there, so it is read field by field, and redacted again.
      const page = this.#known.get(text) ?? readPage(text);
      const isOld = !page || Math.abs(now() - page.storedAt) > AGE_MAX;
      // Once another user is here, nothing stays of the one before.
      if (isOld || (userId !== null && page.userId !== null && page.userId !== userId))
        this.#store.remove(key);
      else if (page.userId === userId) {
        const { facts, byCore } = this.#known.has(text)
          ? { facts: page, byCore: true }
          : this.#capture.clean(page);
        // Without the core it cannot be redacted, so it is left for a report that has a core.
        if (byCore) read.set(text, facts);
      }
    }
    this.#known = read;
    return [...read.values()].reverse();
  }
}

/** @returns {Who} */
const nobody = () => ({ userId: null, deviceId: null, sdkVersion: null, cryptoVersion: null });

/** Whether another page of this origin holds this one: they share the storage, and the outer one hears this one's lines. */
function isInside() {
  const { parent, location } = globalThis;
  try {
    return parent !== globalThis.window && parent.location.origin === location.origin;
  } catch {
    return false;
  }
}

/** What the browser or the page breaks costs this alone. @param {() => void} work */
function attempt(work) {
  try {
    work();
  } catch {
    // Stored pages are optional: the page and its own report go on.
  }
}
