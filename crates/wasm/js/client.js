// What is asked of the Matrix client, structurally: any matrix-js-sdk version and any test double will do.

/** Asks one question; a client that throws, or has no such method, costs that answer only. */
function ask(object, method) {
  try {
    const answer = object?.[method]?.();
    return answer === undefined ? null : answer;
  } catch {
    return null;
  }
}

const text = (value) => (typeof value === 'string' ? value : null);

/**
 * The client's half of a report, in the shape of the core's `Client`.
 * @param {import('../../../pkg/src/index.js').MatrixClientLike | null | undefined} mx
 * @param {{sdkVersion?: string}} [extra]
 */
export function clientFacts(mx, extra) {
  const crypto = mx ? askCrypto(mx) : null;
  return {
    sdkVersion: text(extra?.sdkVersion),
    cryptoVersion: crypto ? text(ask(crypto, 'getVersion')) : null,
    deviceId: text(ask(mx, 'getDeviceId')),
    userId: text(ask(mx, 'getUserId')),
    syncState: text(ask(mx, 'getSyncState')),
    cryptoReady: mx && typeof mx.getCrypto === 'function' && crypto !== undefined ? crypto !== null : null,
  };
}

/** The crypto API, null if there is none yet, undefined if the client threw. */
function askCrypto(mx) {
  try {
    return mx.getCrypto?.() ?? null;
  } catch {
    return undefined;
  }
}
