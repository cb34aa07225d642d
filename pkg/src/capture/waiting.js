// Facts out of lines that are no entries: kept as they were written until a question has the core look at them, since every healthy
// call has some.

import { clean } from './clean.js';
import * as core from './core.js';

/** A bounded list of them; the oldest go first. @template T */
export class Waiting {
  #max;
  /** @type {T[]} */
  #raw = [];
  /** @type {T[]} */
  #looked = [];

  /** @param {number} max */
  constructor(max) {
    this.#max = max;
  }

  /** @param {T} fact */
  add(fact) {
    this.#raw = this.#appended(this.#raw, [fact]);
  }

  /** Two lists as one, from which the oldest have gone if that is too many. @param {T[]} list @param {T[]} more */
  #appended(list, more) {
    const kept = [];
    const excess = list.length + more.length - this.#max;
    for (let at = excess > 0 ? excess : 0; at < list.length; at++) kept[kept.length] = list[at];
    for (let at = 0; at < more.length; at++) kept[kept.length] = more[at];
    return kept;
  }

  /**
   * Those kept, oldest first. The ones that no core has looked at are not among them: they wait for it, or are dropped if it
   * has failed.
   */
  list() {
    if (this.#raw.length > 0 && core.start() !== 'starting') {
      const { facts, byCore } = clean(this.#raw);
      if (byCore) this.#looked = this.#appended(this.#looked, facts);
      if (byCore || core.status === 'failed') this.#raw = [];
    }
    return this.#looked;
  }

  /** Forgets them. */
  clear() {
    this.#raw = [];
    this.#looked = [];
  }
}
