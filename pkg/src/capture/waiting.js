// Facts that are not entries. They are kept unredacted until somebody asks for them: every healthy call has some, and the core must not be
// started for those.

import { freeze } from './builtins.js';
import { clean } from './clean.js';
import * as core from './core.js';
import { appended } from './lists.js';

/** A bounded list of facts; the oldest are dropped first. @template {object} T */
export class Waiting {
  #max;
  #closed;
  /** Facts that have not been redacted yet. @type {T[]} */
  #raw = [];
  /** Facts that have been redacted. @type {readonly T[]} */
  #done = freeze([]);
  /** @type {readonly T[]} */
  #shown = this.#done;
  /** The list that was redacted last. Without a core, doing it again would give the same result. @type {T[]} */
  #seen = [];

  /**
   * @param {number} max
   * @param {boolean} [closed] Whether a fact is useful even if its texts are closed. If not, facts that no core has redacted are not
   *   listed: they wait for the core, or are dropped if it has failed.
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
