// JSON that the page cannot change: a `toJSON` on a prototype, by an old library or on purpose, has no say.

import { defineProperty, isArray, ownKeys, stringify } from './builtins.js';

/**
 * @param {unknown} value Plain data: objects, arrays and primitives, as deep as a report is.
 * @returns {string} With two-space indentation, keys in their order.
 */
export function toJson(value) {
  return stringify(shielded(value), null, 2);
}

/** A copy whose objects and arrays have a `toJSON` of their own that is no function, so that no inherited one is asked. */
function shielded(value) {
  if (typeof value !== 'object' || value === null) return value;
  const copy = isArray(value) ? [] : {};
  const keys = ownKeys(value);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at];
    if (key !== 'length' || !isArray(value)) define(copy, key, shielded(value[key]), true);
  }
  define(copy, 'toJSON', undefined, false);
  return copy;
}

function define(object, key, value, enumerable) {
  defineProperty(object, key, { value, enumerable, configurable: true, writable: true });
}
