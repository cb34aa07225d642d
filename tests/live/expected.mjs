// @ts-check
/** What several scenarios expect, told once. */

/** @typedef {import('./bundle.mjs').Scenario['expected']} Expected */

/** A restart of the delayed event that the client stopped waiting for. One is no failure. @type {Expected} */
export const TIMED_OUT = {
  victim: {
    lines: [
      {
        text: 'Restart delayed event timed out before the HS responded',
        facts: ['roomId'],
        ke: 'KE-4',
        meaning: 'transient',
      },
    ],
    failures: false,
  },
};

/** On a slow machine several may time out in a row, and then they are one. @type {import('./bundle.mjs').Proofs} */
export const PERHAPS_IN_A_ROW = { together: [], perhaps: ['delayed-event-timeouts'] };

/** An event without `algorithm` that the victim cannot decrypt. @type {Expected} */
export const MALFORMED = {
  victim: {
    lines: [{ text: 'missing field `algorithm`', facts: ['eventId', 'roomId', 'sender'], ke: 'KE-3' }],
    failures: true,
  },
};

/** A refused upload of one-time keys, with both keys. @type {import('./bundle.mjs').ExpectedLine} */
export const CONFLICT = {
  text: 'already exists. Old key: ',
  facts: ['keyId', 'oldKey', 'newKey'],
  ke: 'KE-1',
};

/** A media key of the peer that arrived and was opened. @type {import('./bundle.mjs').ExpectedLine} */
export const DELIVERED = {
  text: 'Received an unexpected encrypted to-device event',
  facts: ['peerKey'],
  ke: 'KE-2',
  meaning: 'delivered',
};

/** One identity, two stores: from the victim's report alone. @type {import('./bundle.mjs').Proofs} */
export const SAME_IDENTITY = {
  alone: { victim: ['diverged', 'same-identity'] },
  together: ['diverged', 'same-identity'],
};
