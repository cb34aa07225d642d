// @ts-check
import assert from 'node:assert/strict';
import { DELIVERED } from '../expected.mjs';
import { claimUntil, sendMediaKey } from '../provoke.mjs';
import { rowsOf } from '../queries.mjs';
import { shareRoom, signIn } from '../rig.mjs';

export const name = 'fallback-key-used';
export const cause =
  'every one-time key was claimed while the device was away; a peer begins its session with the fallback key';

export const expected = {
  victim: {
    lines: [DELIVERED],
    failures: false,
  },
  peer: { lines: [{ text: 'Enqueuing batch of to-device messages', facts: ['messageId'] }], failures: false },
};

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = { victim: { devices: ['identity.deviceId'], 'device-keys': ['identity.ed25519'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [[victim, identity], [peer, { curve25519: peerKey }]] = await signIn(rig, 'alice', 'bob');
  const roomId = await shareRoom(victim, peer);

  await victim.call('stop');
  await claimUntil(rig, peer, identity);
  // The first of these begins the session; its key is the fallback key, since there is no other.
  await peer.call('prepareRoom', roomId);
  const sent = await sendMediaKey(peer, victim, roomId, { deviceId: identity.deviceId });
  const claim = await peer.proxy.waitFor(
    'the fallback key',
    ({ path, responseBody }) =>
      path.endsWith('/keys/claim') && responseBody?.includes('"fallback":true') === true,
  );
  const [[keyId, { key }]] = /** @type {[string, any][]} */ (
    Object.entries(JSON.parse(claim.responseBody ?? '{}').one_time_keys[victim.userId][identity.deviceId])
  );
  await victim.start();
  await victim.tab.waitForEntry(
    'the media key',
    ({ ke, message }) => ke === 'KE-2' && message.includes(peerKey),
  );
  return {
    sides: { victim, peer },
    facts: {
      keyId,
      fallbackKey: key,
      messageId: sent.messageId,
      messageOneTimeKey: sent.oneTimeKey,
      peerKey,
      identity,
      roomId,
    },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts, queries }) {
  assert.equal(
    facts.messageOneTimeKey,
    facts.fallbackKey,
    'the message began a session with the fallback key',
  );
  assert.ok(rowsOf(queries, 'fallback_keys').some((row) => row.device_id === facts.identity.deviceId));
}
