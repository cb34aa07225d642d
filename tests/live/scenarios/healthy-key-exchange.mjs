// @ts-check
import assert from 'node:assert/strict';
import { WAIT_MS, until } from '../../../scripts/lib/wait.mjs';
import { DELIVERED } from '../expected.mjs';
import { meet, signIn } from '../rig.mjs';

export const name = 'healthy-key-exchange';
export const cause =
  'nothing is wrong: two members of a call exchange media keys and keep their memberships alive';

export const expected = {
  victim: { lines: [DELIVERED], failures: false },
  peer: { lines: [{ ...DELIVERED, facts: ['victimKey'] }], failures: false },
};

/** Restarts come often, so that several succeed while we look; the time limits are the SDK's own. */
const CALL = { manageMediaKeys: true, delayedLeaveEventRestartMs: 500 };

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = { victim: { 'ke2-sent': [] }, peer: { 'ke2-sent': [] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [[victim, { curve25519: victimKey }], [peer, { curve25519: peerKey }]] = await signIn(
    rig,
    'alice',
    'bob',
  );
  const roomId = await meet(victim, peer);
  for (const profile of [victim, peer]) await profile.call('joinCall', roomId, CALL);
  await victim.call('waitForCallMember', roomId, peer.userId);
  await peer.call('waitForCallMember', roomId, victim.userId);
  for (const [profile, key] of /** @type {const} */ ([
    [victim, peerKey],
    [peer, victimKey],
  ])) {
    await profile.tab.waitForEntry(
      `the media key of ${key}`,
      ({ ke, message }) => ke === 'KE-2' && message.includes(key),
    );
    await profile.proxy.waitFor(
      'two restarts',
      ({ path, status }) => path.endsWith('/restart') && status === 200,
      2,
    );
  }
  // The line is printed as the key arrives, and the SDK counts it a moment later.
  let keysReceived = 0;
  await until(
    async () => {
      const statistics = await victim.call('callStatistics', roomId);
      keysReceived = statistics.roomEventEncryptionKeysReceived;
      return keysReceived > 0;
    },
    WAIT_MS,
    () => 'the SDK counted no key',
  );
  for (const profile of [victim, peer]) await profile.call('leaveCall', roomId);
  return { sides: { victim, peer }, facts: { roomId, peerKey, victimKey, keysReceived } };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts }) {
  assert.ok(facts.keysReceived > 0, 'the SDK counted the key');
}
