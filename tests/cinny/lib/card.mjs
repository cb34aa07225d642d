// @ts-check
// The card as a user reads and presses it: by its words.

/** @typedef {import('../../support/browser.mjs').Page} Page */

/** The card's text; null where there is none. @param {Page} page @returns {Promise<string | null>} */
export const card = (page) =>
  page.evaluate(() => {
    const headings = [...document.querySelectorAll('p')];
    const heading = headings.find((p) => p.textContent === 'Crypto Diagnostics');
    return heading?.parentElement?.innerText ?? null;
  });

/**
 * The text of one of the card's rows.
 * @param {Page} page
 * @param {string} title
 * @returns {Promise<string>}
 */
export const tile = (page, title) =>
  page.evaluate((/** @type {string} */ wanted) => {
    const titles = [...document.querySelectorAll('[data-variant] p')];
    const row = titles.find((p) => p.textContent === wanted)?.closest('[data-variant]');
    if (!row) throw new Error(`the card has no row "${wanted}"`);
    return /** @type {HTMLElement} */ (row).innerText.trim();
  }, title);

/** Clicks the button with these words. @param {Page} page @param {string} words */
export async function press(page, words) {
  await page.waitFor((/** @type {string} */ wanted) => {
    const button = [...document.querySelectorAll('button')].find(
      ({ innerText }) => innerText.trim() === wanted,
    );
    document.querySelector('[data-pressed]')?.removeAttribute('data-pressed');
    button?.setAttribute('data-pressed', '');
    return button !== undefined && !button.disabled;
  }, words);
  await page.click('[data-pressed]');
}
