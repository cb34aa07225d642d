// Facts out of lines that are no entries: kept as they were written until a question has the core look at them, since every healthy
// call has some.

import { clean } from './clean.js';
import * as core from './core.js';
import { appended } from './lists.js';

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
    this.#raw = appended(this.#raw, [fact], this.#max);
  }

  /**
   * Those kept, oldest first. The ones that no core has looked at are not among them: they wait for it, or are dropped if it
   * has failed.
   */
  list() {
    if (this.#raw.length > 0 && core.start() !== 'starting') {
      const { facts, byCore } = clean(this.#raw);
      if (byCore) this.#looked = appended(this.#looked, facts, this.#max);
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
