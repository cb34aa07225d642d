// @ts-check
import assert from 'node:assert/strict';
import { sendMediaKey } from '../provoke.mjs';
import { copiesKept, rowsOf } from '../queries.mjs';
import { meet, signInTwo } from '../rig.mjs';

export const name = 'logged-out-device';
export const cause = 'the sender encrypts for a device that was logged out; it has not heard of that yet';

export const expected = {
  victim: { lines: [], failures: false },
  peer: {
    lines: [{ text: 'Enqueuing batch of to-device messages', facts: ['messageId', 'goneDevice'] }],
    failures: false,
  },
};

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [victim, peer] = await signInTwo(rig);
  const phone = await rig.newProfile(victim.user);
  const { deviceId: goneDevice } = await phone.signIn();
  const roomId = await meet(victim, peer);
  await peer.call('waitForDevice', victim.userId, goneDevice);
  // Whoever still has to begin a session with the device when it is gone finds no keys: another story than this one.
  for (const { proxy } of [victim, peer]) {
    await proxy.waitFor(
      'a session with the phone',
      ({ path, status, responseBody }) =>
        path.endsWith('/keys/claim') && status === 200 && responseBody?.includes(goneDevice) === true,
    );
  }

  // The peer's sync is cut, so the list of devices that it knows grows old.
  const cut = peer.proxy.rule({ method: 'GET', path: /\/sync\?/, answer: { code: 503, body: {} } });
  // The /sync that waits for news still gets its answer; the one after it does not.
  const stale = peer.proxy.nextSync();
  await victim.call('sendRawEvent', roomId, 'org.example.next', {});
  await stale;
  await phone.call('logout');
  const sent = await sendMediaKey(peer, victim, roomId, { deviceId: goneDevice });
  cut.remove();
  const kept = await copiesKept(rig.servers.database, sent.messageId);
  const { deviceId: liveDevice } = await victim.call('identity');
  return {
    sides: { victim, peer },
    facts: { goneDevice, liveDevice, messageId: sent.messageId, kept, roomId },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts, queries }) {
  const devices = rowsOf(queries, 'devices');
  assert.ok(devices.some((row) => row.device_id === facts.liveDevice));
  assert.ok(
    !devices.some((row) => row.device_id === facts.goneDevice),
    'the homeserver has deleted the device',
  );
  assert.equal(facts.kept, 0, 'and keeps nothing of what is sent to it');
}
