// @ts-check
// WebKit has no headless mode and posts nothing by itself: it is driven as in the tests. Its figures are of one run.

/**
 * @param {import('./browsers.mjs').Host} host
 * @param {string} part
 * @param {string[]} contenders
 * @returns {Promise<Record<string, any[]>>} One result for each.
 */
export async function inWebkit(host, part, contenders) {
  const { launch } = await import('../../tests/support/browser.mjs');
  /** @type {Record<string, any[]>} */
  const results = {};
  for (const contender of contenders) {
    const browser = await launch('webkit');
    try {
      const page = await browser.newPage();
      const { url, result } = host.expect('webkit', { part, contender });
      await page.goto(url);
      results[contender] = [await result];
    } finally {
      await browser.close();
    }
  }
  return results;
}
