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
    for (const row of gone) row.element.remove();
    // What has the focus is not used again elsewhere: the focus would jump with it.
    const spare = gone.filter((row) => !row.hadFocus);
    const come = wanted.slice(kept.length).map((entry) => {
      const row = spare.pop() ?? new Row(this.#folded);
      row.show(entry, this.#speech);
      return row;
    });
    const added = come.map((row) => row.element);
    if (this.#newestFirst) this.element.prepend(...added.reverse());
    else this.element.append(...added);
    this.#rows = [...kept, ...come];
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
      else gone.push(row.noteFocus());
    }
    return { kept, gone };
  }
}

/** One entry's row. */
class Row {
  /** @type {HTMLLIElement} */ element;
  hadFocus = false;
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

  /** @returns {this} */
  noteFocus() {
    this.hadFocus = this.element.matches(':focus-within');
    return this;
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
    this.#body.replaceChildren();
    if (this.#fold) {
      this.#fold.open = false;
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
