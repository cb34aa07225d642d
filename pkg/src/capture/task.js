// Runs work in a task of its own, soon and without a timer: browsers slow down the timers of a hidden page.

import { Channel, apply, postMessage } from './builtins.js';

/**
 * @param {() => void} work
 * @returns {() => boolean} Asks for the work to be done once; any number of calls until it begins are one. False where the
 *   page has broken the means.
 */
export function putOff(work) {
  let asked = false;
  /** @type {MessagePort | undefined} */
  let port;
  return () => {
    if (asked) return true;
    try {
      if (!port) {
        const { port1, port2 } = new Channel();
        port1.onmessage = () => {
          asked = false;
          work();
        };
        // Node only: an open channel must not keep the process from ending.
        port1.unref?.();
        port = port2;
      }
      apply(postMessage, port, [null]);
      asked = true;
    } catch {
      // There is no means left; the caller gets `false`.
    }
    return asked;
  };
}
