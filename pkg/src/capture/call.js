// The call in the page's frames, as `collectReport` finds it: what lines alone cannot tell.

import { state } from './state.js';
import { streamFacts } from './streams.js';

/**
 * The call's part of a report; null where no frame has anything to say of one.
 * @param {import('./questions.js').Ask} ask
 * @returns {Promise<import('crypto-diag/report').CallFacts | null>}
 */
export async function callFacts(ask) {
  if (!state.calls) return null;
  const windows = (await ask('frames', () => state.frames?.windows())) ?? [];
  const { streams, omitted } = await streamFacts(ask, windows);
  return streams.length > 0 ? { streams, omitted, session: null, facts: [] } : null;
}
