// Lists that must not grow without end, made without the page's builtins.

/**
 * Two lists as one, from which the oldest of the first have gone if that is too many.
 * @template T
 * @param {readonly T[]} list
 * @param {readonly T[]} more
 * @param {number} max
 */
export function appended(list, more, max) {
  /** @type {T[]} */
  const kept = [];
  const excess = list.length + more.length - max;
  for (let at = excess > 0 ? excess : 0; at < list.length; at++) kept[kept.length] = list[at];
  for (let at = 0; at < more.length; at++) kept[kept.length] = more[at];
  return kept;
}
