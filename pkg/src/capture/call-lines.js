// What a call's frame says at info of its participants and their keys: who is there, whose tracks are received, and whose media keys
// have reached LiveKit's worker. A key that comes late and one that never comes look the same in all other lines.

import { execRegExp, now, parseInteger } from './builtins.js';
import { Waiting } from './waiting.js';

/** @typedef {import('crypto-diag/report').CallFact} CallFact */

/** Facts kept; the oldest go first. */
const facts = /** @type {Waiting<CallFact>} */ (new Waiting(200));
/** UTF-16 code units of the longest line that is looked at: two ids, and some words. */
const LINE_UNITS = 640;

/** What the lines are, by their first letter. Sources: element-call 0.26.1, src/state/CallViewModel/remoteMembers/Connection.ts;
 * livekit-client 2.22.3, whose worker's lines reach the page's console. @type {Record<string, [CallFact['what'], RegExp]>} */
const FORMS = {
  // @ts-expect-error: not a form but the prototype, so that no letter finds what a page has put there.
  __proto__: null,
  P: ['connected', /^Participant connected: (?<participant>\S{1,255}) \((?<participantSid>PA_\w{1,64})?\)$/],
  S: [
    'subscribed',
    /^Subscribed: (?<kind>audio|video) \w{1,32} \w{1,64} of (?<participant>\S{1,255}) encrypted=(?<encrypted>true|false) /,
  ],
  s: ['key-set', /^set participant sender key (?<participant>\S{1,255}) index (?<keyIndex>\d{1,9})$/],
};

/**
 * Keeps what a `console.info` call says, if it is such a line.
 * @param {ArrayLike<unknown>} args A logger's prefix may stand before it.
 * @returns {boolean} Whether it was.
 */
export function noteCallLine(args) {
  for (let at = 0; at < 2; at++) {
    const line = args[at];
    if (typeof line !== 'string') return false;
    const form = FORMS[line[0]];
    if (form === undefined || line.length > LINE_UNITS) continue;
    const said = execRegExp(form[1], line)?.groups;
    if (!said) continue;
    facts.add({
      ts: now(),
      what: form[0],
      participant: said.participant,
      participantSid: said.participantSid ?? null,
      keyIndex: said.keyIndex ? parseInteger(said.keyIndex, 10) : null,
      encrypted: said.encrypted ? said.encrypted === 'true' : null,
      kind: /** @type {CallFact['kind']} */ (said.kind ?? null),
    });
    return true;
  }
  return false;
}

/** What was said, oldest first, once the core has looked at it. */
export const callLines = () => facts.list();

/** Forgets it. */
export const clearCallLines = () => facts.clear();
