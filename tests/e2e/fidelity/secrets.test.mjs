// @ts-check
// Generated secrets in generated lines: in arguments, templates, objects, errors, and across every cut. No eight characters of one
// in a row may stand anywhere in the report.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const QUIET = '<!doctype html><p>quiet';
/** Stands in the path of a document, too. */
const TOKEN = 'syt_YWxpY2U_QwErTyUiOpAsDfGhJkLz_9z8y7x';
const claim = fidelity({ '/quiet.html': QUIET, [`/embed/${TOKEN}`]: QUIET });

/** Characters in a row that count as a leak. */
const WINDOW = 8;
const LINES = 420;
/** So that no entry of a batch is evicted before it has been searched. */
const BATCH = 60;

/** Mulberry32: the same lines in every run and engine. @param {number} seed */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** @param {() => number} next */
function generators(next) {
  const below = (/** @type {number} */ count) => Math.floor(next() * count);
  const pick = (/** @type {readonly any[]} */ list) => list[below(list.length)];
  const chars = (/** @type {number} */ count, alphabet = ALPHANUMERIC) =>
    Array.from({ length: count }, () => alphabet[below(alphabet.length)]).join('');
  const secrets = {
    token: () => {
      const prefix = pick(['syt', 'syr', 'syl', 'mat', 'mct', 'mar', 'mcr']);
      return prefix[0] === 's'
        ? `${prefix}_${chars(10)}_${chars(20)}_${chars(6)}`
        : `${prefix}_${chars(30)}_${chars(6)}`;
    },
    jwt: () => `eyJ${chars(20)}.eyJ${chars(40)}.${chars(43, ALPHANUMERIC + '-_')}`,
    opaque: () => chars(16 + below(30)),
    password: () => chars(12 + below(12), ALPHANUMERIC + '!$%*+-./:@^_~'),
    key: () => chars(pick([22, 43]), ALPHANUMERIC + '+/'),
  };
  return { below, pick, chars, secrets };
}

/** @typedef {string | { object: any } | { error: any[], cause?: any, stack?: string }} Argument What the page makes arguments of. */

/**
 * One generated call and the secret in it.
 * @param {ReturnType<typeof generators>} generate
 * @returns {{ secret: string, args: Argument[], how: string }}
 */
function line({ below, pick, secrets }) {
  const NEEDLE = 'missing key at index 1';
  const words = (/** @type {number} */ units) =>
    'some words and '.repeat(Math.ceil(units / 15)).slice(0, units);
  const token = pick([secrets.token, secrets.jwt])();
  const opaque = pick([secrets.token, secrets.jwt, secrets.opaque])();
  const field = pick([
    'access_token',
    'refresh_token',
    'login_token',
    'accessToken',
    'openid_token',
    'id_token',
  ]);
  const password = secrets.password();
  const key = secrets.key();
  const json = (/** @type {object} */ object, escapes = 0) => {
    let text = JSON.stringify(object);
    for (let at = 0; at < escapes; at++) text = JSON.stringify(text).slice(1, -1);
    return text;
  };
  /** A place where a secret stands in the text, so that it is known by its form or by what is before it. */
  const [secret, text] = pick([
    [token, `request with ${token} failed`],
    [token, `/path/${token}/more`],
    [opaque, `GET https://h/p?${field}=${opaque}&x=1`],
    [opaque, `${field}=${opaque}`],
    [opaque, `${field}: ${opaque}, next`],
    [opaque, json({ [field]: opaque, x: 1 })],
    [opaque, json({ body: json({ [field]: opaque }) })],
    [opaque, json({ [field]: opaque }, 2)],
    [opaque, `Authorization: Bearer ${opaque}`],
    [opaque, `'Authorization': 'Bearer ${opaque}'`],
    [opaque, `sent Bearer ${opaque} to`],
    [opaque, `Cookie: a=1; sid=${opaque}; b=2\n`],
    [opaque, `Set-Cookie: sid=${opaque}; HttpOnly\n`],
    [password, json({ type: 'm.login.password', password })],
    [password, `password=${encodeURIComponent(password)}&x`],
    [key, json({ keys: { index: 0, key }, member: {} })],
    [key, `encryptionKey: ${key}, index 3`],
    [key, `media_key=${key} `],
  ]);
  const object = pick([
    [opaque, { [field]: opaque }],
    [opaque, { auth: { [field]: opaque } }],
    [opaque, { headers: { Authorization: `Bearer ${opaque}`, x: 1 } }],
    [opaque, [{ headers: { cookie: `sid=${opaque}` } }]],
    [opaque, { body: json({ [field]: opaque }) }],
    [password, { user: 'u', password }],
    [key, { index: 1, key }],
    [token, { url: `https://h/p?x=${token}` }],
    [token, [words(below(40)), token]],
  ]);
  // Where each cut falls: a line's head and tail, a kept message, an object's text, a stack.
  const edge = pick([64 * 1024, 16 * 1024, 8 * 1024, 4 * 1024]);
  const before = Math.max(0, edge - text.length + below(text.length + 40) - 20);
  const how = pick([
    'text',
    'template',
    'split',
    'object',
    'error',
    'cause',
    'stack',
    'edge',
    'tail',
    'deep',
    'wide',
  ]);
  /** @type {Record<string, () => [string, Argument[]]>} */
  const forms = {
    text: () => [secret, [`${NEEDLE} ${text}`]],
    template: () => {
      const at = text.indexOf(secret);
      // The secret alone is an argument, what gives it away is the template.
      if (at < 0) return [secret, [`%s ${text.replaceAll('%', '%%')}`, NEEDLE]];
      const parts = [text.slice(0, at), text.slice(at + secret.length)].map((part) =>
        part.replaceAll('%', '%%'),
      );
      return [secret, [`${parts[0]}%s${parts[1]} %s`, secret, NEEDLE]];
    },
    split: () =>
      pick([
        [opaque, ['Authorization:', `Bearer ${opaque}`, NEEDLE]],
        [opaque, [NEEDLE, 'Bearer', opaque]],
        [opaque, [NEEDLE, `${field}:`, opaque]],
        [opaque, [NEEDLE, `${field}=`, opaque, 'end']],
        [token, [token, NEEDLE]],
      ]),
    object: () => [object[0], [NEEDLE, { object: object[1] }]],
    error: () => [secret, [{ error: ['MatrixError', `${NEEDLE} ${text}`] }]],
    cause: () => [
      object[0],
      [
        {
          error: ['Error', NEEDLE],
          cause: { error: ['Error', words(below(50))], cause: { object: object[1] } },
        },
      ],
    ],
    stack: () => [
      secret,
      [
        {
          error: ['Error', NEEDLE],
          stack: `${words(Math.max(0, 4096 - text.length + below(text.length)))}${text} at x`,
        },
      ],
    ],
    edge: () => [secret, [`${NEEDLE} ${words(before)}${text} ${words(pick([10, 20_000, 200_000]))}`]],
    tail: () => [
      secret,
      [`${words(100_000)}${text} ${words(16 * 1024 - NEEDLE.length - below(text.length + 20))}${NEEDLE}`],
    ],
    deep: () => [object[0], [NEEDLE, { object: { a: words(Math.max(0, 4090 - below(120))), b: object[1] } }]],
    wide: () => [
      secret,
      [NEEDLE, { object: { a: `${words(Math.max(0, 4080 - text.length + below(text.length)))}${text}` } }],
    ],
  };
  const [hidden, args] = forms[how]();
  return { secret: hidden, args, how };
}

/** Logs generated calls in the page, and gives the whole report. */
const logAll = async (/** @type {Argument[][]} */ calls) => {
  const make = (argument) => {
    if (typeof argument === 'string') return argument;
    if (argument.object) return argument.object;
    const [name, message] = argument.error;
    const error = new Error(message, argument.cause ? { cause: make(argument.cause) } : undefined);
    if (name !== 'Error') error.name = name;
    if (argument.stack) error.stack = argument.stack;
    return error;
  };
  window['diag'].clear();
  for (const args of calls) console.error(...args.map(make));
  return { text: await window['diag'].collectReport(null), kept: window['diag'].getEntries().length };
};

/**
 * The windows of secrets that stand in a text.
 * @param {string[]} secrets
 * @param {string} text
 */
function leaks(secrets, text) {
  /** @type {Map<string, number>} */
  const windows = new Map();
  secrets.forEach((secret, index) => {
    for (let at = 0; at + WINDOW <= secret.length; at++) windows.set(secret.slice(at, at + WINDOW), index);
  });
  const found = [];
  for (let at = 0; at + WINDOW <= text.length; at++) {
    const index = windows.get(text.slice(at, at + WINDOW));
    if (index !== undefined) found.push({ index, window: text.slice(at - 120, at + WINDOW + 10) });
  }
  return found;
}

const BEGIN = async () => {
  const { start } = await import('/kit.js');
  window['diag'] = (await start()).diag;
};

claim('no eight characters of a generated secret stand in the report', async ({ page, context }) => {
  await page.evaluate(BEGIN);
  const seed = 0x20261123;
  const generate = generators(random(seed));
  let redacted = 0;
  for (let done = 0; done < LINES; done += BATCH) {
    const lines = Array.from({ length: BATCH }, () => line(generate));
    const { text, kept } = await page.evaluate(
      logAll,
      lines.map(({ args }) => args),
    );
    assert.equal(kept, BATCH);
    const found = leaks(
      lines.map(({ secret }) => secret),
      text,
    );
    const [first] = found;
    assert.equal(
      found.length,
      0,
      first &&
        `seed ${seed}: ${lines[first.index].how} leaks ${lines[first.index].secret} in ${first.window}\n` +
          JSON.stringify(lines[first.index].args).slice(0, 3000),
    );
    redacted += JSON.parse(text).capture.redactions;
  }
  context.diagnostic(`${LINES} lines, ${redacted} redactions`);
  // A cut may take a secret away before anybody has to replace it.
  assert.ok(redacted > LINES / 2, String(redacted));
});

claim('a recovery key is closed where the room of a logged object leaves little of it', async ({ page }) => {
  const key = 'EsTk 9Rq7 bN4x LhRz T8vK qW3m Yd6P uJ5c Gf2H xB9n Va7S kM4t';
  const text = await page.evaluate(async (key) => {
    const { start } = await import('/kit.js');
    const { diag } = await start();
    // The room of an object is 4,096 units: of the key one to six groups are left.
    for (let before = 4_050; before < 4_086; before++)
      console.error('missing key at index 1', {
        note: `${'some words and '.repeat(300).slice(0, before)} ${key}`,
      });
    return diag.collectReport(null);
  }, key);
  const { entries } = JSON.parse(text);
  assert.equal(entries.length, 36);
  for (const group of key.split(' ')) assert.ok(!text.includes(group), group);
});

claim(
  'secrets in a path, a sent batch, a worker line or an answer of the client stay out of the report',
  async ({ page }) => {
    const text = await page.evaluate(async (secret) => {
      const { add, start, until } = await import('/kit.js');
      const { diag } = await start();
      const frame = await add('iframe', { src: `/embed/${secret}` });
      frame.contentWindow.history.replaceState(
        null,
        '',
        `/embed/${secret}/x?access_token=${secret}#${secret}`,
      );
      frame.contentWindow.console.error('missing key at index 1');
      console.info(`Enqueuing batch of to-device messages. type=a txnid=${secret}`, [
        `@a:b/${secret} (msgid ${secret})`,
      ]);
      new BroadcastChannel(diag.workerChannel()).postMessage({
        text: `missing key at index 2 ${secret}`,
        stack: `at ${secret}`,
        path: `/${secret}.js`,
      });
      await until(() => diag.getEntries().length === 2);
      history.replaceState(null, '', `/page/${secret}?access_token=${secret}#${secret}`);
      const mx = {
        getDeviceId: () => secret,
        getUserId: () => {
          throw new Error(secret);
        },
        getCrypto: () => ({
          getOwnDeviceKeys: () => Promise.reject(new Error(`[401] https://h/_matrix?access_token=${secret}`)),
        }),
      };
      return diag.collectReport(mx, { sdkVersion: secret });
    }, TOKEN);
    assert.deepEqual(leaks([TOKEN], text), []);
    assert.ok(text.includes('[closed'));
    const report = JSON.parse(text);
    assert.match(report.entries[0].realm.path, /^\/embed\/\[closed /);
    // A document is listed with the path from which it was loaded.
    assert.ok(
      report.capture.frames.documents.some(({ path }) => path?.startsWith('/embed/[closed ')),
      text,
    );
  },
);

claim('public keys in one-time-key lines stay: they are the evidence', async ({ page }) => {
  const line =
    'Failed to process outgoing request 0: M_UNKNOWN: MatrixError: [400] One time key signed_curve25519:AAAAAAAAADQ already exists. ' +
    'Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{"@alice:localhost":{"ed25519:NFQILHVQCC":"c2ln"}}}; ' +
    "new key: {'key': 'QF6Sd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho', 'signatures': {'@alice:localhost': {'ed25519:NFQILHVQCC': 'c2ln'}}}";
  const entries = await page.evaluate(async (line) => {
    const { start } = await import('/kit.js');
    const { diag } = await start();
    console.error(line);
    console.error('already exists', { one_time_key: line });
    return diag.getEntries();
  }, line);
  assert.equal(entries[0].message, line);
  assert.equal(entries[0].redactions, 0);
  for (const key of [
    'drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho',
    'QF6Sd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho',
  ]) {
    assert.ok(entries[1].message.includes(key));
  }
});
