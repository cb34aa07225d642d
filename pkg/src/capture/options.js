// Options that the app passes. A getter or a Proxy's trap that throws costs its option and nothing else.

/**
 * @param {any} options
 * @param {string} name
 * @param {(error: unknown) => void} [failed]
 */
export function option(options, name, failed) {
  try {
    return options?.[name];
  } catch (error) {
    failed?.(error);
    return undefined;
  }
}
