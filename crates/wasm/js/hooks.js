// The pass-through wrappers around a console's methods.
//
// The promise to the page: the original is called exactly once, with the same `this` and the very same arguments; what
// it throws propagates; nothing of ours ever does.

import { apply, defineProperty, getOwnPropertyDescriptor } from './builtins.js';

/** Marks our wrappers, so that no console is wrapped twice, also not by another copy of this package. */
const HOOK = Symbol.for('crypto-diag.hook');

/**
 * @typedef {object} Hook One wrapped method.
 * @property {string} method
 * @property {Function | null} wrapper Null if the method could not be wrapped.
 * @property {string | null} reason Why not.
 * @property {boolean} [ours] Whether another hook of this package is in place already.
 * @property {Function} [original]
 * @property {Console} [console]
 */

/** The getter's or method's own name and length are kept, so that code which looks at them sees no difference. */
function disguise(wrapper, original) {
  for (const key of ['name', 'length']) {
    const descriptor = getOwnPropertyDescriptor(original, key);
    if (descriptor) defineProperty(wrapper, key, descriptor);
  }
}

/**
 * Wraps one method of a console.
 * @param {Console} console
 * @param {string} method
 * @param {(args: unknown[]) => void} look Sees the arguments before the original does; must not throw.
 * @returns {Hook}
 */
export function hook(console, method, look) {
  try {
    const original = console[method];
    if (typeof original !== 'function') return { method, wrapper: null, reason: 'The console has no such method.' };
    if (getOwnPropertyDescriptor(original, HOOK)) return { method, wrapper: null, reason: 'It is already hooked.', ours: true };
    // Not an arrow function: the page's `this` must reach the original.
    const wrapper = function (...args) {
      look(args);
      return apply(original, this, args);
    };
    disguise(wrapper, original);
    const hooked = { method, wrapper, original, console, reason: null };
    // The wrapper holds its hook, so that whoever watches many consoles can hold hooks weakly.
    defineProperty(wrapper, HOOK, { value: hooked });
    const descriptor = getOwnPropertyDescriptor(console, method);
    const done = defineProperty(console, method, {
      value: wrapper,
      writable: descriptor?.writable ?? true,
      enumerable: descriptor?.enumerable ?? true,
      configurable: descriptor?.configurable ?? true,
    });
    if (!done) return { method, wrapper: null, reason: 'The console does not let its method be replaced.' };
    return hooked;
  } catch (error) {
    return { method, wrapper: null, reason: `The console could not be changed: ${error?.message}` };
  }
}

/** Whether the console's method is still the wrapper. */
export function inPlace({ console, method, wrapper }) {
  try {
    return wrapper !== null && console[method] === wrapper;
  } catch {
    return false;
  }
}

/** Puts the original back, unless somebody else has wrapped on top: then the wrapper stays as a mere passage. */
export function unhook(hooked) {
  if (!inPlace(hooked)) return false;
  try {
    return defineProperty(hooked.console, hooked.method, {
      ...getOwnPropertyDescriptor(hooked.console, hooked.method),
      value: hooked.original,
    });
  } catch {
    return false;
  }
}
