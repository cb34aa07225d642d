// @ts-check
import assert from 'node:assert/strict';
import { CONFLICT } from '../expected.mjs';
import { WAIT_MS, until } from '../../../scripts/lib/wait.mjs';
import { oneTimeKeys, refusedUpload, sendMediaKey } from '../provoke.mjs';
import { shareRoom, signIn, STORE } from '../rig.mjs';

export const name = 'store-rollback';
export const cause =
  'the crypto store was set back to an older copy: the homeserver gives out a one-time key whose private half is gone';

/** The leading cause: `npm test` runs it in every combination of browser and SDK. */
export const everywhere = true;

export const expected = {
  victim: {
    lines: [
      CONFLICT,
      {
        text: 'InboundCreation(MissingOneTimeKey("curve25519:',
        facts: ['oldKey', 'messageId', 'peerKey'],
        ke: 'OLM',
      },
    ],
    failures: true,
  },
  peer: {
    lines: [{ text: 'Enqueuing batch of to-device messages', facts: ['messageId', 'victimDevice'] }],
    failures: false,
  },
};

/**
 * The report alone proves that a message was lost. That it was a media key no report says: the application's queue carries
 * other messages, too.
 *
 * @type {import('../bundle.mjs').Proofs}
 */
export const proofs = {
  alone: { victim: ['diverged', 'same-identity', 'conflict-lost-key'] },
  together: ['diverged', 'same-identity', 'conflict-lost-key'],
};

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = {
  victim: {
    'ke1-fallback-keys': [],
    'ke1-log': ['keyId'],
    'ke1-claims': ['keyId'],
    'device-keys': ['identity.ed25519'],
    devices: ['victimDevice'],
    'olm-log': ['keyId'],
    'olm-peer-keys': ['victimDevice'],
  },
};

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const { victim, peer, roomId, lost, identity, identityBefore } = await rollBack(rig);

  // The peer begins a session with the lost key, and only then sends its media key.
  await peer.call('prepareRoom', roomId);
  const sent = await sendMediaKey(peer, victim, roomId);
  await victim.tab.waitForLine(sent.messageId, 'MissingOneTimeKey');

  const { curve25519: peerKey } = await peer.call('identity');
  return {
    sides: { victim, peer },
    facts: {
      ...lost,
      messageId: sent.messageId,
      messageOneTimeKey: sent.oneTimeKey,
      peerKey,
      victimDevice: identity.deviceId,
      identity,
      identityBefore,
      roomId,
    },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts }) {
  assert.equal(facts.identity.ed25519, facts.identityBefore.ed25519, 'the same identity');
  assert.equal(
    facts.messageOneTimeKey,
    facts.oldKey,
    'the media key was encrypted for the lost one-time key',
  );
}

/**
 * A victim whose store is an old copy, up to the conflict. The homeserver then holds exactly one of the device's one-time keys, one
 * that the old copy knows nothing of: the conflict is about that key, and the next peer who begins a session gets it.
 *
 * @param {import('../rig.mjs').Rig} rig
 */
export async function rollBack(rig) {
  const [[victim, identity], [peer]] = await signIn(rig, 'alice', 'bob');
  // Together in a room, but the peer prepares nothing yet, so it has no session with the victim.
  const roomId = await shareRoom(victim, peer);

  const keys = () => oneTimeKeys(rig, identity);
  const count = async () => Object.keys(await keys()).length;
  let claims = 0;
  const claimUntil = async (/** @type {number} */ left) => {
    for (let surplus = (await count()) - left; surplus > 0; surplus -= 1, claims += 1) {
      await peer.call('claimOneTimeKey', identity.userId, identity.deviceId);
    }
  };

  await allKeysPublished(victim, count);
  // Once an event has gone through the crypto store, what came before it is saved.
  await victim.call('waitForEvent', roomId, await peer.call('sendRawEvent', roomId, 'org.example.next', {}));
  await victim.call('stop');
  await victim.tab.reload();
  await victim.call('copyStore', STORE, OLD);
  const known = await keys();

  // Life goes on: peers claim keys, and the client uploads one in their stead.
  await claimUntil(PUBLISHED - 1);
  await victim.start();
  await victim.tab.waitForLine('Updated uploaded one-time key count', `-> ${PUBLISHED}`);
  await victim.call('waitForEvent', roomId, await peer.call('sendRawEvent', roomId, 'org.example.next', {}));
  await victim.call('stop');

  // Peers get the oldest keys first, so the one that is left is that one.
  await claimUntil(1);
  const [[keyId, oldKey], ...others] = Object.entries(await keys());
  if (others.length > 0 || keyId in known)
    throw new Error(`the wrong one-time keys are left: ${keyId}, ${others}`);

  // A restored profile is there before the app starts.
  await victim.tab.reload();
  await victim.call('copyStore', OLD, STORE);
  const seen = victim.proxy.exchanges.length;
  const after = await victim.start();
  await victim.tab.waitForEntry(
    `KE-1 about ${keyId}`,
    ({ ke, message }) => ke === 'KE-1' && message.includes(keyId),
  );
  const uploaded = JSON.parse(refusedUpload(victim, seen).requestBody ?? '{}').one_time_keys;
  return {
    victim,
    peer,
    roomId,
    identity: after,
    identityBefore: identity,
    lost: { keyId, oldKey, newKey: uploaded[keyId].key, claims },
  };
}

const OLD = `${STORE}-old`;

/** How many one-time keys matrix-sdk-crypto keeps published. */
const PUBLISHED = 50;

/**
 * Waits until the client believes in as many one-time keys as the homeserver holds. A new device's first upload races with its first
 * /sync, which still says 0; if it loses, the device publishes twice as many.
 *
 * @param {import('../rig.mjs').Profile} profile
 * @param {() => Promise<number>} count
 */
async function allKeysPublished(profile, count) {
  await until(
    async () => {
      const stored = await count();
      const believed = (await profile.tab.console())
        .flatMap(({ args }) => /Updated uploaded one-time key count \d+ -> (\d+)/.exec(args[0])?.[1] ?? [])
        .at(-1);
      return stored > 0 && Number(believed) === stored;
    },
    WAIT_MS,
    () => 'the device does not come to an end with publishing its one-time keys',
  );
}
