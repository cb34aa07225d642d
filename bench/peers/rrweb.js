// @ts-check
import { record } from '@rrweb/record';
import { getRecordConsolePlugin } from '@rrweb/rrweb-plugin-console-record';

let events = 0;
/** The plugin's own kind of event. */
const PLUGIN = 6;

export const start = () =>
  void record({
    emit: (/** @type {any} */ event) => {
      if (/** @type {number} */ (event.type) === PLUGIN) events++;
    },
    plugins: [
      getRecordConsolePlugin({
        level: ['warn', 'error'],
        // Its own bound, a thousand lines, would end the measurement.
        lengthThreshold: Number.MAX_SAFE_INTEGER,
      }),
    ],
  });
export const kept = () => events;
