// @ts-check
// Everything that a measuring page loads, by its path.

import { CONTENDERS } from '../peers/index.mjs';
import { bundle } from './bundle.mjs';

/** Contenders that only some parts measure: nothing at all, the capture with its card open, and with its pages kept. */
const EXTRA = ['none', 'crypto-diag-card', 'crypto-diag-keep'];

/** @returns {Promise<Record<string, string>>} */
export async function pages() {
  const ids = [...CONTENDERS.map(({ id }) => id), ...EXTRA];
  /** @type {Record<string, string>} */
  const scripts = { '/page.js': await bundle('page/page.js') };
  for (const id of ids) scripts[`/peers/${id}.js`] = await bundle(`peers/${id}.js`, 'contender');
  return scripts;
}
