// Lists that are replaced, never changed, and made without the page's builtins.

import { apply, deref } from './builtins.js';

/**
 * Joins two lists. If the result is longer than `max`, elements at the beginning of the first list are dropped.
 * @template T
 * @param {readonly T[]} list
 * @param {readonly T[]} more
 * @param {number} [max]
 */
export function appended(list, more, max = Infinity) {
  /** @type {T[]} */
  const kept = [];
  const excess = list.length + more.length - max;
  for (let at = excess > 0 ? excess : 0; at < list.length; at++) kept[kept.length] = list[at];
  for (let at = 0; at < more.length; at++) kept[kept.length] = more[at];
  return kept;
}

/**
 * A copy of a list without one element.
 * @template T
 * @param {readonly T[]} list
 * @param {T} gone
 */
export function without(list, gone) {
  /** @type {T[]} */
  const rest = [];
  for (let at = 0; at < list.length; at++) if (list[at] !== gone) rest[rest.length] = list[at];
  return rest;
}

/**
 * Calls `work` for each weakly held object that has not been collected.
 * @template {object} T
 * @param {readonly WeakRef<T>[]} refs
 * @param {(one: T, ref: WeakRef<T>) => void} work
 */
export function eachLiving(refs, work) {
  for (let at = 0; at < refs.length; at++) {
    const one = apply(deref, refs[at], []);
    if (one) work(one, refs[at]);
  }
}

/**
 * The references whose objects have not been collected.
 * @template {object} T
 * @param {readonly WeakRef<T>[]} refs
 */
export function living(refs) {
  /** @type {WeakRef<T>[]} */
  const kept = [];
  eachLiving(refs, (_, ref) => (kept[kept.length] = ref));
  return kept;
}
