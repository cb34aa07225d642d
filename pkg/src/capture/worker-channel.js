// Lines of a worker, on the page's side.

import { Bytes, getOwnPropertyDescriptor, isSafeInteger, slice } from './builtins.js';
import { STACK_UNITS } from './stack.js';
import { HEAD_UNITS, TAIL_UNITS } from './text.js';

const NAME_BYTES = 16;
const PATH_UNITS = 1024;

/**
 * Opens a channel under a random name. Messages are not trusted: each is read field by field.
 * @param {(line: import('./queue.js').Line) => void} receive
 */
export function openWorkerChannel(receive) {
  const random = crypto.getRandomValues(new Bytes(NAME_BYTES));
  let name = 'crypto-diag-';
  for (let at = 0; at < random.length; at++) name += (random[at] + 256).toString(16).slice(1);
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => {
    if (typeof data !== 'object' || data === null) return;
    const field = (/** @type {string} */ key) => getOwnPropertyDescriptor(data, key)?.value;
    const text = (/** @type {string} */ key, /** @type {number} */ units) => {
      const value = field(key);
      return typeof value === 'string' ? slice(value, 0, units) : '';
    };
    const count = (/** @type {string} */ key) =>
      isSafeInteger(field(key)) && field(key) >= 0 ? field(key) : 0;
    receive({
      ts: count('ts'),
      level: field('level') === 0 ? 0 : 1,
      text: text('text', HEAD_UNITS + TAIL_UNITS),
      rest: text('tail', TAIL_UNITS),
      length: count('length'),
      realm: { kind: 'worker', path: text('path', PATH_UNITS) },
      uncaught: field('uncaught') === 1 ? 1 : 0,
      stack: text('stack', STACK_UNITS),
    });
  };
  return { name, close: () => channel.close() };
}
