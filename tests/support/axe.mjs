// @ts-check
// Accessibility rules, checked by axe-core inside the page: https://github.com/dequelabs/axe-core
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A page has colours of its own in each. Whole pages are checked in Chromium by `npm test`, in all engines by `npm run test:matrix`. */
export const SCHEMES = /** @type {const} */ (['light', 'dark']);

const SOURCE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/**
 * @typedef {object} Violation
 * @property {string} id the rule, such as `color-contrast`
 * @property {'minor' | 'moderate' | 'serious' | 'critical'} impact
 * @property {string} help what the rule asks for
 * @property {{ target: string, html: string, why: string }[]} nodes the elements that break it
 */

/**
 * Checks a page as it is now. Closed shadow roots are out of reach.
 * @param {import('./browser.mjs').Page} page
 * @param {string} [within] a selector (CSS, without `>>>`) of the part to check; the whole page by default
 * @returns {Promise<{ serious: Violation[], all: Violation[] }>} `serious` has the violations of serious and critical impact
 */
export async function axe(page, within) {
  // An expression, not a script element: a page's content security policy does not stop it.
  await page.evaluate(`(() => { if (!window.axe) { ${SOURCE}\n } })()`);
  /** @type {Violation[]} */
  const all = await page.evaluate(async (/** @type {string | null} */ selector) => {
    const part = selector === null ? document : document.querySelector(selector);
    if (!part) throw new Error(`axe: no element matches ${selector}`);
    // @ts-expect-error: axe-core is there only inside the page.
    const { violations } = await window.axe.run(part, { resultTypes: ['violations'] });
    return violations.map((/** @type {any} */ { id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      nodes: nodes.map((/** @type {any} */ { target, html, failureSummary }) => ({
        target: target.flat().join(' >>> '),
        html,
        why: failureSummary,
      })),
    }));
  }, within ?? null);
  return { serious: all.filter(({ impact }) => impact === 'serious' || impact === 'critical'), all };
}
