// Facts that are no entries: kept as they were given until a question has the core look at them, since every healthy call has some.

import { freeze } from './builtins.js';
import { clean } from './clean.js';
import * as core from './core.js';
import { appended } from './lists.js';

/** A bounded list of them; the oldest go first. @template {object} T */
export class Waiting {
  #max;
  #closed;
  /** What nothing has looked at yet. @type {T[]} */
  #raw = [];
  /** What needs no second look. @type {readonly T[]} */
  #done = freeze([]);
  /** @type {readonly T[]} */
  #shown = this.#done;
  /** What was last looked at: while there is no core, a second look finds nothing new. @type {T[]} */
  #seen = [];

  /**
   * @param {number} max
   * @param {boolean} [closed] Whether they say something although their texts are closed. If not, those that no core has looked at are
   *   not listed: they wait for it, or are dropped if it has failed.
   */
  constructor(max, closed = false) {
    this.#max = max;
    this.#closed = closed;
  }

  /** @param {T} fact */
  add(fact) {
    this.#raw = appended(this.#raw, [fact], this.#max);
  }

  /** How many are kept. */
  size() {
    return this.#raw.length + this.#done.length;
  }

  /** Those that can be shown, oldest first: frozen, without secrets, and the same array until something changes. */
  list() {
    const raw = this.#raw;
    if (raw.length > 0 && (core.start() !== 'starting' || raw !== this.#seen)) {
      const { facts, byCore } = clean(raw);
      this.#seen = raw;
      if (byCore || this.#closed) {
        for (let at = 0; at < facts.length; at++) freeze(facts[at]);
        this.#shown = freeze(appended(this.#done, facts, this.#max));
      }
      if (byCore || core.status === 'failed') {
        this.#raw = this.#seen = [];
        this.#done = this.#shown;
      }
    }
    return this.#shown;
  }

  /** Forgets them. */
  clear() {
    this.#raw = this.#seen = [];
    this.#shown = this.#done = freeze([]);
  }
}
