// @ts-check
// Firefox and WebKitGTK take the user's display preferences when they start, not per page: one process per combination,
// started with the first page that asks for it.

/**
 * @param {(preferences: import('./browser.mjs').Preferences) => Promise<import('./browser.mjs').Engine>} start
 * @returns {Promise<import('./browser.mjs').Engine>}
 */
export async function perPreferences(start) {
  /** @type {Map<string, Promise<import('./browser.mjs').Engine>>} */
  const engines = new Map();
  /** @param {import('./browser.mjs').Preferences} preferences */
  const engineFor = ({ colorScheme, reducedMotion }) => {
    const key = `${colorScheme} ${reducedMotion}`;
    const engine = engines.get(key) ?? start({ colorScheme, reducedMotion });
    engines.set(key, engine);
    return engine;
  };
  const { version } = await engineFor({ colorScheme: 'light', reducedMotion: 'no-preference' });
  return {
    version,
    newPage: async (options) => (await engineFor(options)).newPage(options),
    async close() {
      const started = await Promise.allSettled(engines.values());
      for (const engine of started) if (engine.status === 'fulfilled') await engine.value.close();
    },
  };
}
