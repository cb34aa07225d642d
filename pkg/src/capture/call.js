// The call in the page's frames, as `collectReport` finds it: what lines alone cannot tell.

import { callLines } from './call-lines.js';
import { sessionFacts } from './session.js';
import { noteFailure, state } from './state.js';
import { streamFacts } from './streams.js';

/** @typedef {import('crypto-diag/report').CallFacts} CallFacts */

/**
 * The session and the streams of the page's frames; null where frames are not asked for them. It never rejects, since nobody may be
 * waiting for it any more.
 * @param {import('./questions.js').Ask} ask
 * @param {any} mx The Matrix client, or null.
 * @returns {Promise<Omit<CallFacts, 'facts'> | null>}
 */
export async function callFacts(ask, mx) {
  try {
    if (!state.calls) return null;
    const windows = (await ask('frames', () => state.frames?.windows())) ?? [];
    const session = await ask('rtcSession', () => sessionFacts(windows, mx));
    return { ...(await streamFacts(ask, windows)), session };
  } catch (error) {
    noteFailure('collectReport: the call', error);
    return null;
  }
}

/**
 * The call's part of a report; null where no frame has anything to say of one. What frames said is taken last, so that it ends no
 * sooner than the report's lines, which it is read beside.
 * @param {Omit<CallFacts, 'facts'> | null} asked
 * @returns {CallFacts | null}
 */
export function withCallLines(asked) {
  if (!asked) return null;
  const facts = /** @type {CallFacts['facts']} */ (callLines());
  const isEmpty = asked.streams.length === 0 && !asked.session && facts.length === 0;
  return isEmpty ? null : { ...asked, facts };
}
