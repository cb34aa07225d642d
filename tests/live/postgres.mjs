// @ts-check
/** A throw-away PostgreSQL on the loopback interface. */
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { finished, start } from '../../scripts/lib/process.mjs';
import { freePort } from '../../scripts/lib/server.mjs';
import { START_MS, until } from '../../scripts/lib/wait.mjs';

const ROOT = '/usr/lib/postgresql';
const APT = 'apt-get install -y --no-install-recommends postgresql postgresql-client';

/**
 * @typedef {object} Database
 * @property {string} url `postgres://…` over TCP on 127.0.0.1
 * @property {string} host folder of the unix socket, as libpq's `host`
 * @property {number} port
 * @property {string} user
 * @property {string} name
 * @property {(sql: string, params?: unknown[]) => Promise<Record<string, any>[]>} query
 *   one statement, `$1`, `$2` … filled by psql's own quoting; rows as objects, column by column
 * @property {(script: string) => Promise<string>} psql a script as an operator would type it; what psql printed
 */

/**
 * Starts PostgreSQL in a folder, with one database that Synapse accepts (UTF8, collation C).
 *
 * @param {string} folder
 * @param {import('../../scripts/lib/process.mjs').Program[]} programs gets the server, for the caller to stop
 * @returns {Promise<Database>}
 */
export async function startPostgres(folder, programs) {
  const bin = findBinaries();
  const account = unprivileged();
  const host = path.join(folder, 'pg');
  mkdirSync(host, { mode: 0o700 });
  if (account) chownSync(host, account.uid, account.gid);
  const data = path.join(host, 'data');
  const log = path.join(folder, 'postgres.log');
  const user = 'synapse';

  const init = ['-D', data, '-U', user, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  await finished(path.join(bin, 'initdb'), init, { account, cwd: '/' });

  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: host,
    // Nothing here outlives the run, so nothing has to survive a crash.
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    shared_buffers: '64MB',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // SIGQUIT is PostgreSQL's immediate shutdown: it does not wait for clients.
  const server = start(path.join(bin, 'postgres'), ['-D', data, ...flags], {
    cwd: folder,
    stderr: log,
    signal: 'SIGQUIT',
    account,
  });
  programs.push(server);

  const psql = (/** @type {string} */ name, /** @type {string[]} */ args, /** @type {string} */ input) =>
    finished(
      path.join(bin, 'psql'),
      ['-X', '-q', '-h', host, '-p', String(port), '-U', user, '-d', name, ...args],
      {
        input,
        env: { PGCONNECT_TIMEOUT: '5', PGCLIENTENCODING: 'UTF8' },
      },
    );

  await until(
    async () => {
      if (!server.running())
        throw new Error(`PostgreSQL ended at once:\n${readFileSync(log, 'utf8').slice(-4000)}`);
      return psql('postgres', ['-c', 'SELECT 1'], '').then(
        () => true,
        () => false,
      );
    },
    START_MS,
    () => `PostgreSQL did not start:\n${readFileSync(log, 'utf8').slice(-4000)}`,
  );

  const name = 'synapse';
  await psql('postgres', ['-c', `CREATE DATABASE ${name}`], '');

  return {
    url: `postgres://${user}@127.0.0.1:${port}/${name}`,
    host,
    port,
    user,
    name,
    async query(sql, params = []) {
      // psql quotes `:'name'` itself, so a hostile value stays a value.
      const variables = params.flatMap((value, i) => (value === null ? [] : ['-v', `p${i + 1}=${value}`]));
      const named = sql
        .trim()
        .replace(/;$/, '')
        .replace(/\$(\d+)/g, (_, n) => (params[Number(n) - 1] === null ? 'NULL' : `:'p${n}'`));
      const statement = `WITH q AS (${named}\n) SELECT coalesce(json_agg(q), '[]'::json) FROM q;`;
      const out = await psql(name, ['-v', 'ON_ERROR_STOP=1', ...variables, '-A', '-t', '-f', '-'], statement);
      return JSON.parse(out);
    },
    psql: (script) => psql(name, ['-v', 'ON_ERROR_STOP=1', '-f', '-'], script),
  };
}

/** The newest installed PostgreSQL's folder of binaries; Debian keeps them out of PATH. */
function findBinaries() {
  const versions = existsSync(ROOT) ? readdirSync(ROOT).sort((a, b) => Number(b) - Number(a)) : [];
  for (const version of versions) {
    const bin = path.join(ROOT, version, 'bin');
    if (['initdb', 'postgres', 'psql'].every((name) => existsSync(path.join(bin, name)))) return bin;
  }
  throw new Error(`PostgreSQL's initdb, postgres and psql are not in ${ROOT}/*/bin. On Debian: ${APT}`);
}

/**
 * Whom servers run as that refuse to run as root: the account `postgres`; nobody else is needed where this is not root.
 * @returns {{ name: string, uid: number, gid: number } | undefined}
 */
export function unprivileged() {
  if (process.getuid?.() !== 0) return undefined;
  const row = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'postgres');
  if (!row) throw new Error(`There is no account "postgres" to run servers as. On Debian: ${APT}`);
  return { name: row[0], uid: Number(row[2]), gid: Number(row[3]) };
}
