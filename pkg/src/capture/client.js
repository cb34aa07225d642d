// What is asked of the Matrix client, structurally: any matrix-js-sdk version and any test double will do.

import { option } from './options.js';
import { text } from './values.js';

/**
 * Asks one question; a client that throws, or has no such method, costs that answer only.
 * @param {any} object
 * @param {string} method
 */
export function ask(object, method) {
  try {
    const answer = object?.[method]?.();
    return answer === undefined ? null : answer;
  } catch {
    return null;
  }
}

/**
 * The client's half of a report, in the shape of the core's `Client`.
 * @param {import('../index.js').MatrixClientLike | null | undefined} mx
 * @param {{sdkVersion?: string}} [extra]
 */
export function clientFacts(mx, extra) {
  const { ready, crypto } = askCrypto(mx);
  return {
    sdkVersion: text(option(extra, 'sdkVersion')),
    cryptoVersion: text(ask(crypto, 'getVersion')),
    deviceId: text(ask(mx, 'getDeviceId')),
    userId: text(ask(mx, 'getUserId')),
    syncState: text(ask(mx, 'getSyncState')),
    cryptoReady: ready,
  };
}

/**
 * The crypto API, and whether there is one: null if there was nobody to ask, or no answer.
 * @param {import('../index.js').MatrixClientLike | null | undefined} mx
 */
function askCrypto(mx) {
  try {
    if (typeof mx?.getCrypto !== 'function') return { ready: null, crypto: null };
    const crypto = mx.getCrypto() ?? null;
    return { ready: crypto !== null, crypto };
  } catch {
    return { ready: null, crypto: null };
  }
}
