// Tells subscribers that something has changed, never inside a console call: React would answer a listener that runs
// there with "Cannot update a component while rendering a different component".

/** How often a subscriber has thrown. */
export let listenerErrors = 0;

/** @type {Set<() => void>} */
const listeners = new Set();
let channel;
let scheduled = false;
let telling = false;

function tell() {
  scheduled = false;
  // What a listener logs is kept, but asks for no further round: else one that logs a match would never end.
  telling = true;
  for (const listener of [...listeners]) {
    try {
      listener();
    } catch {
      listenerErrors++;
    }
  }
  telling = false;
}

/** Asks for one round of notifications; any number of calls until it runs make one. */
export function changed() {
  if (scheduled || telling || listeners.size === 0) return;
  scheduled = true;
  channel.port2.postMessage(null);
}

/**
 * @param {() => void} listener
 * @returns {() => void} Ends the subscription.
 */
export function subscribe(listener) {
  // Made only now: in Node an open channel would keep the process alive.
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = tell;
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
