// @ts-check
/**
 * A recorded console: one JSON object per line, with the time in milliseconds since the epoch, the console method, and
 * each argument as a text beside the name of its type.
 *
 * @typedef {{ ts: number, level: string, types: string[], args: string[] }} RecordedLine
 */

/** The methods that a recording may call. */
const LEVELS = new Set(['debug', 'log', 'info', 'warn', 'error', 'trace']);

/**
 * @param {string} text
 * @returns {RecordedLine[]} in the order in which they were printed
 * @throws {SyntaxError} naming the line that is none
 */
export function parseRecording(text) {
  return text
    .split('\n')
    .map((json, at) => ({ json, at }))
    .filter(({ json }) => json.trim() !== '')
    .map(({ json, at }) => {
      const line = JSON.parse(json);
      if (!LEVELS.has(line.level) || !Array.isArray(line.args) || !Number.isFinite(line.ts)) {
        throw new SyntaxError(`line ${at + 1} is no recorded console line`);
      }
      return line;
    });
}

/**
 * Prints a line as the client did: the same method, with arguments of the same kinds.
 *
 * @param {RecordedLine} line
 * @param {Record<string, any>} [target] a console
 */
export function print(line, target = console) {
  target[line.level](...line.args.map((text, at) => revive(text, line.types?.[at] ?? 'string')));
}

/**
 * Makes an argument from its text and the name of its type. Errors and arrays are made again; of other objects the recording only has the
 * text that String() gave, so they stay texts.
 *
 * @param {string} text
 * @param {string} type
 * @returns {unknown}
 */
export function revive(text, type) {
  if (type === 'Array') return text.split(',');
  if (!/(Error|Exception)$/.test(type)) return text;
  const prefix = `${type}: `;
  const message = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  if (type === 'DOMException') return domException(message);
  const error = new Error(message);
  if (type !== 'Error') {
    // Libraries do the same: p-retry's AbortError is an Error whose name was changed.
    Object.defineProperty(error, 'name', { value: type, configurable: true, writable: true });
  }
  return error;
}

/**
 * @param {string} text a DOMException's String(): its name and its message
 * @returns {DOMException}
 */
function domException(text) {
  const [, name, message] = text.match(/^(\w+): ([^]*)$/) ?? [null, 'Error', text];
  return new DOMException(message, name);
}
