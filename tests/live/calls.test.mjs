// @ts-check
// Silent calls on the real stack: matrix-js-sdk's own MatrixRTC sessions make the media keys and send them over a real Synapse, and
// LiveKit's own worker encrypts the media with them. The media itself goes back to back, since there is no SFU here: what one does by
// itself, and what two of them do to one call, is not in here.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { outcome } from '../../scripts/lib/process.mjs';
import { WAIT_MS, until } from '../../scripts/lib/wait.mjs';
import { everything } from '../support/matrix.mjs';
import { toHar } from './har.mjs';
import { shareRoom, signIn, startRig } from './rig.mjs';
import { rollBack } from './scenarios/store-rollback.mjs';

/** @typedef {import('./rig.mjs').Profile} Profile */
/** @typedef {import('./rig.mjs').Rig} Rig */

/**
 * Two who speak with one another, and perhaps a third who is a member of the call without media of its own. `config` is how the SDK
 * joins.
 * @typedef {{speaker: Profile, listener: Profile, roomId: string, third?: Profile, config?: Record<string, unknown>}} Call
 */

/**
 * Each: what becomes of the speaker's media key on its way to the listener, and what follows from whose artefacts. The other direction is
 * well in all of them.
 *
 * @typedef {object} Outcome
 * @property {string} name
 * @property {(rig: Rig) => Promise<Call>} people who have a room and are in no call yet; the fault is in place
 * @property {boolean} silent whether the speaker's media stays silent
 * @property {string[]} alone what the listener's report alone proves of the speaker's media
 * @property {string[]} both what all reports and HARs prove
 * @property {string[]} never what nobody may call proven
 * @property {boolean} [onDemand] whether it is left to `npm run test:matrix`
 */

/** Two people in a room. @param {Rig} rig @returns {Promise<Call>} */
async function twoInARoom(rig) {
  const [[speaker], [listener]] = await signIn(rig, 'alice', 'bob');
  return { speaker, listener, roomId: await shareRoom(speaker, listener) };
}

/**
 * The same, and something between one of them and the homeserver.
 * @param {'speaker' | 'listener'} who
 * @param {(call: Call) => Parameters<Profile['proxy']['rule']>[0]} rule
 */
const twoWith = (who, rule) => async (/** @type {Rig} */ rig) => {
  const call = await twoInARoom(rig);
  call[who].proxy.rule(rule(call));
  return call;
};

/** @type {Outcome[]} */
const OUTCOMES = [
  {
    name: 'the key arrives',
    people: twoInARoom,
    silent: false,
    alone: ['media-decoded'],
    both: ['media-decoded'],
    never: ['media-not-decrypted', 'media-not-arriving', 'never-sent', 'batch-dropped'],
  },
  {
    name: 'the homeserver refuses the key',
    people: twoWith('speaker', () => ({
      method: 'PUT',
      path: /\/sendToDevice\/m\.room\.encrypted\//,
      answer: { code: 403, body: { errcode: 'M_FORBIDDEN', error: 'You are not allowed to send this' } },
    })),
    silent: true,
    alone: ['media-not-decrypted'],
    both: ['media-not-decrypted', 'batch-dropped'],
    never: ['media-decoded', 'media-not-arriving', 'conflict-lost-media-key'],
  },
  {
    name: 'the speaker gets no one-time key of the listener',
    people: twoWith('speaker', () => ({
      method: 'POST',
      path: /\/keys\/claim$/,
      answer: { code: 200, body: { one_time_keys: {}, failures: {} } },
    })),
    silent: true,
    alone: ['media-not-decrypted'],
    both: ['media-not-decrypted'],
    never: ['media-decoded', 'media-not-arriving', 'batch-dropped', 'conflict-lost-media-key'],
  },
  {
    // matrix-js-sdk counts the key as sent all the same, and prints nothing.
    name: 'the speaker’s client is refused the listener’s one-time key, and swallows that',
    people: twoWith('speaker', () => ({
      method: 'POST',
      path: /\/keys\/claim$/,
      answer: { code: 400, body: { errcode: 'M_UNKNOWN', error: 'No keys today' } },
    })),
    silent: true,
    alone: ['media-not-decrypted'],
    both: ['media-not-decrypted'],
    never: ['media-decoded', 'media-not-arriving', 'batch-dropped', 'conflict-lost-media-key'],
    onDemand: true,
  },
  {
    name: 'the listener’s device is not on the speaker’s list',
    people: twoWith('speaker', ({ listener: { userId } }) => ({
      method: 'POST',
      path: /\/keys\/query$/,
      edit: (answer) => {
        if (answer.device_keys?.[userId]) answer.device_keys[userId] = {};
        return answer;
      },
    })),
    silent: true,
    alone: ['media-not-decrypted'],
    both: ['media-not-decrypted'],
    never: ['media-decoded', 'media-not-arriving', 'batch-dropped', 'conflict-lost-media-key'],
    onDemand: true,
  },
  {
    name: 'the key is lost behind the homeserver',
    people: twoWith('listener', ({ speaker: { userId } }) => ({
      method: 'GET',
      path: /\/sync\?/,
      edit: (sync) => {
        const events = sync.to_device?.events;
        if (events)
          sync.to_device.events = events.filter((/** @type {any} */ { sender }) => sender !== userId);
        return sync;
      },
    })),
    silent: true,
    alone: ['media-not-decrypted'],
    both: ['media-not-decrypted'],
    never: ['media-decoded', 'media-not-arriving', 'never-sent', 'batch-dropped', 'conflict-lost-media-key'],
  },
  {
    // The third opens its copy of the key, which shows what the lost message was.
    name: 'the listener’s crypto store was set back, and cannot open the key',
    async people(rig) {
      const { victim, peer } = await rollBack(rig);
      const [[third]] = await signIn(rig, 'carol');
      // Whoever begins a session with the listener first gets the lost one-time key: that has to be the speaker.
      third.proxy.rule({ path: /\/keys\/claim$/, drop: 'before' });
      // Nor may the listener's own key come first, since the speaker would answer in its session.
      victim.proxy.rule({ method: 'PUT', path: /\/sendToDevice\//, holdRequestMs: HELD_MS });
      const roomId = await third.call('createRoom', { invite: [victim.userId, peer.userId] });
      for (const one of [victim, peer]) {
        await one.call('join', roomId);
        await third.call('waitForMember', roomId, one.userId);
      }
      await third.call('joinCall', roomId, { manageMediaKeys: true });
      await peer.call('waitForCallMember', roomId, third.userId);
      // Each newcomer makes the speaker send a new key, to all in one batch.
      return { speaker: peer, listener: victim, roomId, third, config: { keyRotationGracePeriodMs: 0 } };
    },
    silent: true,
    alone: ['media-not-decrypted', 'conflict-lost-key'],
    both: ['media-not-decrypted', 'conflict-lost-media-key'],
    never: ['media-decoded', 'media-not-arriving', 'never-sent', 'batch-dropped'],
  },
];

/** How long a listener's messages are held, in milliseconds: the speaker's key is on its way by then. */
const HELD_MS = 12_000;
/** Milliseconds after the first error from which on a key that comes late has come. */
const LATE = 11_000;
/** Half a second of sound, and some pictures: it is heard and seen. */
const HEARD = { emitted: 24_000, decoded: 5 };

/** Both join the call, and their media is joined. @param {Call} call */
async function begin({ speaker, listener, roomId, config }) {
  const both = [speaker, listener];
  for (const one of both) await one.call('joinCall', roomId, { manageMediaKeys: true, ...config });
  await speaker.call('waitForCallMember', roomId, listener.userId);
  await listener.call('waitForCallMember', roomId, speaker.userId);
  const sids = { [speaker.userId]: 'PA_sPeaKer8f3kQ', [listener.userId]: 'PA_lIsTenerXy71' };
  for (const one of both) await one.call('openMedia', roomId, sids);
  const answer = await listener.call('media', 'answer', await speaker.call('media', 'offer'));
  await speaker.call('media', 'answered', answer);
}

/** @param {Profile} profile @returns {Promise<boolean>} */
async function hears(profile) {
  const seen = await profile.call('media', 'seen');
  return seen.emitted >= HEARD.emitted && seen.decoded >= HEARD.decoded;
}

/** Waits until the call is what its outcome makes it. @param {Call} call @param {boolean} silent */
async function settle({ speaker, listener }, silent) {
  await until(
    () => hears(speaker),
    WAIT_MS,
    () => 'the speaker does not hear the listener',
  );
  if (!silent) {
    await until(
      () => hears(listener),
      WAIT_MS,
      () => 'the listener does not hear the speaker',
    );
    return;
  }
  const error = await listener.tab.waitForEntry(
    'a line of LiveKit about the speaker’s key',
    ({ ke, message }) => ke === 'KE-2' && message.includes(speaker.userId) && /key/i.test(message),
  );
  await until(
    () => Date.now() - error.ts > LATE,
    WAIT_MS,
    () => 'time stands still',
  );
}

describe('a call with media over Synapse, in Chromium', () => {
  const cli = commandLine();
  /** @type {Rig} */
  let rig;

  before(async () => {
    rig = await startRig({ args: ['--autoplay-policy=no-user-gesture-required'] });
  });
  after(() => rig?.stop());

  /** What is proven of some artefacts. @param {string} folder @param {Record<string, string>} files */
  function judged(folder, files) {
    const paths = Object.entries(files).map(([name, text]) => {
      const file = path.join(folder, name);
      writeFileSync(file, text);
      return file;
    });
    const { stdout, stderr } = outcome(cli, ['triage', '--format', 'json', ...paths]);
    assert.ok(stdout.startsWith('{'), stderr);
    const { verdicts, summary } = JSON.parse(stdout);
    /** @type {{claim: string, about: string}[]} */
    const proven = verdicts.filter((/** @type {any} */ { is }) => is === 'proven');
    return { proven, summary };
  }

  const wanted = OUTCOMES.filter(({ onDemand }) => !onDemand || everything);
  for (const { name, people, silent, alone, both, never } of wanted) {
    test(`${name}: ${alone.join(', ')}`, async () => {
      const from = Date.now();
      const call = await people(rig);
      const { speaker, listener } = call;
      await begin(call);
      await settle(call, silent);
      const report = async (/** @type {Profile} */ of) => JSON.stringify(await of.call('collectReport'));
      const ofListener = { 'listener.report.json': await report(listener) };
      /** @type {Record<string, string>} */
      const ofThird = call.third ? { 'third.report.json': await report(call.third) } : {};
      const folder = mkdtempSync(path.join(rig.servers.dir, 'call-'));
      const har = (/** @type {Profile} */ { proxy }) =>
        JSON.stringify(toHar(proxy, { from, browser: rig.engine }));

      const fromListener = judged(folder, ofListener);
      const fromBoth = judged(folder, {
        ...ofListener,
        ...ofThird,
        'speaker.report.json': await report(speaker),
        'listener.har': har(listener),
        'speaker.har': har(speaker),
      });
      for (const [{ proven, summary }, wanted] of /** @type {const} */ ([
        [fromListener, alone],
        [fromBoth, both],
      ])) {
        const claims = proven.map(({ claim }) => claim);
        const ofSpeaker = proven.filter(({ about }) => about.includes(` from ${speaker.userId}/`));
        for (const claim of wanted) assert.ok(claims.includes(claim), `${claim}, of ${claims}: ${summary}`);
        for (const claim of never) {
          const said = claim.startsWith('media-') ? ofSpeaker : proven;
          assert.ok(!said.some((one) => one.claim === claim), `${claim}: ${summary}`);
        }
      }
      const back = fromBoth.proven.filter(({ about }) => about.includes(` from ${listener.userId}/`));
      assert.deepEqual(
        back.map(({ claim }) => claim),
        ['media-decoded'],
        `the other direction is well: ${fromBoth.summary}`,
      );
      await rig.leave();
    });
  }
});
