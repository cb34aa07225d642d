// Lines of a worker, on the page's side.

import { Bytes } from './builtins.js';
import { HEAD_UNITS, TAIL_UNITS } from './text.js';

const NAME_BYTES = 16;
const STACK_UNITS = 4 * 1024;
const PATH_UNITS = 1024;

const text = (value, units) => (typeof value === 'string' ? value.slice(0, units) : '');
const count = (value) => (Number.isSafeInteger(value) && value >= 0 ? value : 0);

/**
 * Opens a channel under a random name. What arrives is a stranger's until it has been read field by field.
 * @param {(line: {ts: number, level: number, text: string, tail: string, length: number, uncaught: number, stack: string,
 *   path: string}) => void} receive
 */
export function openWorkerChannel(receive) {
  const random = crypto.getRandomValues(new Bytes(NAME_BYTES));
  const name = 'crypto-diag-' + Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => {
    receive({
      ts: count(data?.ts),
      level: data?.level === 0 ? 0 : 1,
      text: text(data?.text, HEAD_UNITS + TAIL_UNITS),
      tail: text(data?.tail, TAIL_UNITS),
      length: count(data?.length),
      uncaught: data?.uncaught === 1 ? 1 : 0,
      stack: text(data?.stack, STACK_UNITS),
      path: text(data?.path, PATH_UNITS),
    });
  };
  return { name, close: () => channel.close() };
}
