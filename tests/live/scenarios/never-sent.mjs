// @ts-check
import assert from 'node:assert/strict';
import { pause } from '../../../scripts/lib/wait.mjs';
import { measureClock, signIn, watchFromTheBeginning } from '../rig.mjs';

export const name = 'never-sent';
export const cause =
  'a member of the call does not hear that the victim has joined, and sends its media key to the others alone';

export const onDemand = true;
export const once = true;

export const expected = {
  victim: {
    lines: [
      {
        text: 'missing key at index 0 for participant',
        facts: ['participant'],
        ke: 'KE-2',
        meaning: 'transient',
      },
    ],
    failures: false,
  },
};

/** @type {import('../bundle.mjs').Proofs} */
export const proofs = { together: [], withServer: { 'never-sent': ['peerDevice'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [
    [victim, { deviceId: victimDevice }],
    [peer, { deviceId: peerDevice, curve25519: peerKey }],
    [third, { curve25519: thirdKey }],
  ] = await signIn(rig, 'alice', 'bob', 'carol');
  await watchFromTheBeginning(peer);
  const roomId = await third.call('createRoom', { invite: [victim.userId, peer.userId] });
  for (const profile of [victim, peer]) {
    await profile.call('join', roomId);
    await third.call('waitForMember', roomId, profile.userId);
  }

  // The /sync that waits for news is not edited any more; the one after it is.
  peer.proxy.rule({
    method: 'GET',
    path: /\/sync\?/,
    edit: (sync) => withoutCallMember(sync, victim.userId),
  });
  const edited = peer.proxy.nextSync();
  await third.call('sendRawEvent', roomId, 'org.example.next', {});
  await edited;

  await measureClock(victim, roomId);
  for (const profile of [third, victim, peer])
    await profile.call('joinCall', roomId, { manageMediaKeys: true });
  for (const profile of [victim, peer]) await profile.call('showCall', roomId);
  const heard = (/** @type {import('../rig.mjs').Profile} */ by, /** @type {string} */ key) =>
    by.tab.waitForEntry(
      `the media key of ${key}`,
      ({ meaning, message }) => meaning === 'delivered' && message.includes(key),
    );
  await heard(victim, thirdKey);
  await heard(third, peerKey);
  // What the media layer says when frames of somebody come whose key it does not have.
  const participant = `${peer.userId}:${peerDevice}`;
  await victim.call('printMissingKey', participant, 0);
  await pause(SETTLED_MS);
  const members = await peer.call('callMembers', roomId);
  return {
    sides: { victim, peer, third },
    facts: { roomId, participant, peerDevice, victimDevice, members, peerKey, thirdKey },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts: { members, victimDevice, peerKey }, sides }) {
  assert.ok(
    members.every((/** @type {any} */ { deviceId }) => deviceId !== victimDevice),
    'the sender does not know of the victim',
  );
  const { entries } = sides.victim.report;
  assert.ok(!entries.some((/** @type {any} */ { message }) => message.includes(peerKey)));
}

/** A sender's list counts where it goes on for a minute after the key was missed. */
const SETTLED_MS = 65_000;

/** An answer to /sync in which a user is in no call. */
export function withoutCallMember(/** @type {any} */ sync, /** @type {string} */ userId) {
  const others = (/** @type {any} */ { type, sender }) =>
    type !== 'org.matrix.msc3401.call.member' || sender !== userId;
  for (const room of /** @type {any[]} */ (Object.values(sync.rooms?.join ?? {}))) {
    for (const part of [
      room.timeline,
      room.state,
      room.state_after,
      room['org.matrix.msc4222.state_after'],
    ]) {
      if (part?.events) part.events = part.events.filter(others);
    }
  }
  return sync;
}
