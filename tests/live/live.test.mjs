// @ts-check
// The main job on the real stack: real failures in a real page, and the report that the user downloads holds them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { malformedEvent, mediaKey, secondEmptyStore, slowDelayedEvents } from './provoke.mjs';
import { meet, signIn, startRig } from './rig.mjs';

/** @typedef {import('./rig.mjs').Entry} Entry */

/** @type {import('./rig.mjs').Rig} */
let rig;
/** @type {{ke1: any, ke2: any, ke3: any, ke4: any, alice: any, bob: any}} what was done, told by the other side */
let provoked;
/** @type {{name: string, text: string, report: any}} */
let download;
/** @type {number} */
let downloadedAt;

const ofKe = (/** @type {string} */ ke) =>
  /** @type {Entry[]} */ (download.report.entries).filter((entry) => entry.ke === ke);

before(async () => {
  rig = await startRig();
  const [[alice, first], [bob, peer]] = await signIn(rig, 'alice', 'bob');
  const roomId = await meet(alice, bob);

  // All in one page of alice's; the empty store comes last, since no peer can begin a session with her afterwards.
  const ke2 = await mediaKey(bob, alice, roomId);
  const ke3 = await malformedEvent(bob, alice, roomId);
  const ke4 = await slowDelayedEvents(alice, roomId);
  const ke1 = await secondEmptyStore(rig, alice);
  provoked = { ke1, ke2, ke3, ke4, alice: first, bob: peer };

  download = await alice.tab.downloadReport();
  downloadedAt = Date.now();
});

after(() => rig?.stop());

test('the browser saves the report under the name that the runbook gives it', () => {
  assert.match(download.name, /^lotus-crypto-diag-.+\.json$/);
});

test('the report is of this user, this device and this client', () => {
  const { report } = download;
  assert.equal(report.userId, '@alice:localhost');
  assert.equal(report.deviceId, provoked.alice.deviceId);
  assert.equal(report.syncState, 'SYNCING');
  assert.equal(report.cryptoReady, true);
  assert.equal(report.sdkVersion, rig.app.sdkVersion);
  assert.match(report.cryptoVersion, /Rust SDK/);
  assert.match(report.userAgent, /Chrome/);
});

test('capture began before anything was logged, and held to the end', () => {
  const { capture } = download.report;
  assert.equal(capture.state, 'capturing');
  assert.equal(capture.evicted, 0);
  assert.deepEqual(capture.failures, []);
  assert.ok(capture.installedAt < provoked.ke2.from);
  for (const hook of capture.hooks) assert.ok(hook.inPlace, `console.${hook.method} is still hooked`);
});

test('every count is the number of its entries, as long as none was given up', () => {
  const { counts } = download.report;
  for (const ke of ['KE-1', 'KE-2', 'KE-3', 'KE-4']) {
    assert.ok(counts[ke] > 0, `${ke} is counted`);
    assert.equal(counts[ke], ofKe(ke).length, `${ke}'s count`);
  }
});

test('the tallies are those of the entries, by KE and meaning', () => {
  const { tallies, entries } = download.report;
  const classes = new Set(entries.map((/** @type {Entry} */ { ke, meaning }) => `${ke} ${meaning}`));
  assert.deepEqual(new Set(tallies.map((/** @type {any} */ { ke, meaning }) => `${ke} ${meaning}`)), classes);
  for (const tally of tallies) {
    const times = ofKe(tally.ke).flatMap(({ meaning, ts }) => (meaning === tally.meaning ? [ts] : []));
    assert.equal(tally.total, times.length);
    assert.deepEqual([tally.firstTs, tally.lastTs], [times[0], times.at(-1)]);
  }
});

test('entries are in the order of their time, within the time of the provocation', () => {
  const times = download.report.entries.map((/** @type {Entry} */ entry) => entry.ts);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  assert.ok(times[0] >= provoked.ke2.from, 'nothing is older than the first fault');
  assert.ok(times.at(-1) <= downloadedAt, 'nothing is younger than the report');
});

test('KE-1 names the one-time key that the homeserver refused, with both public keys', () => {
  const { keyId, oldKey, newKey, diverged, before: old, after: now } = provoked.ke1;
  assert.notEqual(now.curve25519, old.curve25519, 'the empty store made a new identity');
  assert.equal(now.deviceId, old.deviceId, 'on the same device id');
  assert.ok(diverged.includes(keyId), 'the database holds another value for that key id');

  const found = ofKe('KE-1').filter(({ message }) => message.includes(`${keyId} already exists`));
  assert.ok(found.length > 0, `an entry names ${keyId}`);
  for (const { level, meaning, signature, message } of found) {
    assert.deepEqual([level, meaning, signature], ['error', 'failure', 'already exists']);
    assert.ok(message.includes(oldKey), 'the old key is the one in the database');
    assert.ok(message.includes(newKey), 'the new key is the one uploaded');
  }
});

test('KE-2 is the media key that arrived, and says that it was delivered', () => {
  const found = ofKe('KE-2').filter(({ message }) => message.includes(provoked.ke2.senderKey));
  assert.equal(found.length, 1, 'one message, one line');
  const [{ level, meaning, signature }] = found;
  assert.deepEqual([level, meaning, signature], ['warn', 'delivered', 'io.element.call.encryption_keys']);
  assert.deepEqual(
    ofKe('KE-2').filter((entry) => entry.meaning === 'failure'),
    [],
    'no media key failed',
  );
});

test('KE-3 names the malformed event, its room and its sender', () => {
  const { eventId, roomId, sender } = provoked.ke3;
  const found = ofKe('KE-3').filter(({ message }) => message.includes(eventId));
  assert.ok(found.length > 0, `an entry names ${eventId}`);
  for (const { level, meaning, signature, message } of found) {
    assert.deepEqual([level, meaning, signature], ['warn', 'failure', 'DecryptionError']);
    assert.ok(message.includes(`room=${roomId}`) && message.includes(`sender=${sender}`));
    assert.ok(message.includes('missing field `algorithm`'));
  }
});

test('KE-4 is the restart that the proxy held, with the error that was its third argument', () => {
  const { held, roomId, from, to } = provoked.ke4;
  const found = ofKe('KE-4').filter(({ message }) =>
    message.includes('Restart delayed event timed out before the HS responded'),
  );
  assert.ok(
    found.length > 0 && found.length <= held.length,
    `${found.length} timeouts of ${held.length} held requests`,
  );
  for (const { level, meaning, message, ts } of found) {
    assert.deepEqual([level, meaning], ['warn', 'transient']);
    assert.ok(message.includes(roomId), 'the logger prefix names the room');
    assert.ok(ts >= from && ts <= to, 'while the proxy held requests');
  }
});

test('the homeserver was quick about every restart that the client gave up on', async () => {
  const { held, delayId } = provoked.ke4;
  const lines = (await rig.servers.logSince(0)).split('\n');
  for (const exchange of held) {
    assert.ok(
      exchange.path.includes(delayId),
      'it is the restart of the delayed event that the client had scheduled',
    );
    assert.ok(
      exchange.sent - exchange.start > exchange.answered - exchange.sent,
      'the time was spent before the homeserver',
    );
  }
  const arrived = lines.filter(
    (line) => line.includes('Processed request') && line.includes(`/${delayId}/restart`),
  );
  // The client's next restart, which nothing held, may be there already.
  assert.ok(
    arrived.length >= held.length,
    `each of ${held.length} is in the access log: ${arrived.join('\n')}`,
  );
});
