// Tells subscribers that something has changed, never inside a console call: React would answer a listener that runs
// there with "Cannot update a component while rendering a different component".

import { appended, without } from './lists.js';
import { drain } from './queue.js';
import { putOff } from './task.js';

/** How often a subscriber has thrown. */
export let listenerErrors = 0;

/** Replaced, never changed: a round of notifications that is under way keeps the list with which it began. @type {(() => void)[]} */
let listeners = [];
let telling = false;

const ask = putOff(() => {
  // What a listener logs is kept, but asks for no further round: else one that logs a match would never end. Lines that
  // came before the round are part of it, so they ask for none either.
  telling = true;
  drain();
  const round = listeners;
  for (let at = 0; at < round.length; at++) {
    try {
      const listener = round[at];
      listener();
    } catch {
      listenerErrors++;
    }
  }
  drain();
  telling = false;
});

/** Requests a round of notifications. All requests before that round runs are served by it. */
export function changed() {
  if (telling || listeners.length === 0) return;
  ask();
}

/**
 * @param {() => void} listener
 * @returns {() => void} Ends the subscription.
 */
export function subscribe(listener) {
  // A function of its own, so that the same listener may subscribe twice.
  const one = () => listener();
  listeners = appended(listeners, [one]);
  return () => {
    listeners = without(listeners, one);
  };
}
