// @ts-check
import { el, setText } from './dom.js';

/** @typedef {import('../index.js').Entry} Entry */
/** @typedef {import('./strings.js').Speech} Speech */
/** @typedef {import('./strings.js').StringKey} StringKey */

/** The capture keeps no more; a list never shows more, whatever it is handed. */
export const ROWS_MAX = 200;

/** UTF-16 code units of a message that stand in a folded row, which shows one line of it. */
const EXCERPT_MAX = 240;
/** How many of them stand before the words that matched: what leads up to them is often a prefix and no news. */
const EXCERPT_LEAD = 32;

/** @type {Record<Entry['meaning'], StringKey>} */
const MEANING_WORDS = {
  failure: 'entryFailure',
  transient: 'entryTransient',
  delivered: 'entryDelivered',
  unrelated: 'entryUnrelated',
};

/** Rows that go at once in what counts as a storm. */
const STORM_ROWS = 50;

/**
 * A list of entries. Rows of entries that stay are kept, with their open or closed state; rows of entries that go are
 * used again for those that come.
 */
export class EntryList {
  /** @type {HTMLOListElement} */ element;
  /** @type {Speech} */ #speech;
  #folded;
  #newestFirst;
  /** @type {Row[]} oldest first */ #rows = [];

  /**
   * @param {Speech} speech
   * @param {{ folded: boolean, newestFirst: boolean }} options folded rows show one line and open to the rest
   */
  constructor(speech, { folded, newestFirst }) {
    this.#speech = speech;
    this.#folded = folded;
    this.#newestFirst = newestFirst;
    // The role is said again because WebKit takes it from lists without markers.
    this.element = el('ol', { part: 'entries', role: 'list', 'aria-label': speech.say('entriesLabel') });
  }

  /**
   * Shows exactly these entries.
   *
   * @param {readonly Entry[]} entries oldest first
   */
  show(entries) {
    const wanted = entries.slice(-ROWS_MAX);
    const { kept, gone } = this.#sortOut(wanted);
    const focused = this.#focusedRow();
    if (gone.length > STORM_ROWS && !focused && !this.#rows.some((row) => row.open))
      this.#showInPlace(wanted);
    else this.#showInOrder(wanted, kept, gone, focused);
  }

  /**
   * In a storm nearly every row changes, and nobody could follow one. Rows that stay where they are and only change
   * their texts cost the browser a small part of what rows that move cost it.
   *
   * @param {readonly Entry[]} wanted
   */
  #showInPlace(wanted) {
    for (const row of this.#rows.splice(wanted.length)) row.element.remove();
    const shared = this.#rows.length;
    this.#rows.forEach((row, at) => row.show(wanted[at], this.#speech));
    this.#add(wanted.slice(shared), []);
  }

  /**
   * @param {readonly Entry[]} wanted
   * @param {Row[]} kept
   * @param {Row[]} gone
   * @param {Row | undefined} focused
   */
  #showInOrder(wanted, kept, gone, focused) {
    for (const row of gone) row.element.remove();
    this.#rows = kept;
    // What has the focus is not used again elsewhere: the focus would jump with it.
    this.#add(
      wanted.slice(kept.length),
      gone.filter((row) => row !== focused),
    );
  }

  /**
   * @param {readonly Entry[]} entries newer than those that have rows
   * @param {Row[]} spare rows to use again
   */
  #add(entries, spare) {
    const rows = entries.map((entry) => {
      const row = spare.pop() ?? new Row(this.#folded);
      row.show(entry, this.#speech);
      return row;
    });
    const added = rows.map((row) => row.element);
    if (this.#newestFirst) this.element.prepend(...added.reverse());
    else this.element.append(...added);
    this.#rows.push(...rows);
  }

  /**
   * The capture only appends and evicts, so what is kept is a subsequence that stands first in what is wanted.
   *
   * @param {readonly Entry[]} wanted
   * @returns {{ kept: Row[], gone: Row[] }}
   */
  #sortOut(wanted) {
    /** @type {Row[]} */ const kept = [];
    /** @type {Row[]} */ const gone = [];
    for (const row of this.#rows) {
      const next = wanted[kept.length];
      if (next !== undefined && row.shows(next)) kept.push(row);
      else gone.push(row);
    }
    return { kept, gone };
  }

  /** @returns {Row | undefined} */
  #focusedRow() {
    const root = this.element.getRootNode();
    const active = root instanceof ShadowRoot || root instanceof Document ? root.activeElement : null;
    if (!active || !this.element.contains(active)) return undefined;
    return this.#rows.find((row) => row.element.contains(active));
  }
}

/** One entry's row. */
class Row {
  /** @type {HTMLLIElement} */ element;
  #time = el('time', { part: 'entry-time' });
  #family = el('span', { part: 'entry-family' });
  #meaning = el('span', { part: 'entry-meaning' });
  #redactions = el('span', { part: 'entry-redactions' });
  #excerpt = el('span', { part: 'entry-excerpt' });
  #body = el('div', { part: 'entry-body' });
  /** @type {HTMLDetailsElement | null} */ #fold = null;
  /** @type {Entry | null} */ #entry = null;
  /** @type {Speech | null} */ #speech = null;

  /** @param {boolean} folded */
  constructor(folded) {
    const head = [this.#time, this.#family, this.#meaning, this.#redactions];
    if (folded) {
      this.#fold = el(
        'details',
        {},
        el('summary', { part: 'entry-head' }, ...head, this.#excerpt),
        this.#body,
      );
      this.#fold.addEventListener('toggle', () => this.#fillBody());
      this.element = el('li', { part: 'entry' }, this.#fold);
    } else {
      this.element = el('li', { part: 'entry' }, el('div', { part: 'entry-head' }, ...head), this.#body);
    }
  }

  /** Whether somebody has opened this row, so that it must stay with its entry. */
  get open() {
    return this.#fold?.open === true;
  }

  /**
   * @param {Entry} entry
   * @returns {boolean}
   */
  shows(entry) {
    const own = this.#entry;
    return (
      own === entry ||
      (own !== null &&
        own.ts === entry.ts &&
        own.ke === entry.ke &&
        own.meaning === entry.meaning &&
        own.level === entry.level &&
        own.realm?.path === entry.realm?.path &&
        own.message === entry.message)
    );
  }

  /**
   * @param {Entry} entry
   * @param {Speech} speech
   */
  show(entry, speech) {
    if (entry === this.#entry) return;
    this.#entry = entry;
    this.#speech = speech;
    this.element.dataset.meaning = String(entry.meaning);
    this.element.dataset.ke = String(entry.ke);
    setText(this.#time, speech.time(entry.ts));
    setText(this.#family, String(entry.ke));
    setText(
      this.#meaning,
      Object.hasOwn(MEANING_WORDS, entry.meaning) ? speech.say(MEANING_WORDS[entry.meaning]) : '',
    );
    setText(
      this.#redactions,
      entry.redactions > 0 ? speech.say('entryRedactions', { count: entry.redactions }) : '',
    );
    this.#redactions.hidden = !(entry.redactions > 0);
    if (this.#body.hasChildNodes()) this.#body.replaceChildren();
    if (this.#fold) {
      if (this.#fold.open) this.#fold.open = false;
      setText(this.#excerpt, excerpt(entry));
    } else {
      this.#fillBody();
    }
  }

  /** A folded row's rest is built when it is first opened: most never are. */
  #fillBody() {
    if (this.#entry === null || this.#speech === null || this.#body.hasChildNodes()) return;
    this.#body.append(...entryBody(this.#entry, this.#speech));
  }
}

/**
 * The part of a message around the words that matched.
 *
 * @param {Entry} entry
 * @returns {string}
 */
function excerpt(entry) {
  const message = String(entry.message);
  const at = message.indexOf(entry.signature);
  if (at <= EXCERPT_LEAD) return message.slice(0, EXCERPT_MAX);
  // Begun at a word where there is one.
  const lead = message.slice(at - EXCERPT_LEAD, at).replace(/^\S*\s+/, '');
  return `… ${lead}${message.slice(at, at + EXCERPT_MAX)}`;
}

/**
 * @param {Entry} entry
 * @param {Speech} speech
 * @returns {Node[]}
 */
function entryBody(entry, speech) {
  /** @type {[StringKey, string][]} */
  const facts = [
    ['entrySignature', String(entry.signature)],
    ['entryRealm', realmName(entry, speech)],
    [
      'entrySource',
      entry.source === 'uncaught'
        ? speech.say('sourceUncaught')
        : speech.say('sourceConsole', { level: entry.level }),
    ],
  ];
  const list = el('dl', { part: 'facts' });
  for (const [key, value] of facts) list.append(el('dt', {}, speech.say(key)), el('dd', {}, value));
  /** @type {HTMLElement[]} */
  const body = [
    el('pre', { part: 'entry-message', class: 'entry-message block' }, String(entry.message)),
    list,
  ];
  if (typeof entry.truncatedFrom === 'number') {
    body.push(el('p', { class: 'quiet' }, speech.say('entryTruncated', { count: entry.truncatedFrom })));
  }
  if (entry.stack) {
    list.append(
      el('dt', {}, speech.say('entryStack')),
      el('dd', {}, el('pre', { class: 'entry-message' }, entry.stack)),
    );
  }
  return body;
}

/**
 * @param {Entry} entry
 * @param {Speech} speech
 * @returns {string}
 */
function realmName(entry, speech) {
  const path = entry.realm?.path ?? '';
  if (entry.realm?.kind === 'frame') return speech.say('realmFrame', { path }).trim();
  if (entry.realm?.kind === 'worker') return speech.say('realmWorker', { path }).trim();
  return speech.say('realmMain');
}
