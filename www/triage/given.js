// @ts-check
// The files that a user drops or chooses, folders walked, each under the name that answers call it by.

/**
 * @typedef {{ path: string, file: File }} Found a file and its path in what was given
 */

/** Files that are taken at most. A bundle has a dozen; somebody who drops their home folder by mistake gets an error. */
export const FILES_MAX = 1000;

/** Files that operating systems create in folders. */
const LITTER = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/** Thrown if there are more files than anybody gives on purpose. */
export class TooMany extends Error {}

/** @param {Found[]} found @param {Found} next */
function keep(found, next) {
  if (LITTER.has(next.path.split('/').at(-1) ?? '')) return;
  if (found.length >= FILES_MAX) throw new TooMany();
  found.push(next);
}

/**
 * @param {FileSystemEntry} entry
 * @param {Found[]} found
 */
async function walk(entry, found) {
  if (entry.isFile) {
    /** @type {File} */
    const file = await new Promise((done, fail) =>
      /** @type {FileSystemFileEntry} */ (entry).file(done, fail),
    );
    keep(found, { path: entry.fullPath.replace(/^\//, ''), file });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) {
    // The browser gives a folder's entries in parts; an empty part is the end.
    /** @type {FileSystemEntry[]} */
    const part = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (part.length === 0) return;
    for (const child of part) await walk(child, found);
  }
}

/**
 * The dropped files. Call it inside the event: afterwards the browser gives nothing more.
 * @param {DataTransfer} transfer
 * @returns {Promise<Found[]>}
 * @throws {TooMany}
 */
export async function dropped(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const given = items.map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile?.() }));
  /** @type {Found[]} */
  const found = [];
  for (const { entry, file } of given) {
    if (entry) await walk(entry, found);
    else if (file) keep(found, { path: file.name, file });
  }
  return found;
}

/**
 * What was chosen with a button.
 * @param {FileList} list
 * @returns {Found[]}
 * @throws {TooMany}
 */
export function chosen(list) {
  /** @type {Found[]} */
  const found = [];
  for (const file of list) keep(found, { path: file.webkitRelativePath || file.name, file });
  return found;
}

/**
 * Adds files under names: paths without the folder that all of them share, so that a bundle is called the same whether its
 * folder or its files are given. The same file again takes the place of the first; another one of that name gets a number.
 * @param {Map<string, File>} files
 * @param {Found[]} found
 */
export function add(files, found) {
  const tops = new Set(
    found.map(({ path }) => (path.includes('/') ? path.slice(0, path.indexOf('/') + 1) : '')),
  );
  const [top] = tops.size === 1 ? tops : [''];
  for (const { path, file } of found) {
    const name = path.slice(top.length);
    let free = name;
    for (let number = 2; isAnother(files.get(free), file); number++) free = `${number}/${name}`;
    files.set(free, file);
  }
}

/** @param {File | undefined} there @param {File} file */
const isAnother = (there, file) =>
  there !== undefined && (there.size !== file.size || there.lastModified !== file.lastModified);
