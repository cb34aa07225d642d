// @ts-check
// The capture of an app that has its pages kept, with the client of a large account.
import { buildReport, install } from '../../pkg/dist/index.js';
import { keepPages, observeClient } from '../../pkg/dist/keep.js';

const event = { getUnsigned: () => ({ age: 1000 }), getTxnId: () => null, localTimestamp: 1, getTs: () => 1 };
const timeline = { getEvents: () => Array(50).fill(event) };
const rooms = Array.from({ length: 500 }, () => ({ getLiveTimeline: () => timeline }));

export const start = () => {
  install({ keep: keepPages });
  observeClient(
    /** @type {any} */ ({
      getUserId: () => '@alice:example.org',
      getDeviceId: () => 'ALICEDEVIC',
      getSyncState: () => 'SYNCING',
      getCrypto: () => null,
      getRooms: () => rooms,
    }),
  );
};
export const kept = () => /** @type {number} */ (JSON.parse(buildReport(null)).capture.linesSeen);
