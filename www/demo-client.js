// @ts-check
/**
 * Stands in for a MatrixClient: crypto-diag asks a client by these methods and no others. Nobody is logged in here.
 *
 * @type {import('crypto-diag').MatrixClientLike}
 */
export const demoClient = {
  getUserId: () => '@demo:example.org',
  getDeviceId: () => 'DEMODEVICE',
  getSyncState: () => 'SYNCING',
  getCrypto: () => ({ getVersion: () => 'demo, no crypto' }),
};

/** What an application passes, since matrix-js-sdk does not tell its version at run time. */
export const DEMO_SDK_VERSION = 'demo, no SDK';
