// @ts-check
import { el, setText } from './dom.js';
import { EntryList } from './entry-list.js';

/** @typedef {import('./strings.js').Speech} Speech */

/** Fields of a report that are said elsewhere in the preview, or that only name its format. */
const NOT_FACTS = new Set(['schema', 'schemaVersion', 'entries']);

/** What stands in a closed stretch's place, its class in front of its length. */
const CLOSED = /\[closed(?: ([a-z][a-z0-9-]*))?(?: \d+)?(?: #[a-z2-9]{4})?\]/g;

/**
 * How many stretches of each class are closed in a report, most first.
 *
 * @param {string} text the report
 * @param {Speech} speech
 */
function closedClasses(text, speech) {
  /** @type {Map<string, number>} */ const counts = new Map();
  for (const [, name = 'named'] of text.matchAll(CLOSED)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const most = [...counts].sort(([, one], [, other]) => other - one);
  return most.map(([name, count]) => `${speech.sayIfKnown(`closed.${name}`) ?? name}: ${count}`).join(', ');
}

/**
 * What a report holds, shown from the very text that a download would save, so that the two cannot differ. Fields that
 * this file has never heard of are shown like the others.
 */
export class Preview {
  /** @type {HTMLElement} */ element;
  #speech;
  #makeReport;
  #headingLevel;
  #note = el('p', { class: 'preview-note' });
  #content = el('div', { part: 'preview-content', class: 'preview-content' });
  /** Counts the reports asked for: an answer that is overtaken is dropped. */
  #asked = 0;

  /**
   * @param {Speech} speech
   * @param {() => string | Promise<string>} makeReport
   * @param {number} headingLevel that of the card's own title
   */
  constructor(speech, makeReport, headingLevel) {
    this.#speech = speech;
    this.#makeReport = makeReport;
    this.#headingLevel = headingLevel;
    const title = heading(speech.say('previewTitle'), headingLevel + 1, 'preview-title');
    title.id = 'preview-title';
    const update = el(
      'button',
      { part: 'button', type: 'button', class: 'button small' },
      speech.say('previewUpdate'),
    );
    update.addEventListener('click', () => void this.load());
    this.element = el(
      'section',
      { part: 'preview', id: 'preview', 'aria-labelledby': 'preview-title', hidden: true },
      el('div', { class: 'preview-head' }, title, update, this.#note),
      this.#content,
    );
  }

  get open() {
    return !this.element.hidden;
  }

  /** Shows the report as it is now. */
  async load() {
    this.element.hidden = false;
    const asked = ++this.#asked;
    try {
      const answer = this.#makeReport();
      if (typeof answer !== 'string') setText(this.#note, this.#speech.say('previewLoading'));
      const text = await answer;
      if (asked === this.#asked) this.#show(text);
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#content.replaceChildren();
      setText(this.#note, this.#speech.say('previewFailed', { reason: reasonOf(error) }));
    }
  }

  /** Folds the preview away and lets its nodes go. */
  close() {
    this.#asked++;
    this.element.hidden = true;
    this.#content.replaceChildren();
  }

  /** @param {string} text */
  #show(text) {
    const speech = this.#speech;
    /** @type {Record<string, any>} */ const report = JSON.parse(text);
    const entries = Array.isArray(report.entries) ? report.entries : [];
    const redactions = Number(report.capture?.redactions ?? 0);
    setText(this.#note, speech.say('previewMade', { time: speech.time(Number(report.generatedAt)) }));

    /** @type {HTMLElement} */ const facts = el('dl', { part: 'facts' });
    /** @type {HTMLElement[]} */ const folds = [];
    for (const [name, value] of Object.entries(report)) {
      if (NOT_FACTS.has(name)) continue;
      const label = speech.sayIfKnown(`field.${name}`) ?? name;
      if (value !== null && typeof value === 'object' && name !== 'tool')
        folds.push(fold(label, pretty(value)));
      else facts.append(el('dt', {}, label), el('dd', {}, el('bdi', {}, this.#plain(name, value))));
    }
    const classes = closedClasses(text, speech);
    const closed = [speech.say('previewRedactions', { count: redactions })];
    if (classes !== '') closed.push(speech.say('previewClasses', { classes }));
    const earlier = report.earlierPages?.length ?? 0;
    if (earlier > 0) closed.unshift(speech.say('previewEarlier', { count: earlier }));
    const list = new EntryList(speech, { folded: false, newestFirst: false });
    list.show(entries);
    this.#content.replaceChildren(
      el('p', { class: 'preview-redactions' }, closed.join(' ')),
      this.#section(speech.say('previewFacts'), facts),
      this.#section(
        speech.say('previewEntries', { count: entries.length }),
        entries.length > 0 ? this.#scroller(list.element) : '',
      ),
      this.#section(speech.say('previewDetails'), ...folds),
      fold(speech.say('previewRaw'), () => text),
    );
  }

  /**
   * A fact of the report that is no list and no object.
   *
   * @param {string} name
   * @param {any} value
   */
  #plain(name, value) {
    const speech = this.#speech;
    if (value === null) return speech.say('previewUnknown');
    if (typeof value === 'boolean') return speech.say(value ? 'previewYes' : 'previewNo');
    if (name === 'generatedAt' && Number.isFinite(value)) return new Date(value).toISOString();
    if (name === 'tool') return Object.values(value).join(' ');
    return String(value);
  }

  /**
   * @param {string} title
   * @param {...(Node | string)} children
   */
  #section(title, ...children) {
    return el(
      'div',
      { class: 'preview-section' },
      heading(title, this.#headingLevel + 2, 'preview-heading'),
      ...children.filter((child) => child !== ''),
    );
  }

  /**
   * A box that scrolls must be reachable by keyboard, and then it needs a name.
   *
   * @param {Node} content
   */
  #scroller(content) {
    const label = this.#speech.say('entriesLabel');
    return el('div', { class: 'scroller', tabindex: '0', role: 'group', 'aria-label': label }, content);
  }
}

/**
 * @param {unknown} error
 * @returns {string}
 */
export function reasonOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A heading at a level that the application chooses, since only it knows what stands above the card.
 *
 * @param {string} text
 * @param {number} level
 * @param {string} part
 */
export function heading(text, level, part) {
  return el('div', { part, role: 'heading', 'aria-level': String(Math.min(level, 6)) }, text);
}

/**
 * @param {any} value
 * @returns {() => string}
 */
function pretty(value) {
  return () => JSON.stringify(value, null, 2);
}

/**
 * A fold whose text is made when it is opened: a report can have megabytes, and most readers never open it.
 *
 * @param {string} title
 * @param {() => string} text
 */
function fold(title, text) {
  const raw = el('pre', { part: 'raw', class: 'raw', tabindex: '0', role: 'group', 'aria-label': title });
  const element = el('details', { class: 'fold' }, el('summary', {}, title), raw);
  element.addEventListener('toggle', () => setText(raw, element.open ? text() : ''));
  return element;
}
