// crypto-diag/analysis: what a report means. A second WebAssembly module, compiled when first asked, its bytes inline: no
// request is made, and the capture does not grow by a byte.

import init, { analyse as analyseTexts, serverQueries as queriesOf } from 'crypto-diag/analysis-glue';
import { ANALYSIS_BYTES } from 'crypto-diag/analysis-bytes';

/** @type {Promise<unknown> | undefined} */
let ready;

/** The module's bytes, inflated by the browser. */
function moduleBytes() {
  const packed = Uint8Array.from(atob(ANALYSIS_BYTES), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).arrayBuffer();
}

async function load() {
  return init({ module_or_path: await moduleBytes() });
}

function start() {
  // A failed start may have had a passing cause, so the next call tries again.
  ready ??= load().catch((error) => {
    ready = undefined;
    throw error;
  });
  return ready;
}

/**
 * What the reports of one incident mean.
 * @param {string | string[]} reports The JSON of one report, or of several devices' reports.
 */
export async function analyse(reports) {
  await start();
  return analyseTexts(typeof reports === 'string' ? [reports] : reports);
}

/**
 * The greps and SQL that fetch the server's half of a report.
 * @param {string} report Its JSON.
 */
export async function serverQueries(report) {
  await start();
  return queriesOf(report);
}
