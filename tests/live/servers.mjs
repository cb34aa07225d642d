// @ts-check
/** PostgreSQL and one Synapse on it, in one temporary folder that is gone afterwards. */
import { chmodSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { temporaryFolder } from '../../scripts/lib/process.mjs';
import { SYNAPSE_VERSION } from '../../scripts/setup-synapse.mjs';
import { startPostgres } from './postgres.mjs';
import { startSynapse } from './synapse.mjs';

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
 * @property {() => Promise<void>} stop ends both and removes the folder; safe to call twice
 */

/**
 * @param {{synapseVersion?: string}} [options]
 * @returns {Promise<Servers>}
 * @throws {Error} naming the apt command if a binary is missing, or with the server's own output if one does not start
 */
export async function startServers({ synapseVersion = SYNAPSE_VERSION } = {}) {
  const folder = temporaryFolder('live');
  // PostgreSQL may run as another account and must be able to walk through here.
  chmodSync(folder.path, 0o711);
  /** @type {import('../../scripts/lib/process.mjs').Program[]} */
  const programs = [];
  const stop = async () => {
    for (const program of [...programs].reverse()) await program.stop();
    folder.remove();
  };
  try {
    const database = await startPostgres(folder.path, programs);
    const synapse = await startSynapse(folder.path, programs, database, synapseVersion);
    /** @type {Map<string, number>} */
    const taken = new Map();
    return {
      url: synapse.url,
      synapseVersion,
      database,
      logPath: synapse.logPath,
      dir: folder.path,
      async register(localpart) {
        const count = (taken.get(localpart) ?? 0) + 1;
        taken.set(localpart, count);
        return synapse.register(count === 1 ? localpart : `${localpart}-${count}`);
      },
      logEnd: async () => (await stat(synapse.logPath)).size,
      logSince: (mark) => readFrom(synapse.logPath, mark),
      stop,
    };
  } catch (error) {
    await stop();
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
