// @ts-check
// Whatever stands in a report's ids, its server queries do what they say and nothing else: real psql on Synapse's own schema, real
// bash with grep on a log. Anybody may choose a user id, a device id, an event id or a transaction id.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { analyse, serverQueries } from '../../pkg/dist/analysis.js';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { outcome } from '../../scripts/lib/process.mjs';
import { bash, isEmpty, LOG } from './asking.mjs';
import { startServers } from './servers.mjs';

/** How many ids are made up, besides those that are listed. */
const MADE_UP = 250;

/** Far more than the 255 bytes that a Matrix id may have, less than a command line may. */
const LONG = 5_000;

/** @type {import('./servers.mjs').Servers} */
let servers;
/** A file that no query may create. @type {string} */
let canary;

before(async () => {
  servers = await startServers();
  canary = path.join(servers.dir, 'canary');
  await servers.database.psql("CREATE TABLE canary (alive text); INSERT INTO canary VALUES ('yes');");
});

after(() => servers?.stop());

/** What breaks out of quotes that are not made well; CANARY stands for the file. */
const PIECES = [
  ...[
    '',
    'a',
    "'",
    "''",
    '"',
    '\\',
    "\\'",
    '\\\\',
    '`',
    '$',
    '$$',
    '(',
    ')',
    ';',
    '|',
    '&',
    '<',
    '>',
    '#',
    '!',
    '!!',
    '^',
  ],
  ...[
    '~',
    '*',
    '?',
    '[a]',
    '{a,b}',
    '=',
    '%',
    '%s',
    '-',
    '--',
    '-e',
    '/*',
    '*/',
    ':',
    ":'x'",
    ':x',
    "E'",
    '$1',
    '@',
    ' ',
  ],
  ...[
    "'; DROP TABLE canary; --",
    "\\'; DROP TABLE canary; --",
    '"; DROP TABLE canary; --',
    '$$; DROP TABLE canary; --',
  ],
  ...[
    "' \\g CANARY \\\\ '",
    '\n\\! touch CANARY\n',
    "'\n\\gexec\n",
    "'; SELECT 'DROP TABLE canary' \\gexec",
    '\\o CANARY',
  ],
  ...[
    '$(touch CANARY)',
    '`touch CANARY`',
    "'; touch CANARY; '",
    "'$(touch CANARY)'",
    '\ntouch CANARY\n',
    '| tee CANARY',
  ],
  ...[
    '> CANARY',
    '\t',
    '\n',
    '\r',
    '\u0001',
    '\u0003',
    '\u0004',
    '\u001b[201~',
    '\u007f',
    '\u009b',
    '\u202e',
    '\u2028',
  ],
  ...['é', 'ß', '😀', '\u0301', '漢', '\ufeff', '\ufffd', '\u00a0'],
];

/** The same numbers in every run. @param {number} seed */
function numbers(seed) {
  return (/** @type {number} */ below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

/** @returns {string[]} */
function hostileIds() {
  const next = numbers(20261123);
  const madeUp = Array.from({ length: MADE_UP }, () =>
    Array.from({ length: 1 + next(5) }, () => PIECES[next(PIECES.length)]).join(''),
  );
  const long = ['x', "'", '\\', '$(touch CANARY)'].map((piece) =>
    piece.replace('CANARY', canary).repeat(LONG).slice(0, LONG),
  );
  return [...PIECES, ...madeUp, ...long].map((id) => id.replaceAll('CANARY', canary));
}

/** A report whose ids are hostile, with an entry of each family. */
function reportOf(/** @type {string} */ id, /** @type {number} */ n) {
  const entry = (/** @type {string} */ ke, /** @type {string} */ message) => ({
    ts: 1,
    level: 'warn',
    ke,
    meaning: 'failure',
    signature: '',
    message,
  });
  return JSON.stringify({
    schema: 'crypto-diag/report',
    schemaVersion: 1,
    userId: `@${n}${id}:x`,
    // Leading dashes and all: this one is hostile from its first character.
    deviceId: id,
    sent: [{ ts: 1, type: 'm.room.encrypted', txnid: `${id}${n}`, targets: [], omitted: 0 }],
    entries: [
      entry('KE-1', 'One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {'),
      entry('KE-2', `missing key at index 3 for participant @${n}${id}:x:${id}`),
      entry(
        'KE-3',
        `Error decrypting event (id=$${n}${id} type=m.room.encrypted sender=@a:x room=!r:x ts=2026-11-23T08:42:19.074Z): ` +
          'DecryptionError[msg: missing field `algorithm` at line 1 column 233, sender_key: Y, session_id: Z]',
      ),
      entry(
        'KE-4',
        `[MatrixRTCSession !${n}${id} m.call#ROOM][MembershipManager] Missing own membership: force re-join`,
      ),
      entry(
        'OLM',
        `WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session: InboundCreation(MissingOneTimeKey("curve25519:${KEY}"))`,
      ),
    ],
  });
}

const KEY = 'drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho';

/** A text for PostgreSQL in which nothing has a meaning: this test's own way, not the program's. */
const text = (/** @type {string} */ value) =>
  `convert_from(decode('${Buffer.from(value).toString('hex')}', 'hex'), 'UTF8')`;

/** Rows for the ids of one report, each with a mark that no other case has. */
function rowsFor(/** @type {Case} */ { mark, userId, deviceId, eventId, roomId, localpart }) {
  const [user, device] = [text(userId), text(deviceId)];
  const key = text(JSON.stringify({ key: KEY, mark }));
  const rows = [
    `INSERT INTO e2e_one_time_keys_json (user_id, device_id, algorithm, key_id, ts_added_ms, key_json)
       VALUES (${user}, ${device}, 'signed_curve25519', 'AAAAAAAAADQ', 1, ${key}), (${user}, ${device}, ${text(mark)}, 'B', 1, ${key});`,
    `INSERT INTO e2e_fallback_keys_json (user_id, device_id, algorithm, key_id, key_json, used)
       VALUES (${user}, ${device}, ${text(mark)}, 'C', ${key}, false);`,
    `INSERT INTO devices (user_id, device_id, display_name, hidden) VALUES (${user}, ${device}, ${text(mark)}, false);`,
    `INSERT INTO device_inbox (user_id, device_id, stream_id, message_json)
       VALUES (${user}, ${device}, 1, ${text(JSON.stringify({ type: mark, sender: mark }))});`,
    `INSERT INTO e2e_device_keys_json (user_id, device_id, ts_added_ms, key_json)
       VALUES (${user}, ${device}, 1, ${text(JSON.stringify({ keys: { [`ed25519:${deviceId}`]: mark } }))});`,
  ];
  if (eventId !== null)
    rows.push(
      `INSERT INTO events (topological_ordering, stream_ordering, event_id, type, room_id, processed, outlier, depth, sender,
           origin_server_ts)
         SELECT 1, coalesce(max(stream_ordering), 0) + 1, ${text(eventId)}, ${text(mark)}, '!r:x', true, false, 1, '@a:x', 1 FROM events;`,
      `INSERT INTO event_json (event_id, room_id, internal_metadata, json, format_version)
         VALUES (${text(eventId)}, '!r:x', '{}', '{"content":{}}', 3);`,
    );
  if (roomId !== null)
    rows.push(
      `INSERT INTO delayed_events (delay_id, user_localpart, device_id, delay, send_ts, room_id, event_type, state_key, content,
           is_processed)
         VALUES (${text(mark)}, ${text(localpart)}, ${device}, 1, 1, ${text(roomId)}, ${text(mark)}, 's', '{}', false);`,
    );
  return rows.join('\n');
}

/** Queries of the database that must find their case's row, wherever they are asked. */
const FINDS_ROW = [
  ...['ke1-one-time-keys', 'ke1-inventory', 'ke1-fallback-keys', 'device-keys', 'devices', 'ke2-inbox'],
  ...['ke2-backlog', 'ke3-events', 'ke4-delayed-events', 'olm-lost-key', 'olm-peer-keys'],
];

/** What each of these greps has to find: the line that the log has for the case. */
const FINDS_LINE = ['ke1-log', 'ke1-claims', 'ke2-sent', 'ke3-log', 'olm-log'];

/**
 * @typedef {object} Case
 * @property {string} mark
 * @property {string} userId
 * @property {string} deviceId
 * @property {string} localpart
 * @property {string} txnId
 * @property {string | null} eventId as the program read it, which may be a part of what was written
 * @property {string | null} roomId
 * @property {readonly import('../../pkg/dist/analysis.js').ServerQuery[]} queries
 * @property {readonly {name: string, reason: string}[]} refused
 */

/** @returns {Promise<Case[]>} */
async function casesOf(/** @type {string[]} */ ids, firstMark = 0) {
  /** @type {Case[]} */
  const cases = [];
  for (const [n, id] of ids.entries()) {
    const report = reportOf(id, n);
    const { userId, deviceId, sent } = JSON.parse(report);
    const { queries, refused } = await serverQueries(report);
    /** @type {any[]} */
    const evidence = [...(await analyse(report)).reports[0].evidence];
    const first = (/** @type {string} */ name) =>
      evidence.map((facts) => facts?.[name]).find((value) => typeof value === 'string') ?? null;
    cases.push({
      mark: `mark-${firstMark + n}-`,
      userId,
      deviceId,
      localpart: userId.slice(1).split(':')[0],
      txnId: sent[0].txnid,
      eventId: first('eventId') === 'x' ? null : first('eventId'),
      roomId: evidence.map((facts) => (facts?.ke === 'KE-4' ? facts.roomId : null)).find(Boolean) ?? null,
      queries,
      refused,
    });
  }
  return cases;
}

test('hostile ids: each query of the database finds the row of that very id, and nothing else happens', async () => {
  const cases = await casesOf(hostileIds());
  await servers.database.psql(cases.map(rowsFor).join('\n'));
  let found = 0;
  for (const each of cases) {
    const asked = each.queries.filter(({ runsOn }) => runsOn === 'databaseHost');
    // The whole report at once, as somebody pastes it. Not read-only: a DROP that got out would have to work.
    const script = [
      "\\pset null '∅'",
      ...asked.map(({ name, text: sql }) => `\\echo ==${name}\n${sql}`),
    ].join('\n');
    const printed = await servers.database.psql(script).catch((error) => {
      throw new Error(`${JSON.stringify(each.userId.slice(0, 300))}: ${error.message}`, { cause: error });
    });
    const answers = new Map(
      printed
        .split(/^==/m)
        .slice(1)
        .map((answer) => /** @type {[string, string]} */ ([answer.split('\n')[0], answer])),
    );
    assert.deepEqual(
      [...answers.keys()],
      asked.map(({ name }) => name),
      'each is asked and answered once',
    );
    for (const { name } of asked.filter(({ name: one }) => FINDS_ROW.includes(one))) {
      const answer = answers.get(name) ?? '';
      const rows = Number(/^\((\d+) rows?\)$/m.exec(answer)?.[1]);
      assert.ok(
        rows > 0 && !isEmpty(answer),
        `${name} finds the row of ${JSON.stringify(each.userId)}:\n${answer.slice(0, 2000)}`,
      );
      for (const [mark] of answer.matchAll(/mark-\d+-/g))
        assert.equal(mark, each.mark, `${name} finds its own`);
      found += rows;
    }
  }
  assert.equal((await servers.database.query('SELECT alive FROM canary')).length, 1, 'the table is alive');
  assert.ok(!existsSync(canary), 'no file was written');
  assert.ok(found > cases.length * 5, `${found} rows for ${cases.length} ids`);
});

test('hostile ids: each grep finds the line of that very id, and nothing else happens', async () => {
  const cases = await casesOf(hostileIds());
  const log = path.join(servers.dir, 'hostile.log');
  // One line for each case. An id with a line break cannot stand in one, and has to be refused.
  const lines = cases.map(
    ({ mark, userId, deviceId, txnId, eventId }) =>
      `${mark} keys/upload sendToDevice/x/${txnId} delayed_events ${eventId} ` +
      `Claimed one-time-keys: signed_curve25519:AAAAAAAAADQ for ${userId}:${deviceId}`,
  );
  await writeFile(log, lines.map((line) => `${line.replace(/[\r\n]/g, ' ')}\n`).join(''));
  let found = 0;
  for (const each of cases) {
    const asked = each.queries.filter(({ runsOn }) => runsOn === 'logHost');
    const script = asked
      .map(({ name, text: grep }) => `echo ==${name}\n${grep.replaceAll(LOG, log)}`)
      .join('\n');
    const printed = await bash(script);
    for (const name of FINDS_LINE.filter((one) => asked.some((query) => query.name === one))) {
      const [answer] = printed.split(`==${name}\n`)[1].split(/^==/m);
      assert.ok(
        answer.includes(each.mark),
        `${name} finds the line of ${JSON.stringify(each.userId)}:\n${answer.slice(0, 2000)}`,
      );
      found += 1;
    }
    for (const name of ['ke1-log', 'olm-log'].filter((one) => !asked.some((query) => query.name === one))) {
      assert.ok(
        each.refused.some((refused) => refused.name === name && /control|NUL/.test(refused.reason)),
        `${name} is refused for a reason: ${JSON.stringify(each.userId)}`,
      );
    }
  }
  assert.ok(!existsSync(canary), 'no file was written');
  assert.ok(found > cases.length, `${found} lines for ${cases.length} ids`);
});

/** How psql is told to print, by what a person calls it. */
const FORMS = {
  aligned: [],
  'without borders': ['\\pset border 0'],
  'with borders': ['\\pset border 2'],
  unicode: ['\\pset linestyle unicode', '\\pset border 2'],
  expanded: ['\\x on'],
  'expanded unicode': ['\\x on', '\\pset linestyle unicode', '\\pset border 2'],
  csv: ['\\pset format csv'],
  unaligned: ['\\pset format unaligned'],
  'unaligned expanded': ['\\pset format unaligned', '\\x on'],
  'with a word for null': ["\\pset null 'nicht da'"],
  'with a sign for null': ["\\pset null '∅'", '\\pset format csv'],
};

test('what each query prints is read back, with rows and without, however psql prints it', async () => {
  const program = commandLine();
  const [some, none] = await casesOf(['SOME', 'NONE'], 1_000_000);
  await servers.database.psql(rowsFor(some));
  for (const [form, settings] of Object.entries(FORMS)) {
    const folder = path.join(servers.dir, `answers ${form}`);
    await mkdir(folder);
    let written = 0;
    for (const each of [some, none])
      for (const { name, text: sql } of each.queries.filter(({ runsOn }) => runsOn === 'databaseHost')) {
        const printed = await servers.database.psql([...settings, sql].join('\n'));
        await writeFile(path.join(folder, `${each.mark}${name}.txt`), printed);
        written += 1;
      }
    const { stdout, stderr } = outcome(program, ['triage', folder, '--format', 'json']);
    assert.ok(stdout.startsWith('{'), stderr);
    const { artefacts, problems } = JSON.parse(stdout);
    assert.equal(artefacts.length, written, form);
    assert.ok(written >= 2 * FINDS_ROW.length, `${written} answers`);
    for (const { name, kind, used } of artefacts)
      assert.deepEqual({ kind, used }, { kind: 'query-results', used: true }, `${form}: ${name}`);
    assert.deepEqual(problems, [], form);
  }
});

test('the canaries die where ids are put in without quoting', async () => {
  await servers.database.psql('CREATE TABLE canary2 (alive text);');
  const id = "'; DROP TABLE canary2; --";
  await servers.database.psql(`SELECT * FROM devices WHERE user_id = '${id}';`);
  await assert.rejects(servers.database.query('SELECT alive FROM canary2'), /does not exist/);
  const file = path.join(servers.dir, 'canary2');
  await bash(`echo "$(touch ${file})"`);
  assert.ok(existsSync(file));
});
