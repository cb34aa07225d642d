// Stored pages in the tab's sessionStorage: a key for each of the newest few. Once the storage has refused to write, nothing more is written.

const PREFIX = 'crypto-diag.page.';
/** Of a key: when its page was first kept, which orders them, and what tells it from others of that moment. */
const KEY = /^crypto-diag\.page\.(\d{13})\.\d{1,16}$/;
/** Pages, this one included. */
export const PAGES_MAX = 4;
/** UTF-16 code units of one page's text: all together take 256 KB. */
export const PAGE_UNITS = 32 * 1024;

const { getOwnPropertyDescriptor } = Object;
const { getItem, key: keyAt, removeItem, setItem } = globalThis.Storage?.prototype ?? {};
const lengthOf = globalThis.Storage && getOwnPropertyDescriptor(Storage.prototype, 'length')?.get;
const storageOf = getOwnPropertyDescriptor(globalThis, 'sessionStorage')?.get;
const { apply } = Reflect;

export class Store {
  #own = `${PREFIX}${Date.now()}.${Math.trunc(Math.random() * 1e15)}`;
  /** @type {Storage | null} */
  #storage = null;
  /** Whether the browser has refused it, or has no room: it is not asked again. */
  refused = false;
  #hasWritten = false;

  /** @param {string} text */
  write(text) {
    this.#using((storage) => {
      if (!this.#hasWritten) this.#makeRoom(storage, PAGES_MAX - 1);
      try {
        apply(setItem, storage, [this.#own, text]);
      } catch (error) {
        // The storage is full: remove older pages and try once more. If there is none, do not write any more.
        if (!this.#makeRoom(storage, 0)) throw error;
        apply(setItem, storage, [this.#own, text]);
      }
      this.#hasWritten = true;
    });
  }

  /** The other pages, newest first. @returns {{key: string, text: string}[]} */
  others() {
    /** @type {{key: string, text: string}[]} */
    const found = [];
    this.#using((storage) => {
      for (const key of keysOf(storage).reverse()) {
        if (key === this.#own) continue;
        const text = apply(getItem, storage, [key]);
        if (KEY.test(key) && text !== null && text.length <= PAGE_UNITS) found.push({ key, text });
        else apply(removeItem, storage, [key]);
      }
    });
    return found;
  }

  /** @param {string} key */
  remove(key) {
    this.#using((storage) => apply(removeItem, storage, [key]));
  }

  /** Removes every page, this one too. */
  erase() {
    // Also if writing was refused: pages that are already stored must be erased.
    const { refused } = this;
    this.refused = false;
    this.#using((storage) => {
      for (const key of keysOf(storage)) apply(removeItem, storage, [key]);
    });
    this.refused ||= refused;
    this.#hasWritten = false;
  }

  /**
   * Removes the oldest of the other pages until only so many are left.
   * @param {Storage} storage
   * @param {number} left
   * @returns {boolean} Whether there was one to remove.
   */
  #makeRoom(storage, left) {
    const others = keysOf(storage).filter((key) => key !== this.#own);
    const tooMany = others.slice(0, max(0, others.length - left));
    for (const key of tooMany) apply(removeItem, storage, [key]);
    return tooMany.length > 0;
  }

  /** @param {(storage: Storage) => void} work */
  #using(work) {
    if (this.refused) return;
    try {
      this.#storage ??= storageOf ? apply(storageOf, globalThis, []) : null;
      if (this.#storage) work(this.#storage);
      else this.refused = true;
    } catch {
      // A policy forbids the storage (SecurityError), or its quota is exceeded.
      this.refused = true;
    }
  }
}

const { max } = Math;

/** The keys of pages in their order, whoever wrote them. @param {Storage} storage @returns {string[]} */
function keysOf(storage) {
  const keys = [];
  const count = /** @type {number} */ (apply(/** @type {() => number} */ (lengthOf), storage, []));
  for (let at = 0; at < count; at++) {
    const key = apply(keyAt, storage, [at]);
    if (key?.startsWith(PREFIX)) keys.push(key);
  }
  return keys.sort();
}
