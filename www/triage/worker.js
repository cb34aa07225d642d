// @ts-check
// Inside the worker: one call that reads every file, slice by slice, and walks the tree.

import './closed.js';
import { initSync, triage } from 'crypto-diag/triage-glue';

/**
 * Whether this worker may read files at all. WebKit refuses it, even for a Blob in memory, where the page is a file itself.
 */
function mayRead() {
  try {
    new FileReaderSync().readAsArrayBuffer(new Blob(['x']));
    return true;
  } catch {
    return false;
  }
}

addEventListener('message', ({ data: { module, files, names, zoneMinutes } }) => {
  if (files[0] instanceof Blob && !mayRead()) {
    postMessage({ what: 'unreadable' });
    return;
  }
  try {
    const { memory } = initSync({ module });
    const { view, json, html, markdown, sarif, svg, hars } = triage(
      files,
      names,
      zoneMinutes,
      (/** @type {number} */ index, /** @type {string} */ what, /** @type {unknown} */ value) =>
        postMessage({ what, index, value }),
    );
    const answer = { view, json, html, markdown, sarif, svg, hars, memory: memory.buffer.byteLength };
    postMessage({ what: 'answer', answer });
  } catch (error) {
    postMessage({ what: 'failed', why: error instanceof Error ? error.message : String(error) });
  }
});
