// @ts-check
// Copies of a crypto store inside the browser, to bring an old one back as a restored profile does.

/** The databases that matrix-sdk-crypto keeps below one prefix. */
const PARTS = ['::matrix-sdk-crypto', '::matrix-sdk-crypto-meta'];

/**
 * Copies the crypto store `from` over the crypto store `to`, which is created if need be. No client may have `to` open.
 *
 * @param {string} from prefix, as given to initRustCrypto
 * @param {string} to
 */
export async function copyStore(from, to) {
  const names = (await indexedDB.databases()).map(({ name }) => name);
  const parts = PARTS.filter((part) => names.includes(from + part));
  if (parts.length === 0) throw new Error(`there is no crypto store ${from}`);
  for (const part of parts) await copyDatabase(from + part, to + part);
}

/** @param {string} prefix */
export async function deleteStore(prefix) {
  for (const part of PARTS) await done(indexedDB.deleteDatabase(prefix + part));
}

/**
 * A fingerprint of everything that this origin keeps: databases with their versions, each object store's keys and values, and
 * localStorage.
 *
 * @returns {Promise<Record<string, string>>} `database@version/store` to the SHA-256 of what is in it
 */
export async function fingerprint() {
  /** @type {Record<string, string>} */
  const prints = { localStorage: await digest({ ...localStorage }) };
  for (const { name, version } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(String(name)));
    for (const store of database.objectStoreNames) {
      const reading = database.transaction(store).objectStore(store);
      const content = await Promise.all([done(reading.getAllKeys()), done(reading.getAll())]);
      prints[`${name}@${version}/${store}`] = await digest(content);
    }
    database.close();
  }
  return prints;
}

async function digest(/** @type {unknown} */ value) {
  const text = JSON.stringify(value, (_, part) => {
    if (part instanceof ArrayBuffer) return [...new Uint8Array(part)];
    if (part instanceof CryptoKey) return 'a key that cannot be read';
    return part;
  });
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function copyDatabase(/** @type {string} */ from, /** @type {string} */ to) {
  const source = await done(indexedDB.open(from));
  const stores = [...source.objectStoreNames];
  await done(indexedDB.deleteDatabase(to));

  const opening = indexedDB.open(to, source.version);
  opening.onupgradeneeded = () => {
    const read = stores.length ? source.transaction(stores) : undefined;
    for (const name of stores) {
      const store = /** @type {IDBTransaction} */ (read).objectStore(name);
      const made = opening.result.createObjectStore(name, {
        keyPath: store.keyPath,
        autoIncrement: store.autoIncrement,
      });
      for (const index of [...store.indexNames].map((indexName) => store.index(indexName))) {
        made.createIndex(index.name, index.keyPath, { unique: index.unique, multiEntry: index.multiEntry });
      }
    }
  };
  const target = await done(opening);

  for (const name of stores) {
    const reading = source.transaction(name).objectStore(name);
    const [keys, values] = await Promise.all([done(reading.getAllKeys()), done(reading.getAll())]);
    const writing = target.transaction(name, 'readwrite');
    const store = writing.objectStore(name);
    values.forEach((value, i) => store.put(value, store.keyPath === null ? keys[i] : undefined));
    await new Promise((resolve, reject) => {
      writing.oncomplete = resolve;
      writing.onabort = () => reject(writing.error);
    });
  }
  source.close();
  target.close();
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    if ('onblocked' in request) {
      request.onblocked = () => reject(new Error('the database is still open elsewhere'));
    }
  });
}
