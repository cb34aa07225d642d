// @ts-check
// Two commands, from the users' reports to the verdict: `crypto-diag collect` on a homeserver that runs, with its real log and
// database, and `crypto-diag triage` on the folder that it made.
import assert from 'node:assert/strict';
import {
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { commandLine as cli } from '../../scripts/lib/host-program.mjs';
import { outcome, start } from '../../scripts/lib/process.mjs';
import { WAIT_MS, until } from '../../scripts/lib/wait.mjs';
import { recordBundle } from './bundle.mjs';
import { unprivileged } from './postgres.mjs';
import { sendMediaKey } from './provoke.mjs';
import { startRig } from './rig.mjs';
import * as rollback from './scenarios/store-rollback.mjs';
import { startSsh } from './ssh.mjs';

/** Tables that are asked about: their contents must be the same afterwards. */
const TABLES = [
  'devices',
  'e2e_device_keys_json',
  'e2e_one_time_keys_json',
  'e2e_fallback_keys_json',
  'device_inbox',
  'redactions',
  'access_tokens',
];

/** @type {import('./rig.mjs').Rig} */
let rig;
/** @type {import('./bundle.mjs').Bundle} */
let bundle;
/** @type {string} */
let binary;
/** The message that waits, sent while the victim's browser was closed. @type {any} */
let waiting;
/** What nobody but its owner may see. @type {string[]} */
let secrets;
/** The bundle that the operator gathered. @type {string} */
let gathered;
/** The tables before and after that. @type {any[]} */
let fingerprints;

before(async () => {
  binary = cli();
  rig = await startRig();
  /** @type {any} */
  let done;
  const run = async (/** @type {import('./rig.mjs').Rig} */ on) => (done = await rollback.run(on));
  bundle = await recordBundle(rig, { ...rollback, run }, path.join(rig.servers.dir, 'recorded'));

  // The victim's browser is closed, and one more media key comes, for the same lost one-time key.
  const { victim, peer } = done.sides;
  const { roomId, victimDevice } = done.facts;
  await victim.tab.close();
  waiting = await sendMediaKey(peer, victim, roomId, { deviceId: victimDevice });
  secrets = [victim, peer].flatMap(({ user, proxy }) => [
    user.password,
    ...proxy.exchanges.flatMap((/** @type {import('./proxy.mjs').Exchange} */ { requestHeaders }) =>
      String(requestHeaders.authorization ?? '')
        .split(' ')
        .slice(1),
    ),
  ]);
  // Whatever changes from here on, no client has changed it.
  await rig.leave();
  await rig.servers.database.psql(`
    CREATE ROLE reader LOGIN;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
    GRANT SELECT ON device_inbox_sequence TO reader;
    ALTER ROLE reader SET log_statement = 'all';
    INSERT INTO users (name) VALUES ($$${HOSTILE}$$);
    INSERT INTO devices (user_id, device_id) VALUES ($$${HOSTILE}$$, 'HIS');
  `);
  const before = await fingerprint();
  gathered = await collect();
  fingerprints = [before, await fingerprint()];
});

after(() => rig?.stop());

/** A user id that is a piece of SQL, should anybody not bind it. */
const HOSTILE = `@x' OR '1'='1:localhost`;

test('two commands go from the reports to the rollback and, by message id, to the message that it cost', () => {
  const { code, triage } = judge(gathered);
  assert.equal(code, 1);
  const proven = verdicts(triage, 'proven');
  assert.ok(proven.includes('rollback'), proven.join());
  const lost = triage.verdicts.find((/** @type {any} */ { claim }) => claim === 'conflict-lost-key');
  assert.equal(lost?.is, 'proven');
  assert.ok(lost.subject.messageIds.includes(bundle.facts.messageId), JSON.stringify(lost.subject));
  // Nothing says that it was a media key: the application's queue carries other messages, too.
  assert.ok(!proven.includes('conflict-lost-media-key'), proven.join());
  // Other causes; and a message that waits for a browser that was closed is no failure.
  for (const claim of ['identity-replaced', 'two-contexts', 'backlog']) {
    assert.ok(!proven.includes(claim), proven.join());
  }
  // The server's side is part of the evidence.
  const rollback = triage.verdicts.find((/** @type {any} */ { claim }) => claim === 'rollback');
  const artefacts = new Set(rollback.evidence.map((/** @type {any} */ { artefact }) => artefact));
  assert.ok(artefacts.size > 1, [...artefacts].join());
  assert.deepEqual(triage.problems, []);
});

test('without the peer’s report the consequence is unknown, and its report is asked for', async () => {
  const { triage } = judge(await collect({ reports: ['victim'] }));
  const link = triage.verdicts.find((/** @type {any} */ { claim }) => claim === 'conflict-lost-media-key');
  assert.equal(link?.is, 'unknown');
  assert.ok(
    link.fetch.some((/** @type {any} */ { artefact }) => artefact === 'report'),
    JSON.stringify(link.fetch),
  );
});

test('the message that waits is told by its id and its public keys, twice, and by nothing that it says', () => {
  const inbox = readQueries(gathered).filter(
    ({ name, params }) => name === 'device_inbox' && params[0] === bundle.facts.identity.userId,
  );
  assert.equal(inbox.length, 2, 'two looks');
  assert.ok(inbox[1].at - inbox[0].at >= 5000, 'some seconds apart, by the server’s clock');
  for (const { rows } of inbox) {
    const row = rows.find((/** @type {any} */ { message_id }) => message_id === waiting.messageId);
    assert.equal(row.type, 'm.room.encrypted');
    assert.equal(row.one_time_key, bundle.facts.oldKey, 'the key that the store has lost');
    assert.equal(row.identity_key, bundle.facts.peerKey);
    assert.deepEqual([row.ciphertext_type, row.dehydrated], [0, false]);
    assert.ok(!('message_json' in row) && !JSON.stringify(row).includes('"body"'));
  }
  const positions = readQueries(gathered).filter(({ name }) => name === 'to_device_position');
  assert.ok(positions.every(({ rows }) => rows[0].newest_stream_id >= inbox[0].rows[0].stream_id));
});

test('a role that may only read is enough; every transaction is read-only and every id is bound', async () => {
  const ids = [bundle.facts.identity.userId, bundle.facts.identity.deviceId, HOSTILE];
  const logged = path.join(rig.servers.dir, 'postgres.log');
  const mark = readFileSync(logged, 'utf8').length;
  const url = rig.servers.database.url.replace('//synapse@', '//reader@');
  const folder = await collect({ database: url, more: ['--user', HOSTILE] });
  assert.deepEqual(manifest(folder).refused, []);

  const statements = readFileSync(logged, 'utf8')
    .slice(mark)
    .split('\n')
    .flatMap((line) => /LOG: {2}(?:statement|execute [^:]*): (.*)/.exec(line)?.[1] ?? []);
  const begins = statements.filter((statement) =>
    statement.startsWith('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;'),
  );
  assert.ok(begins.length === 2, `one for all facts, one for the second look at the inbox: ${begins.length}`);
  const allowed =
    /^(BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = \d+; SET LOCAL lock_timeout = \d+|SAVEPOINT \w+|ROLLBACK TO \w+; RELEASE \w+|ROLLBACK|SELECT .*)$/;
  for (const statement of statements) {
    assert.match(statement, allowed);
    for (const id of ids) assert.ok(!statement.includes(id), statement);
    assert.doesNotMatch(
      statement,
      /access_tokens|password|display_name|user_agent|device_data|\bip\b|SELECT \*|\.\*/,
    );
  }
  const devices = readQueries(folder).find(({ name, params }) => name === 'devices' && params[0] === HOSTILE);
  assert.deepEqual(
    devices.rows.map((/** @type {any} */ { device_id }) => device_id),
    ['HIS'],
  );
});

test('the server is what it was, and no secret is in the bundle', async () => {
  const [before, after] = fingerprints;
  assert.deepEqual(after, before);
  assert.ok(
    before.every((/** @type {any} */ { name, hash }) => hash || name === 'redactions'),
    JSON.stringify(before),
  );
  const tokens = await rig.servers.database.query('SELECT token FROM access_tokens');
  assert.ok(tokens.length > 0);
  for (const file of filesOf(gathered)) {
    const text = readFileSync(file, 'utf8');
    for (const secret of [...secrets, ...tokens.map(({ token }) => token)]) {
      assert.ok(!text.includes(secret), `${path.basename(file)} holds a token or a password`);
    }
  }
});

test('a table that is locked is named, and everything else is there', async () => {
  const { database } = rig.servers;
  const locking = database.psql('BEGIN; LOCK TABLE e2e_one_time_keys_json; SELECT pg_sleep(600); ROLLBACK;');
  // Ended below, so that psql fails.
  locking.catch(() => {});
  const holders = `SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE c.relname = 'e2e_one_time_keys_json' AND l.mode = 'AccessExclusiveLock' AND l.granted`;
  await until(
    async () => (await database.query(holders)).length > 0,
    WAIT_MS,
    () => 'nobody holds the lock',
  );
  try {
    const folder = await collect();
    const { refused } = manifest(folder);
    assert.ok(
      refused.some(
        (/** @type {any} */ { what, why }) =>
          what.startsWith('one_time_keys of') && why.includes('lock_timeout'),
      ),
      JSON.stringify(refused),
    );
    const names = new Set(readQueries(folder).map(({ name }) => name));
    assert.ok(!names.has('one_time_keys') && names.has('fallback_keys') && names.has('device_inbox'));
  } finally {
    await database.psql(`SELECT pg_terminate_backend(pid) FROM (${holders}) AS held;`);
    await locking.catch(() => {});
  }
});

test('Ctrl-C leaves a bundle with a complete manifest', async () => {
  // The wait between the two looks at the inbox is when nobody is surprised by it.
  const started = start(binary, await commandLine());
  await untilAsleep(started);
  started.child.kill('SIGINT');
  const { code, out } = await started.ended;
  assert.equal(code, 130);
  const folder = out.trim();
  const { files, refused } = manifest(folder);
  assert.ok(
    refused.some((/** @type {any} */ { why }) => /interrupted/.test(why)),
    JSON.stringify(refused),
  );
  for (const { name } of files) assert.ok(readdirSync(folder).includes(name), name);
  assert.ok(verdicts(judge(folder).triage, 'proven').length > 0, 'what is there is of use');
});

test('a database that is not there is an error that says what to do, without the password', async () => {
  const url = 'postgresql://synapse:hush-hush@127.0.0.1:1/synapse';
  const { code, out, err } = await start(binary, await commandLine({ database: url })).ended;
  assert.doesNotMatch(out + err, /hush-hush/);
  assert.match(err, /database cannot be asked/);
  // Everything else is worth having.
  assert.equal(code, 0);
  assert.ok(verdicts(judge(out.trim()).triage, 'proven').includes('rollback'));
});

test('over SSH the same comes as on the host, from a folder whose name is hostile to shells', async () => {
  const { dir, logPath } = rig.servers;
  const account = unprivileged();
  const logs = path.join(dir, `it's "$HOME"`);
  mkdirSync(logs);
  copyFileSync(logPath, path.join(logs, 'homeserver.log'));
  writeFileSync(path.join(logs, 'notes.txt'), 'no log');
  if (account) for (const name of [logs, ...filesOf(logs)]) chownSync(name, account.uid, account.gid);
  /** @type {import('../../scripts/lib/process.mjs').Program[]} */
  const programs = [];
  try {
    const via = await startSsh(dir, account, programs);
    const here = await collect({ log: logs, more: ['--user', HOSTILE] });
    const there = await collect({ log: logs, more: ['--via', via, '--user', HOSTILE] });
    const lines = (/** @type {string} */ folder) =>
      readFileSync(path.join(folder, 'homeserver.log'), 'utf8').split('\n');
    assert.deepEqual(lines(there), lines(here));
    const rows = (/** @type {string} */ folder) =>
      readQueries(folder).map(({ name, params, rows }) => ({ name, params, rows }));
    assert.deepEqual(rows(there), rows(here));
    const devices = readQueries(there).find(
      ({ name, params }) => name === 'devices' && params[0] === HOSTILE,
    );
    assert.equal(devices.rows[0].device_id, 'HIS');
    const { refused, coverage } = manifest(there);
    assert.deepEqual(
      refused.map((/** @type {any} */ { what }) => path.basename(what)),
      ['notes.txt'],
    );
    assert.equal(coverage.database.connection, 'psql on its host');
    assert.ok(verdicts(judge(there).triage, 'proven').includes('rollback'));

    // Synapse's own configuration says the same of where log and database are.
    const config = path.join(path.dirname(logPath), 'homeserver.yaml');
    const told = await collect({
      sources: ['--via', via, '--synapse-config', config],
      more: ['--user', HOSTILE],
    });
    assert.deepEqual(rows(told), rows(there));
    const [{ read }] = manifest(told).coverage.logs;
    // Only the last name is compared: a temporary folder's random name can look like a token, and is closed then.
    assert.ok(
      read.some((/** @type {any} */ file) => path.basename(file.path) === path.basename(logPath)),
      JSON.stringify(read),
    );
    assert.ok(verdicts(judge(told).triage, 'proven').includes('rollback'));
  } finally {
    for (const program of programs) await program.stop();
  }
});

test('an administrator’s token alone gives the devices, the public keys and the event that the database has', async () => {
  const { url, database } = rig.servers;
  const { userId, password } = await rig.servers.register('admin');
  await database.psql(`UPDATE users SET admin = 1 WHERE name = '${userId}';`);
  const login = await fetch(`${url}/_matrix/client/v3/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: userId },
      password,
    }),
  });
  const { access_token: token } = /** @type {any} */ (await login.json());
  const newest = 'SELECT event_id FROM events ORDER BY stream_ordering DESC LIMIT 1';
  const [{ event_id: event }] = await database.query(newest);
  const more = ['--event', event];
  const arguments_ = await commandLine({ sources: ['--admin-api', url], more });
  const env = { CRYPTO_DIAG_ADMIN_TOKEN: token };
  const { code, out, err } = await start(binary, arguments_, { env }).ended;
  assert.equal(code, 0, err);
  const folder = out.trim();
  const told = JSON.parse(readFileSync(path.join(folder, 'admin-api.json'), 'utf8'));
  const known = readQueries(await collect({ more }));
  const keyOf = (/** @type {any} */ key) => (typeof key === 'string' ? JSON.parse(key) : key).keys;
  /** @type {Record<string, (row: any) => any>} */
  const facts = {
    devices: ({ user_id, device_id }) => ({ user_id, device_id }),
    device_keys: ({ user_id, device_id, key_json }) => ({ user_id, device_id, keys: keyOf(key_json) }),
    event: ({ event_id, type, sender, content_fields }) => ({
      event_id,
      type,
      sender,
      fields: [...content_fields].sort(),
    }),
  };
  for (const [name, fact] of Object.entries(facts)) {
    const of = (/** @type {any[]} */ answers) =>
      answers
        .filter((one) => one.name === name)
        .flatMap(({ rows }) => rows.map((/** @type {any} */ row) => JSON.stringify(fact(row))))
        .sort();
    assert.ok(of(told).length > 0, name);
    assert.deepEqual(of(told), of(known), name);
  }
  for (const file of filesOf(folder)) assert.ok(!readFileSync(file, 'utf8').includes(token), file);
  assert.match(err, /no line of a log: what rests on these stays unknown/);
});

/** Until the run has asked everything and waits to look at the inbox again. */
function untilAsleep(/** @type {import('../../scripts/lib/process.mjs').Program} */ program) {
  const idle = `SELECT count(*) AS idle FROM pg_stat_activity
    WHERE application_name = 'crypto-diag' AND state = 'idle' AND query LIKE 'ROLLBACK%'`;
  return until(
    async () => {
      if (!program.running()) throw new Error('it ended before it could be interrupted');
      const [{ idle: count }] = await rig.servers.database.query(idle);
      return Number(count) > 0;
    },
    WAIT_MS,
    () => 'it does not come to the wait between its two looks',
  );
}

/** A content hash of each table. */
async function fingerprint() {
  const all = TABLES.map(
    (table) =>
      `SELECT '${table}' AS name, md5(string_agg(t::text, ',' ORDER BY t::text)) AS hash FROM ${table} t`,
  );
  return rig.servers.database.query(all.join(' UNION ALL '));
}

/** @param {{reports?: string[], log?: string, database?: string, sources?: string[], more?: string[]}} [options] */
async function commandLine({
  reports = ['victim', 'peer'],
  log = rig.servers.logPath,
  database = rig.servers.database.url,
  sources = ['--log', log, '--database', database],
  more = [],
} = {}) {
  const out = mkdtempSync(path.join(rig.servers.dir, 'collected-'));
  return [
    'collect',
    ...reports.flatMap((role) => ['--report', path.join(bundle.dir, `${role}.report.json`)]),
    ...reports.flatMap((role) => ['--har', path.join(bundle.dir, `${role}.har`)]),
    ...sources,
    '--out',
    out,
    ...more,
  ];
}

/**
 * Runs `crypto-diag collect`.
 *
 * @param {Parameters<typeof commandLine>[0]} [options]
 * @returns {Promise<string>} the folder that it printed
 */
async function collect(options) {
  const { code, out, err } = await start(binary, await commandLine(options)).ended;
  assert.equal(code, 0, err);
  return out.trim();
}

/** Runs `crypto-diag triage`. */
function judge(/** @type {string} */ folder) {
  const { code, stdout, stderr } = outcome(binary, ['triage', folder, '--format', 'json']);
  assert.ok(stdout.startsWith('{'), stderr);
  return { code, triage: JSON.parse(stdout) };
}

/** @returns {string[]} the claims of which the triage says `is` */
function verdicts(/** @type {any} */ triage, /** @type {string} */ is) {
  return triage.verdicts
    .filter((/** @type {any} */ verdict) => verdict.is === is)
    .map((/** @type {any} */ { claim }) => claim);
}

/** @returns {any} */
const manifest = (/** @type {string} */ folder) =>
  JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8'));

/** @returns {any[]} */
const readQueries = (/** @type {string} */ folder) =>
  JSON.parse(readFileSync(path.join(folder, 'queries.json'), 'utf8'));

/** @returns {string[]} */
function filesOf(/** @type {string} */ folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}
