// @ts-check
/** PostgreSQL and one Synapse on it, in one temporary folder that is gone afterwards. */
import { open, stat } from 'node:fs/promises';
import { startPostgres } from './postgres.mjs';
import { Scratch } from './scratch.mjs';
import { startSynapse } from './synapse.mjs';

/** The Synapse that the runbook's deployment runs. */
export const SYNAPSE_VERSION = '1.155.0';

/**
 * @typedef {object} Servers
 * @property {string} url of Synapse
 * @property {string} synapseVersion
 * @property {import('./postgres.mjs').Database} database
 * @property {string} logPath of Synapse
 * @property {string} dir the temporary folder, which callers may use as well
 * @property {(localpart: string) => Promise<{userId: string, password: string}>} register a name that is taken gets a number
 * @property {() => Promise<number>} logEnd how long the log is now, in bytes; a mark for `logSince`
 * @property {(mark: number) => Promise<string>} logSince what the log gained after `mark`
 * @property {() => number[]} processIds of the servers that run
 * @property {() => Promise<void>} stop ends both and removes the folder; safe to call twice
 */

/**
 * @param {{synapseVersion?: string}} [options]
 * @returns {Promise<Servers>}
 * @throws {Error} naming the apt command if a binary is missing, or with the server's own output if one does not start
 */
export async function startServers({ synapseVersion = SYNAPSE_VERSION } = {}) {
  const scratch = new Scratch('live');
  try {
    const database = await startPostgres(scratch);
    const synapse = await startSynapse(scratch, database, synapseVersion);
    /** @type {Map<string, number>} */
    const taken = new Map();
    return {
      url: synapse.url,
      synapseVersion,
      database,
      logPath: synapse.logPath,
      dir: scratch.dir,
      async register(localpart) {
        const count = (taken.get(localpart) ?? 0) + 1;
        taken.set(localpart, count);
        return synapse.register(count === 1 ? localpart : `${localpart}-${count}`);
      },
      logEnd: async () => (await stat(synapse.logPath)).size,
      logSince: (mark) => readFrom(synapse.logPath, mark),
      processIds: () => scratch.processIds(),
      stop: () => scratch.dispose(),
    };
  } catch (error) {
    await scratch.dispose();
    throw error;
  }
}

/**
 * @param {string} file
 * @param {number} offset bytes
 */
async function readFrom(file, offset) {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.max(0, size - offset));
    await handle.read(buffer, 0, buffer.length, offset);
    return buffer.toString('utf8');
  } finally {
    await handle.close();
  }
}
