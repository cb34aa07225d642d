// @ts-check
/**
 * Makes a recorded bundle small enough for the repository. What a triage reads stays: reports, requests and the bodies that it
 * reads, the log, query results, the label. Headers, other bodies, the whole consoles and most of the claims go.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache } from '../../scripts/lib/project.mjs';

/** Bytes of one bundle, at most. */
export const BUNDLE_BYTES_MAX = 450_000;

/** Routes whose bodies say something of keys, messages and events. */
const TELLING = /\/(keys\/(upload|claim|query)|sync\?|sendToDevice\/|rooms\/)/;

/** To exhaust a device's keys, scenarios claim them one by one; this many are kept at either end. */
const CLAIMS_KEPT = 3;

/**
 * @param {string} from a bundle's folder, as recordBundle wrote it
 * @param {string} to the folder to be written, which is emptied first
 * @returns {Promise<number>} its size in bytes
 * @throws {Error} if it is too large, or names a path of this machine
 */
export async function reduceBundle(from, to) {
  /** @type {Record<string, string>} */
  const files = {};
  for (const name of (await readdir(from)).sort())
    files[name] = await readFile(path.join(from, name), 'utf8');
  const label = JSON.parse(files['label.json']);
  const named = namedBy(label.facts);
  files['homeserver.log'] = withoutPlaces(files['homeserver.log']);
  const dropped = surplusClaims(files['homeserver.log'], named);

  /** @type {Record<string, string>} */
  const reduced = { 'homeserver.log.txt': withoutRequests(files['homeserver.log'], dropped) };
  for (const [name, text] of Object.entries(files)) {
    if (name.endsWith('.report.json')) reduced[name] = `${text.trim()}\n`;
    if (name.endsWith('.har')) reduced[name] = slimHar(text, dropped, named);
  }
  reduced['queries.json'] = lines(slimQueries(JSON.parse(files['queries.json']), label));
  reduced['label.json'] = `${JSON.stringify({ ...label, claimsLeftOut: dropped.size }, null, 2)}\n`;

  let bytes = 0;
  for (const [name, text] of Object.entries(reduced)) {
    bytes += Buffer.byteLength(text);
    refusePaths(`${label.scenario}/${name}`, text);
  }
  if (bytes > BUNDLE_BYTES_MAX)
    throw new Error(`${label.scenario} has ${bytes} bytes; at most ${BUNDLE_BYTES_MAX} are kept`);
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  for (const [name, text] of Object.entries(reduced)) await writeFile(path.join(to, name), text);
  return bytes;
}

/**
 * The claims in the middle of a long row of them, unless one is of a key that the label names.
 *
 * @param {string} log
 * @param {string} named the label's facts
 * @returns {Map<string, string>} Synapse's request id to what was claimed, as `<key id> for <user>:<device>`
 */
function surplusClaims(log, named) {
  const claims = [...log.matchAll(/ - (POST-\d+) - Claimed one-time-keys: (\S+) for (\S+)$/gm)].filter(
    ([, , keyId]) => !named.includes(`"${keyId}"`),
  );
  return new Map(
    claims
      .slice(CLAIMS_KEPT, -CLAIMS_KEPT)
      .map(([, request, keyId, device]) => [request, `${keyId} for ${device}`]),
  );
}

/** A log without the lines of some requests. */
function withoutRequests(/** @type {string} */ log, /** @type {Map<string, string>} */ requests) {
  return log
    .split('\n')
    .filter((line) => !requests.has(/ - (POST-\d+) - /.exec(line)?.[1] ?? ''))
    .join('\n');
}

/**
 * A HAR with one request on each line.
 *
 * @param {string} text
 * @param {Map<string, string>} dropped
 * @param {string} named the label's facts
 */
function slimHar(text, dropped, named) {
  const { log } = JSON.parse(text);
  const gone = new Set(dropped.values());
  const entries = log.entries
    .filter((/** @type {any} */ entry) => !gone.has(claimOf(entry) ?? ''))
    .map((/** @type {any} */ { startedDateTime, time, request, response }) => {
      const telling = TELLING.test(request.url);
      return {
        startedDateTime,
        time,
        request: {
          method: request.method,
          url: request.url,
          ...(telling && request.postData ? { postData: slimUpload(request, named) } : {}),
        },
        response: { status: response.status, ...(telling ? { content: response.content } : {}) },
      };
    });
  const head = JSON.stringify({ version: log.version, creator: log.creator, browser: log.browser });
  return `{"log":${head.slice(0, -1)},"entries":${lines(entries).trim()}}}\n`;
}

/**
 * The body of a request. Of the one-time keys in it, the first keeps its signature, which tells whose they are, and so do those
 * that the label names; those of the others are most of what a bundle weighs, and nobody reads them.
 *
 * @param {any} request
 * @param {string} named the label's facts
 */
function slimUpload({ url, postData }, named) {
  if (!url.endsWith('/keys/upload')) return postData;
  const body = JSON.parse(postData.text);
  Object.entries(body.one_time_keys ?? {}).forEach(([keyId, key], i) => {
    if (i > 0 && !isNamed(named, keyId, key)) delete key.signatures;
  });
  return { ...postData, text: JSON.stringify(body) };
}

/**
 * Query results without the peers' one-time keys, which nobody asks about, and with the signatures of named ones only.
 *
 * @param {any[]} queries
 * @param {Record<string, any>} label
 */
function slimQueries(queries, { facts, sides }) {
  const named = namedBy(facts);
  const kept = queries.filter(
    ({ name, params }) => name !== 'one_time_keys' || params[0] === sides.victim.userId,
  );
  for (const { rows } of kept.filter(({ name }) => name === 'one_time_keys')) {
    for (const row of rows) {
      const key = JSON.parse(row.key_json);
      if (isNamed(named, `${row.algorithm}:${row.key_id}`, key)) continue;
      delete key.signatures;
      row.key_json = JSON.stringify(key);
    }
  }
  return kept;
}

/** What the label's facts name, one by one; a list of all keys that differ names none of them. */
const namedBy = (/** @type {Record<string, any>} */ { diverged, ...facts }) => JSON.stringify(facts);

/** Whether the label names a one-time key by its id or by its value. */
const isNamed = (/** @type {string} */ named, /** @type {string} */ keyId, /** @type {any} */ { key }) =>
  named.includes(`"${keyId}"`) || named.includes(`"${key}"`);

/** What the answer to a claim gives out, in the log's words. */
function claimOf(/** @type {any} */ { request, response }) {
  if (!request.url.endsWith('/keys/claim') || response.status !== 200) return null;
  for (const [userId, devices] of Object.entries(JSON.parse(response.content.text).one_time_keys ?? {}))
    for (const [deviceId, keys] of Object.entries(devices))
      for (const keyId of Object.keys(keys)) return `${keyId} for ${userId}:${deviceId}`;
  return null;
}

/** A JSON array with one element on each line, so that a difference can be read. */
const lines = (/** @type {unknown[]} */ values) =>
  `[\n${values.map((value) => JSON.stringify(value)).join(',\n')}\n]\n`;

/**
 * A log in which files of this machine go by their name alone, and the server by its version: at its start a server says where its
 * files are, and on which branch of a repository it runs.
 */
function withoutPlaces(/** @type {string} */ log) {
  const places = machinePlaces().map((place) => place.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return log
    .replace(new RegExp(`(?:${places.join('|')})/(?:[^\\s/'"]+/)*`, 'g'), '')
    .replace(/( - Server \S+ version \S+) \(b=[^)]*\)$/gm, '$1');
}

/** Where this machine keeps the project, its temporary files and its user's. */
function machinePlaces() {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
  return [root, cache, tmpdir(), homedir()].filter((place) => place.length > 1 && existsSync(place));
}

/** Stops before a path of this machine gets into the repository. */
function refusePaths(/** @type {string} */ name, /** @type {string} */ text) {
  for (const place of machinePlaces()) {
    const at = text.indexOf(`${place}/`);
    if (at >= 0) throw new Error(`${name} would hold a path of this machine: ${text.slice(at, at + 120)}`);
  }
}
