// The list of child documents in a report. It is bounded; documents that are gone are dropped first.

import { apply, deref } from './builtins.js';
import { appended, without } from './lists.js';
import { pathOf, timeOriginOf } from './page.js';

/** Documents listed in a report; further ones are only counted. */
const DOCUMENTS_MAX = 64;

/** What a report says of one document. @typedef {import('crypto-diag/report').FrameState} Listed */

/** One row, with the element that shows the document. Weak, or a removed frame would live as long as the page.
 * @typedef {{listed: Listed, element: WeakRef<Element>}} Row */

export class FrameDocuments {
  /** Replaced, never changed. @type {Row[]} */
  #rows = [];
  omitted = 0;

  /**
   * @param {Element} element
   * @param {Window | null} window Null where the document cannot be read.
   * @param {string | null} blind What has been missed, as a sentence.
   * @returns {Listed}
   */
  add(element, window, blind) {
    const listed = {
      path: window && pathOf(window),
      hooked: false,
      hookedAt: null,
      timeOrigin: window && timeOriginOf(window),
      blind,
      removed: false,
    };
    if (this.#rows.length >= DOCUMENTS_MAX) {
      this.#rows = without(this.#rows, this.#leastWanted());
      this.omitted++;
    }
    this.#rows = appended(this.#rows, [{ listed, element: new WeakRef(element) }]);
    return listed;
  }

  /** The row to drop: the first whose document is gone, else the first. */
  #leastWanted() {
    const rows = this.#rows;
    for (let at = 0; at < rows.length; at++) if (rows[at].listed.removed) return rows[at];
    return rows[0];
  }

  /** Calls for each row; `element` is undefined once it has been collected. @param {(listed: Listed, element: Element | undefined) => void} work */
  each(work) {
    const rows = this.#rows;
    for (let at = 0; at < rows.length; at++) work(rows[at].listed, apply(deref, rows[at].element, []));
  }
}
