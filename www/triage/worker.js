// @ts-check
// Inside the worker: one call that reads every file, slice by slice, and walks the tree.

import { initSync, triage } from 'crypto-diag/triage-glue';

addEventListener('message', ({ data: { module, files, names, zoneMinutes } }) => {
  try {
    const { memory } = initSync({ module });
    const { view, json, html, markdown } = triage(
      files,
      names,
      zoneMinutes,
      (/** @type {number} */ index, /** @type {string} */ what, /** @type {unknown} */ value) =>
        postMessage({ what, index, value }),
    );
    const answer = { view, json, html, markdown, memory: memory.buffer.byteLength };
    postMessage({ what: 'answer', answer });
  } catch (error) {
    postMessage({ what: 'failed', why: error instanceof Error ? error.message : String(error) });
  }
});
