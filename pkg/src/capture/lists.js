// Lists that are replaced, never changed, and made without the page's builtins.

import { apply, deref } from './builtins.js';

/**
 * Two lists as one, from which the oldest of the first have gone if that is too many.
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
 * A list without an element.
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
 * Calls for each of some weakly held things that is still there.
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
 * Those of them that are still there.
 * @template {object} T
 * @param {readonly WeakRef<T>[]} refs
 */
export function living(refs) {
  /** @type {WeakRef<T>[]} */
  const kept = [];
  eachLiving(refs, (_, ref) => (kept[kept.length] = ref));
  return kept;
}
