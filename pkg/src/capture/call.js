// The call in the page's frames, as `collectReport` finds it: what lines alone cannot tell.

import { callLines } from './call-lines.js';
import { sessionFacts } from './session.js';
import { state } from './state.js';
import { streamFacts } from './streams.js';

/**
 * The call's part of a report; null where no frame has anything to say of one.
 * @param {import('./questions.js').Ask} ask
 * @param {any} mx The Matrix client, or null.
 * @param {Promise<unknown>} core Settles when there is a core to look at what lines said, or none will come in time.
 * @returns {Promise<import('crypto-diag/report').CallFacts | null>}
 */
export async function callFacts(ask, mx, core) {
  if (!state.calls) return null;
  const windows = (await ask('frames', () => state.frames?.windows())) ?? [];
  const session = await ask('rtcSession', () => sessionFacts(windows, mx));
  const { streams, omitted } = await streamFacts(ask, windows);
  await core;
  const facts = /** @type {import('crypto-diag/report').CallFact[]} */ (callLines());
  const isEmpty = streams.length === 0 && !session && facts.length === 0;
  return isEmpty ? null : { streams, omitted, session, facts };
}
