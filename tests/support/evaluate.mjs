// @ts-check
// How a function of a test runs in a page: the same text in every engine, JSON in and JSON out, so that a value means the same
// everywhere.

/**
 * The source of an expression whose value is a promise of a JSON text. It needs no `eval` in the page: a page's content
 * security policy does not matter.
 * @param {Function | string} task a function, or the text of an expression
 * @param {unknown[]} args JSON values
 */
export function toSource(task, args) {
  const call = typeof task === 'function' ? `(${task})(...${JSON.stringify(args)})` : `(${task}\n)`;
  return `(async () => {
    try {
      return JSON.stringify({ value: await ${call} });
    } catch (error) {
      const { name, message, stack } = error instanceof Error ? error : { name: 'Error', message: String(error) };
      return JSON.stringify({ error: { name, message, stack: String(stack ?? '') } });
    }
  })()`;
}

/**
 * @param {string} json what the expression of `toSource` gave
 * @returns {any} undefined where JSON has no word for the value
 * @throws {Error} the page's error: its name, its message, and its stack above the test's own
 */
export function fromJson(json) {
  const { value, error } = JSON.parse(json);
  if (!error) return value;
  const thrown = new Error(error.message);
  thrown.name = error.name;
  const own = thrown.stack?.split('\n').slice(1) ?? [];
  thrown.stack = [`${error.name}: ${error.message}`, '    in the page:', error.stack, ...own].join('\n');
  throw thrown;
}
