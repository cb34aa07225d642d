// @ts-check
// The one page of all measurements: does what its address asks for and posts the result.
import { measureCallFrames, measureKept } from './call-frames.js';
import { measureCalls } from './calls.js';
import { measurePainting } from './frames-per-second.js';
import { measureFrames } from './frames.js';
import { measureNeedles } from './needles.js';
import { report } from './offline.js';
import { measureStorm } from './storm.js';

const asked = new URLSearchParams(location.search);
const contender = asked.get('contender') ?? 'none';
const card = contender === 'crypto-diag-card';

/** @type {Record<string, () => unknown>} */
const WORK = {
  calls: () => measureCalls(contender),
  needles: measureNeedles,
  frames: () => measureFrames(contender),
  'call-frames': () => measureCallFrames(contender),
  kept: () => measureKept(contender),
  storm: () => measureStorm(contender, card),
  painting: () => measurePainting(contender, card),
};

try {
  // What the browser does for itself after its start is not to be measured.
  await new Promise((resolve) => setTimeout(resolve, 200));
  await report(await WORK[asked.get('part') ?? '']());
} catch (error) {
  await report({ error: String(/** @type {Error} */ (error)?.stack ?? error) });
}
