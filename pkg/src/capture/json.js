// JSON that the page cannot change: a `toJSON` that a library or the page has put on a prototype is not called.

import { defineProperty, isArray, ownKeys, stringify } from './builtins.js';

// These have no prototype: if the page had put a `get` on Object.prototype, they would be read as accessors.
const SHOWN = { __proto__: null, enumerable: true, configurable: true, writable: true };
const HIDDEN = { __proto__: null, value: undefined, configurable: true, writable: true };

/**
 * @param {unknown} value Plain data: objects, arrays and primitives, as deep as a report is.
 * @returns {string} With two-space indentation, keys in their order.
 */
export function toJson(value) {
  return stringify(copy(value), null, 2);
}

/**
 * A copy of plain data whose objects and arrays have a `toJSON` of their own that is no function, so that no inherited
 * one is asked.
 * @param {any} value
 * @param {(text: string, name: string) => string | null} [mapText] Maps each text; the texts of a list are given the list's name.
 * @param {string} [name]
 */
export function copy(value, mapText, name = '') {
  if (typeof value === 'string') return mapText ? mapText(value, name) : value;
  if (typeof value !== 'object' || value === null) return value;
  const array = isArray(value);
  const made = array ? [] : {};
  const keys = ownKeys(value);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at];
    if (key === 'toJSON' || (array && key === 'length')) continue;
    defineProperty(made, key, {
      ...SHOWN,
      // @ts-expect-error: not a field but the prototype, which the copy above leaves out.
      __proto__: null,
      value: copy(value[key], mapText, array ? name : /** @type {string} */ (key)),
    });
  }
  defineProperty(made, 'toJSON', HIDDEN);
  return made;
}
