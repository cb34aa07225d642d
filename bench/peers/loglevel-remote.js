// @ts-check
import log from 'loglevel';
import remote from 'loglevel-plugin-remote';

let seen = 0;

export function start() {
  remote.apply(log, {
    url: '/nowhere',
    format: (/** @type {{message: string}} */ entry) => {
      seen++;
      return entry.message;
    },
  });
  log.enableAll();
}
export const kept = () => seen;
export const warn = (/** @type {unknown[]} */ ...args) => log.warn(...args);
export const error = (/** @type {unknown[]} */ ...args) => log.error(...args);
