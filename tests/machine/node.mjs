// @ts-check
// Gives Node what matrix-js-sdk and its crypto library need of a browser. It has to be imported before them.

import 'fake-indexeddb/auto';

// Node 20 lacks this.
Promise.withResolvers ??= function () {
  /** @type {any} */
  const parts = {};
  parts.promise = new this((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};

/**
 * @param {(line: string) => void} keep
 * @returns a logger that hands on what a console shows of warn and error
 */
export function keeping(keep) {
  const line = (/** @type {unknown[]} */ ...args) => keep(args.map(String).join(' '));
  const drop = () => {};
  const logger = { trace: drop, debug: drop, info: drop, warn: line, error: line, getChild: () => logger };
  return logger;
}
