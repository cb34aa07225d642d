// @ts-check
import Rollbar from 'rollbar';

/** @type {any} */
let rollbar;

export function start() {
  rollbar = new Rollbar({
    accessToken: '0123456789abcdef0123456789abcdef',
    captureUncaught: false,
    autoInstrument: { log: true },
  });
}
export const kept = () => rollbar.client.telemeter.queue.length;
