// @ts-check
/** Calls of which the one side stays silent to the other, and how each is brought about on the real stack. */
import { WAIT_MS, until } from '../../scripts/lib/wait.mjs';
import { measureClock, shareRoom, signIn, waitForDevices, watchFromTheBeginning } from './rig.mjs';
import { withoutCallMember } from './scenarios/never-sent.mjs';
import { rollBack } from './scenarios/store-rollback.mjs';

/** @typedef {import('../support/call/outcome.mjs').Name} Name */
/** @typedef {import('./rig.mjs').Profile} Profile */
/** @typedef {import('./rig.mjs').Rig} Rig */

/**
 * Two who speak with one another, and perhaps a third who is a member of the call without media of its own, and joins it first. `config` is
 * how the SDK joins.
 * @typedef {{speaker: Profile, listener: Profile, roomId: string, third?: Profile, config?: Record<string, unknown>}} Call
 */

/**
 * Each: what becomes of the speaker's media key on its way to the listener, and what follows from whose artefacts.
 *
 * @typedef {object} Outcome
 * @property {string} name
 * @property {(rig: Rig) => Promise<Call>} people who have a room and are in no call yet; the fault is in place
 * @property {boolean} [silent] whether the speaker's media stays silent: it does if this is left out
 * @property {'speaker' | 'listener'} [blind] who does not see the other one as a member of the call
 * @property {number} [lateMs] how long after the first error reports are made, in milliseconds
 * @property {Name} is what is the case, as docs/calls.md has it
 * @property {Name} both what the reports of both sides name, and of the third one
 * @property {Name} listener what the listener's report alone names
 * @property {Name} speaker what the speaker's report alone names
 * @property {string[]} alone what the listener's report alone proves
 * @property {string[]} all what all reports and HARs prove
 * @property {string[]} never what nobody may call proven
 * @property {string | null} stopped the hop at which the key stopped that the listener lacks, by all reports
 * @property {RegExp} says what the answer to all reports says in a sentence
 * @property {RegExp} [how] what is open of how it came about, by all reports
 * @property {RegExp} [speakerSays] a verdict on the speaker's report alone
 * @property {string[]} [back] what is proven of the other direction, which is well if this is left out
 * @property {boolean} [onDemand] whether it is left to `npm run test:matrix`
 */

/** How long a listener's messages are held, in milliseconds: the speaker's key is on its way by then. */
const HELD_MS = 12_000;
/** Milliseconds after the first error from which on a key that comes late has come. */
const LATE_MS = 11_000;
/** Milliseconds after it from which on a sender's list of messages counts as whole, and a little more. */
const SETTLED_MS = 65_000;

/** Two people in a room. @param {Rig} rig @returns {Promise<Call>} */
async function twoInARoom(rig) {
  const [[speaker], [listener]] = await signIn(rig, 'alice', 'bob');
  await watchFromTheBeginning(speaker);
  const roomId = await shareRoom(speaker, listener);
  await waitForDevices(speaker, listener);
  await waitForDevices(listener, speaker);
  return { speaker, listener, roomId };
}

/** The same with a third one in the call, who shows what the speaker sends. @param {Rig} rig @returns {Promise<Call>} */
async function threeInARoom(rig) {
  const [[speaker], [listener], [third]] = await signIn(rig, 'alice', 'bob', 'carol');
  await watchFromTheBeginning(speaker);
  const roomId = await third.call('createRoom', { invite: [speaker.userId, listener.userId] });
  for (const one of [speaker, listener]) {
    await one.call('join', roomId);
    await third.call('waitForMember', roomId, one.userId);
  }
  return { speaker, listener, third, roomId };
}

/**
 * Some people, and something between one of them and the homeserver.
 * @param {(rig: Rig) => Promise<Call>} people
 * @param {'speaker' | 'listener'} who
 * @param {(call: Call) => Parameters<Profile['proxy']['rule']>[0]} rule
 */
const withRule = (people, who, rule) => async (/** @type {Rig} */ rig) => {
  const call = await people(rig);
  call[who].proxy.rule(rule(call));
  return call;
};

/** Two people, of whom the speaker has no session with the listener: else it would answer in that of the listener's own key. */
const withoutSession = withRule(twoInARoom, 'listener', () => ({
  method: 'PUT',
  path: /\/sendToDevice\//,
  holdRequestMs: HELD_MS,
}));

/** @type {Outcome[]} */
export const OUTCOMES = [
  {
    name: 'the key arrives',
    people: twoInARoom,
    silent: false,
    is: 'healthy',
    both: 'healthy',
    listener: 'healthy',
    speaker: 'unknown',
    alone: ['media-decoded'],
    all: ['media-decoded'],
    never: ['media-not-decrypted', 'media-not-arriving', 'never-sent', 'batch-dropped'],
    stopped: null,
    says: /decodes the media of @alice\S* as the report is made: if it is not heard then, encryption is not why/,
  },
  {
    name: 'the homeserver refuses the key',
    people: withRule(twoInARoom, 'speaker', () => ({
      method: 'PUT',
      path: /\/sendToDevice\/m\.room\.encrypted\//,
      answer: { code: 403, body: { errcode: 'M_FORBIDDEN', error: 'You are not allowed to send this' } },
    })),
    is: 'refused or swallowed',
    both: 'refused or swallowed',
    listener: 'unknown',
    speaker: 'refused or swallowed',
    alone: ['media-not-decrypted'],
    all: ['media-not-decrypted', 'batch-dropped'],
    never: ['media-decoded', 'media-not-arriving', 'never-sent', 'conflict-lost-media-key'],
    stopped: 'accepted',
    says: /device \S+ of @alice\S* dropped messages before they were sent; that is why device \S+ of @bob/,
  },
  {
    name: 'the speaker gets no one-time key of the listener',
    people: withRule(withoutSession, 'speaker', () => ({
      method: 'POST',
      path: /\/keys\/claim$/,
      answer: { code: 200, body: { one_time_keys: {}, failures: {} } },
    })),
    is: 'no target',
    both: 'no target',
    listener: 'unknown',
    speaker: 'unknown',
    alone: ['media-not-decrypted'],
    all: ['media-not-decrypted', 'no-one-time-key'],
    never: ['media-decoded', 'media-not-arriving', 'batch-dropped', 'conflict-lost-media-key'],
    stopped: 'sent',
    says: /the server had no one-time key of device \S+ of @bob\S* to give to|no one-time key/,
    speakerSays: /no one-time key for @bob/,
  },
  {
    // matrix-js-sdk counts the key as sent all the same, and prints nothing.
    name: 'the speaker’s client is refused the listener’s one-time key, and swallows that',
    people: withRule(withoutSession, 'speaker', () => ({
      method: 'POST',
      path: /\/keys\/claim$/,
      answer: { code: 400, body: { errcode: 'M_UNKNOWN', error: 'No keys today' } },
    })),
    is: 'refused or swallowed',
    both: 'unknown',
    listener: 'unknown',
    speaker: 'unknown',
    alone: ['media-not-decrypted'],
    all: ['media-not-decrypted'],
    never: ['media-decoded', 'media-not-arriving', 'batch-dropped', 'conflict-lost-media-key'],
    stopped: 'set',
    says: /[Dd]evice \S+ of @bob\S* gets media of @alice\S* that it cannot decrypt/,
    how: /has queued no message for it since it began.*one-time keys were not answered as they should be/,
    onDemand: true,
  },
  {
    name: 'the listener’s device is not on the speaker’s list',
    people: withRule(threeInARoom, 'speaker', ({ listener: { userId } }) => ({
      method: 'POST',
      path: /\/keys\/query$/,
      edit: (answer) => {
        if (answer.device_keys?.[userId]) answer.device_keys[userId] = {};
        return answer;
      },
    })),
    lateMs: SETTLED_MS,
    is: 'no target',
    both: 'no target',
    listener: 'unknown',
    speaker: 'unknown',
    alone: ['media-not-decrypted'],
    all: ['media-not-decrypted', 'never-sent'],
    never: ['media-decoded', 'media-not-arriving', 'batch-dropped', 'conflict-lost-media-key'],
    stopped: 'sent',
    says: /@alice\S* never sent its media key to device \S+ of @bob/,
    speakerSays: /queued messages for 1 of 2 other members of its call, and none for @bob/,
    onDemand: true,
  },
  {
    name: 'the speaker does not hear that the listener has joined',
    people: withRule(threeInARoom, 'speaker', ({ listener }) => ({
      method: 'GET',
      path: /\/sync\?/,
      edit: (sync) => withoutCallMember(sync, listener.userId),
    })),
    blind: 'speaker',
    lateMs: SETTLED_MS,
    is: 'never sent',
    both: 'never sent',
    listener: 'unknown',
    speaker: 'unknown',
    alone: ['media-not-decrypted'],
    all: ['media-not-decrypted', 'never-sent'],
    never: ['media-decoded', 'media-not-arriving', 'batch-dropped', 'conflict-lost-media-key'],
    stopped: 'sent',
    says: /@alice\S* never sent its media key to device \S+ of @bob/,
    how: /its page does not see this device in the call/,
    back: ['media-not-decrypted'],
    onDemand: true,
  },
  {
    name: 'the listener does not hear that the speaker has joined',
    people: withRule(twoInARoom, 'listener', ({ speaker }) => ({
      method: 'GET',
      path: /\/sync\?/,
      edit: (sync) => withoutCallMember(sync, speaker.userId),
    })),
    blind: 'listener',
    is: 'other SFU or membership',
    both: 'other SFU or membership',
    listener: 'other SFU or membership',
    speaker: 'unknown',
    alone: ['media-not-decrypted'],
    all: ['media-not-decrypted'],
    never: ['media-decoded', 'media-not-arriving', 'batch-dropped', 'conflict-lost-media-key'],
    stopped: 'set',
    says: /[Dd]evice \S+ of @bob\S* gets media of @alice\S* that it cannot decrypt/,
    back: ['media-not-decrypted'],
    onDemand: true,
  },
  {
    name: 'the key is lost behind the homeserver',
    people: withRule(twoInARoom, 'listener', ({ speaker: { userId } }) => ({
      method: 'GET',
      path: /\/sync\?/,
      edit: (sync) => {
        const events = sync.to_device?.events;
        if (events)
          sync.to_device.events = events.filter((/** @type {any} */ { sender }) => sender !== userId);
        return sync;
      },
    })),
    is: 'not delivered',
    both: 'unknown',
    listener: 'unknown',
    speaker: 'unknown',
    alone: ['media-not-decrypted'],
    all: ['media-not-decrypted'],
    never: ['media-decoded', 'media-not-arriving', 'never-sent', 'batch-dropped', 'conflict-lost-media-key'],
    stopped: 'set',
    says: /[Dd]evice \S+ of @bob\S* gets media of @alice\S* that it cannot decrypt/,
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
      // Each newcomer makes the speaker send a new key, to all in one batch.
      return { speaker: peer, listener: victim, roomId, third, config: { keyRotationGracePeriodMs: 0 } };
    },
    is: 'not opened',
    both: 'not opened',
    listener: 'unknown',
    speaker: 'unknown',
    alone: ['media-not-decrypted', 'conflict-lost-key'],
    all: ['media-not-decrypted', 'conflict-lost-media-key'],
    never: ['media-decoded', 'media-not-arriving', 'never-sent', 'batch-dropped'],
    stopped: 'opened',
    says: /it could not read @\S+'s media key/,
  },
];

/** Half a second of sound, and some pictures: it is heard and seen. */
const HEARD = { emitted: 24_000, decoded: 5 };

/** Both join the call, and their media is joined. @param {Call} call @param {Outcome} outcome */
export async function begin({ speaker, listener, third, roomId, config }, { blind }) {
  const both = [speaker, listener];
  for (const one of [...both, ...(third ? [third] : [])]) await measureClock(one, roomId);
  await third?.call('joinCall', roomId, { manageMediaKeys: true });
  if (third) await speaker.call('waitForCallMember', roomId, third.userId);
  for (const one of both) await one.call('joinCall', roomId, { manageMediaKeys: true, ...config });
  if (blind !== 'speaker') await speaker.call('waitForCallMember', roomId, listener.userId);
  if (blind !== 'listener') await listener.call('waitForCallMember', roomId, speaker.userId);
  const sids = ['PA_sPeaKer8f3kQ', 'PA_lIsTenerXy71'];
  const people = await Promise.all(
    both.map(async (one, at) => ({ ...(await one.call('identity')), sid: sids[at] })),
  );
  for (const one of both) await one.call('openMedia', roomId, people);
  const answer = await listener.call('media', 'answer', await speaker.call('media', 'offer'));
  await speaker.call('media', 'answered', answer);
}

/** @param {Profile} profile @returns {Promise<boolean>} */
async function hears(profile) {
  const seen = await profile.call('media', 'seen');
  return seen.emitted >= HEARD.emitted && seen.decoded >= HEARD.decoded;
}

/** Waits until the call is what its outcome makes it. @param {Call} call @param {Outcome} outcome */
export async function settle({ speaker, listener }, { silent = true, back, lateMs = LATE_MS }) {
  if (!back)
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
    () => Date.now() - error.ts > lateMs,
    lateMs + WAIT_MS,
    () => 'time stands still',
  );
}
