// The pass-through wrappers around a console's methods.
//
// The promise to the page: the original is called exactly once, with the same `this` and the very same arguments; what
// it throws propagates; nothing of ours ever does.

import { apply, defineProperty, deleteProperty, getOwnPropertyDescriptor } from './builtins.js';
import { wordsOf } from './error-words.js';

/** Marks our wrappers, so that no console is wrapped twice, also not by another copy of this package. */
const HOOK = Symbol.for('crypto-diag.hook');

/**
 * @typedef {object} Hook One wrapped method of a console, or one constructor of a Window.
 * @property {string} method
 * @property {Function | null} wrapper Null if the method could not be wrapped.
 * @property {string | null} reason Why not.
 * @property {boolean} [ours] Whether another hook of this page's is in place already.
 * @property {boolean} [live] Whether lines are still looked at. A wrapper that cannot be removed only passes calls on.
 * @property {typeof globalThis} [owner] The page that looks: a frame's own capture and its parent's both may.
 * @property {Function} [original]
 * @property {PropertyDescriptor} [descriptor] What stood there; undefined if it was inherited.
 * @property {any} [target] What it was wrapped on.
 */

/**
 * Wraps one method of a console.
 * @param {Console} console
 * @param {'warn' | 'error' | 'info'} method
 * @param {(args: unknown[]) => void} look Sees the arguments before the original does.
 * @returns {Hook}
 */
export function hook(console, method, look) {
  const failed = (/** @type {string} */ reason, ours = false) => ({ method, wrapper: null, reason, ours });
  try {
    const original = console[method];
    if (typeof original !== 'function') return failed('The console has no such method.');
    const other = getOwnPropertyDescriptor(original, HOOK)?.value;
    if (other?.live && other.owner === globalThis) return failed('It is already hooked.', true);
    const descriptor = getOwnPropertyDescriptor(console, method);
    /** @type {Hook} */
    const hooked = {
      method,
      wrapper: null,
      original,
      descriptor,
      target: console,
      reason: null,
      live: true,
      owner: globalThis,
    };
    // Not an arrow function: the page's `this` must reach the original.
    /** @this {unknown} @param {unknown[]} args */
    const wrapper = function (...args) {
      try {
        if (hooked.live) look(args);
      } catch {
        // Happens only if the stack is exhausted.
      }
      return apply(original, this, args);
    };
    hooked.wrapper = wrapper;
    disguise(wrapper, original);
    // The wrapper holds its hook, so that whoever watches many consoles can hold hooks weakly.
    defineProperty(wrapper, HOOK, { value: hooked });
    const done = defineProperty(console, method, {
      value: wrapper,
      writable: descriptor?.writable ?? true,
      enumerable: descriptor?.enumerable ?? true,
      configurable: descriptor?.configurable ?? true,
    });
    return done ? hooked : failed('The console does not let its method be replaced.');
  } catch (error) {
    return failed(`The console could not be changed: ${wordsOf(error)}`);
  }
}

/**
 * The original's name and length are kept, so that code which looks at them sees no difference.
 * @param {Function} wrapper
 * @param {Function} original
 */
function disguise(wrapper, original) {
  for (const key of ['name', 'length']) {
    const descriptor = getOwnPropertyDescriptor(original, key);
    if (descriptor) defineProperty(wrapper, key, descriptor);
  }
}

/** Whether the wrapper still stands where it was put. @param {Hook} hooked */
export function inPlace({ target, method, wrapper }) {
  try {
    return wrapper !== null && target?.[method] === wrapper;
  } catch {
    return false;
  }
}

/** Stops looking and restores the original. If somebody else has wrapped ours, our wrapper stays and only passes calls on. @param {Hook} hooked */
export function unhook(hooked) {
  hooked.live = false;
  if (!inPlace(hooked)) return;
  const { target, method, descriptor } = hooked;
  if (descriptor) defineProperty(target, method, descriptor);
  else deleteProperty(target, method);
}
