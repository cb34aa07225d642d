// @ts-check
import assert from 'node:assert/strict';
import { WAIT_MS, until } from '../../../scripts/lib/wait.mjs';
import { CONFLICT, SAME_IDENTITY } from '../expected.mjs';
import { oneTimeKeys, refusedUpload } from '../provoke.mjs';
import { meet, signIn, STORE } from '../rig.mjs';

export const name = 'two-live-contexts';
export const cause =
  'two tabs run a client each on one session and one crypto store, and both publish the next one-time keys';

export const expected = { victim: { lines: [CONFLICT], failures: true } };
export const proofs = SAME_IDENTITY;

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = { victim: { 'ke1-one-time-keys': ['oldKey'], 'ke1-log': ['keyId'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [[profile, identity], [peer]] = await signIn(rig, 'alice', 'bob');
  const roomId = await meet(profile, peer);
  const from = profile.proxy.exchanges.length;
  // Both uploads are under way at once, as with a gateway that is not quick: one client alone asks one thing at a time.
  const slow = profile.proxy.rule({ method: 'POST', path: /\/keys\/upload$/, holdResponseMs: HELD_MS });
  const second = await profile.openTab();
  await second.call('start', { store: STORE });

  // Until one of them is refused: peers claim keys, and news in the room tells both tabs that some are missing.
  // Never while an upload is under way: its answer is held back, and what it put up, or ran into, must still be there to be found.
  const uploads = () =>
    profile.proxy.exchanges
      .slice(from)
      .filter(({ method, path }) => method === 'POST' && path.endsWith('/keys/upload'));
  const underWay = () => uploads().some(({ end }) => end === null);
  for (let round = 0; ; round += 1) {
    await until(
      () => !underWay(),
      WAIT_MS,
      () => 'an upload of keys does not come to an end',
    );
    if (uploads().some(({ status }) => status === 400)) break;
    if (round === ROUNDS) throw new Error(`no conflict in ${ROUNDS} rounds`);
    const surplus = Object.keys(await oneTimeKeys(rig, identity)).length - LEFT;
    for (let i = 0; i < surplus && !underWay(); i += 1)
      await peer.call('claimOneTimeKey', identity.userId, identity.deviceId);
    const eventId = await peer.call('sendRawEvent', roomId, 'org.example.next', {});
    for (const tab of profile.tabs) await tab.call('waitForEvent', roomId, eventId);
  }

  slow.remove();

  const refused = refusedUpload(profile, from);
  const keyId = /One time key (\S+) already exists/.exec(refused.responseBody ?? '')?.[1] ?? '';
  const newKey = JSON.parse(refused.requestBody ?? '{}').one_time_keys[keyId].key;
  const loser = await Promise.any(
    profile.tabs.map((tab) => tab.waitForLine(newKey, 'already exists').then(() => tab)),
  );
  // The other tab's upload: it was stored first, and may be answered last.
  const accepted = await profile.proxy.waitFor(
    "the other tab's upload",
    ({ id, path, status, requestBody }) =>
      id >= from &&
      path.endsWith('/keys/upload') &&
      status === 200 &&
      requestBody?.includes(`"${keyId}"`) === true,
  );
  const oldKey = JSON.parse(accepted.requestBody ?? '{}').one_time_keys[keyId].key;
  return {
    sides: { victim: profile.seenFrom(loser), peer },
    facts: { keyId, oldKey, newKey, acceptedAt: accepted.end, refusedAt: refused.end, identity, roomId },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts }) {
  assert.notEqual(facts.newKey, facts.oldKey);
}

/** How many one-time keys the claims leave. */
const LEFT = 40;

/** How long each answer to an upload is held back. Milliseconds; longer than one tab lags behind the other. */
const HELD_MS = 1000;

/** How often both tabs get the chance; the first is enough unless one of them is much later than the other. */
const ROUNDS = 20;
