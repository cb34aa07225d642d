// What a call's frame says at info of its participants and their keys: who is there, whose tracks are received, and whose media keys
// have reached LiveKit's worker. A key that comes late and one that never comes look the same in all other lines.

import { execRegExp, now, parseInteger, slice } from './builtins.js';
import { Waiting } from './waiting.js';

/** @typedef {import('crypto-diag/report').CallFact} CallFact */

/** Facts kept; the oldest go first. */
const facts = /** @type {Waiting<CallFact>} */ (new Waiting(200));
/** UTF-16 code units of the longest line that is looked at: two ids, and some words. */
const LINE_UNITS = 640;

/**
 * @param {CallFact['what']} what
 * @param {string} start
 * @param {RegExp} rest What follows.
 * @returns {import('./lines.js').FactLine}
 */
const line = (what, start, rest) => ({
  start,
  keep(args, at) {
    const text = /** @type {string} */ (args[at]);
    const said = text.length > LINE_UNITS ? null : execRegExp(rest, slice(text, start.length))?.groups;
    if (!said) return false;
    facts.add({
      ts: now(),
      what,
      participant: said.participant,
      participantSid: said.sid ?? null,
      keyIndex: said.index ? parseInteger(said.index, 10) : null,
      encrypted: said.encrypted ? said.encrypted === 'true' : null,
      kind: /** @type {CallFact['kind']} */ (said.kind ?? null),
    });
    return true;
  },
});

/** Sources: element-call 0.26.1, src/state/CallViewModel/remoteMembers/Connection.ts; livekit-client 2.22.3, whose worker's lines
 * reach the page's console. */
export const CALL_LINES = [
  line('connected', 'Participant connected: ', /^(?<participant>\S{1,255}) \((?<sid>PA_\w{1,64})?\)$/),
  line(
    'subscribed',
    'Subscribed: ',
    /^(?<kind>audio|video) \w{1,32} \w{1,64} of (?<participant>\S{1,255}) encrypted=(?<encrypted>true|false) /,
  ),
  line('key-set', 'set participant sender key ', /^(?<participant>\S{1,255}) index (?<index>\d{1,9})$/),
];

/** What was said, oldest first, once the core has looked at it. */
export const callLines = () => facts.list();

/** Forgets it. */
export const clearCallLines = () => facts.clear();
