// @ts-check
/** One Synapse on a given database, as the runbook's deployment has it, with the rate limits out of the tests' way. */
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { start } from '../../scripts/lib/process.mjs';
import { freePort } from '../../scripts/lib/server.mjs';
import { until } from '../../scripts/lib/wait.mjs';
import { ensureSynapse } from '../../scripts/setup-synapse.mjs';

/** Also the part of every user id after the colon. */
export const SERVER_NAME = 'localhost';

const START_MS = 90_000;

/**
 * @typedef {object} Synapse
 * @property {string} url
 * @property {string} version
 * @property {string} logPath the server's log at INFO, in Synapse's default format
 * @property {(localpart: string) => Promise<{userId: string, password: string}>} register
 */

/**
 * @param {string} folder
 * @param {import('../../scripts/lib/process.mjs').Program[]} programs gets the server, for the caller to stop
 * @param {import('./postgres.mjs').Database} database
 * @param {string} version
 * @returns {Promise<Synapse>}
 */
export async function startSynapse(folder, programs, database, version) {
  const python = await ensureSynapse({ version });
  const dir = path.join(folder, 'synapse');
  await mkdir(dir);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logPath = path.join(dir, 'homeserver.log');
  const secret = randomBytes(24).toString('hex');

  const signingKey = path.join(dir, 'signing.key');
  await writeFile(signingKey, `ed25519 a_live ${randomBytes(32).toString('base64').replace(/=+$/, '')}\n`);
  const logConfig = path.join(dir, 'log.yaml');
  await writeFile(logConfig, JSON.stringify(loggingConfig(logPath)));
  const config = path.join(dir, 'homeserver.yaml');
  // JSON is YAML, and needs no library to be written right.
  await writeFile(
    config,
    JSON.stringify(homeserverConfig({ dir, port, url, secret, signingKey, logConfig, database })),
  );

  const server = start(python, ['-m', 'synapse.app.homeserver', '--config-path', config], {
    cwd: dir,
    signal: 'SIGTERM',
  });
  programs.push(server);
  const complaint = () => {
    const log = existsSync(logPath) ? readFileSync(logPath, 'utf8') : '';
    return `Synapse ${version} did not start:\n${server.printed()}\n${log.slice(-3000)}`;
  };
  await until(
    async () => {
      if (!server.running()) throw new Error(complaint());
      return fetch(`${url}/health`).then(
        (response) => response.ok,
        () => false,
      );
    },
    START_MS,
    complaint,
  );

  return {
    url,
    version,
    logPath,
    async register(localpart) {
      const password = randomBytes(12).toString('hex');
      const endpoint = `${url}/_synapse/admin/v1/register`;
      const { nonce } = /** @type {any} */ (await (await fetch(endpoint)).json());
      const mac = createHmac('sha1', secret)
        .update([nonce, localpart, password, 'notadmin'].join('\0'))
        .digest('hex');
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          nonce,
          username: localpart,
          password,
          admin: false,
          mac,
          inhibit_login: true,
        }),
      });
      if (!response.ok) throw new Error(`register ${localpart}: ${response.status} ${await response.text()}`);
      return { userId: `@${localpart}:${SERVER_NAME}`, password };
    },
  };
}

/** @param {{dir: string, port: number, url: string, secret: string, signingKey: string, logConfig: string, database: import('./postgres.mjs').Database}} given */
function homeserverConfig({ dir, port, url, secret, signingKey, logConfig, database }) {
  const plenty = { per_second: 1000, burst_count: 1000 };
  return {
    server_name: SERVER_NAME,
    public_baseurl: url,
    report_stats: false,
    pid_file: path.join(dir, 'homeserver.pid'),
    media_store_path: path.join(dir, 'media'),
    signing_key_path: signingKey,
    log_config: logConfig,
    registration_shared_secret: secret,
    macaroon_secret_key: randomBytes(24).toString('hex'),
    form_secret: randomBytes(24).toString('hex'),
    // No federation: nothing here may reach out of this machine.
    trusted_key_servers: [],
    federation_domain_whitelist: [],
    listeners: [
      {
        type: 'http',
        port,
        bind_addresses: ['127.0.0.1'],
        tls: false,
        x_forwarded: true,
        resources: [{ names: ['client'], compress: false }],
      },
    ],
    database: {
      name: 'psycopg2',
      args: {
        host: database.host,
        port: database.port,
        user: database.user,
        dbname: database.name,
        cp_min: 2,
        cp_max: 5,
      },
    },
    max_event_delay_duration: '24h',
    experimental_features: { msc4140_enabled: true },
    presence: { enabled: false },
    // A client that starts again within two minutes would get its first answer once more, with key counts of long ago.
    caches: { sync_response_cache_duration: '0s' },
    rc_message: plenty,
    rc_registration: plenty,
    rc_login: { address: plenty, account: plenty, failed_attempts: plenty },
    rc_joins: { local: plenty, remote: plenty },
    rc_invites: { per_room: plenty, per_user: plenty, per_issuer: plenty },
    rc_key_requests: plenty,
    rc_delayed_event_mgmt: plenty,
    rc_presence: { per_user: plenty },
    rc_admin_redaction: plenty,
  };
}

/** Synapse's own default format, to one file that is written line by line. */
function loggingConfig(/** @type {string} */ file) {
  return {
    version: 1,
    disable_existing_loggers: false,
    formatters: {
      precise: {
        format: '%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s',
      },
    },
    handlers: {
      file: { class: 'logging.FileHandler', formatter: 'precise', filename: file, encoding: 'utf8' },
    },
    // At DEBUG synapse.storage.SQL prints tokens; nothing here may lower it.
    loggers: { 'synapse.storage.SQL': { level: 'INFO' } },
    root: { level: 'INFO', handlers: ['file'] },
  };
}
