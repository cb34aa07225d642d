// @ts-check
/**
 * `<crypto-diag-card>`: the live counts of the page's capture and the buttons that a user needs, in any application.
 * `<crypto-diag-entries>`: the kept entries as they arrive, newest first.
 *
 * Importing this module defines both elements where there are custom elements; elsewhere (server rendering, Node) it
 * does nothing.
 */
import * as diag from '../index.js';
import { el } from './dom.js';
import { EntryList } from './entry-list.js';
import { Preview, reasonOf } from './preview.js';
import { FrameSchedule } from './schedule.js';
import { Session } from './session.js';
import { Speech } from './strings.js';
import { adoptStyles } from './styles.js';
import { View, failuresText } from './view.js';
import { watchVisibility } from './visibility.js';

export { DEFAULT_STRINGS } from './strings.js';

/** @typedef {import('../index.js').MatrixClientLike} MatrixClientLike */
/** @typedef {import('./strings.js').Strings} Strings */
/** @typedef {import('./strings.js').StringKey} StringKey */

/**
 * What the card needs of an analysis; each function is given the report's JSON text.
 *
 * @typedef {object} CardAnalysis
 * @property {(report: string) => string | Promise<string>} [sentence] what the analysis finds, in one sentence
 * @property {(report: string) => string | Promise<string>} [serverQueries] what to run on the server
 */

/** Milliseconds between two announcements to screen readers, and between two analyses. */
const CALM = 5000;
/** Milliseconds after which a Clear that nobody confirms is forgotten. */
const ARMED = 10_000;
/** Milliseconds from one analysis to the next. */
const ANALYSIS_PAUSE = 2000;

/** Under Node there is no HTMLElement; the classes exist there and are never made. */
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

/** Texts for all elements. @type {Partial<Strings>} */
let commonStrings = {};
/** @type {Set<LiveElement>} */
const connected = new Set();

/**
 * Sets the texts of every card on the page; what is left out stays English. The `strings` property of one card goes
 * before them.
 *
 * @param {Partial<Strings>} strings
 */
export function setStrings(strings) {
  commonStrings = { ...strings };
  for (const element of connected) element.rebuild();
}

/** An element that shows something of the capture while somebody could see it, and does nothing while nobody can. */
class LiveElement extends Base {
  /** @type {ShadowRoot | null} */ #root = null;
  /** @type {Partial<Strings>} */ #strings = {};
  /** @type {FrameSchedule} */ #schedule = new FrameSchedule(() => this.update());
  /** @type {(() => void) | null} */ #stopWatching = null;
  /** @type {(() => void) | null} */ #unsubscribe = null;

  connectedCallback() {
    for (const name of ['strings', 'client', 'sdkVersion', 'filePrefix', 'analysis'])
      adoptEarlyProperty(this, name);
    connected.add(this);
    this.#root ??= this.attachShadow({ mode: 'open' });
    adoptStyles(this.#root);
    this.rebuild();
    this.#stopWatching ??= watchVisibility(this, (visible) => this.#setVisible(visible));
  }

  disconnectedCallback() {
    connected.delete(this);
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.#setVisible(false);
  }

  /** Texts of this element, each in place of the common or English one. @returns {Partial<Strings>} */
  get strings() {
    return this.#strings;
  }

  set strings(strings) {
    this.#strings = strings ?? {};
    this.rebuild();
  }

  /** Builds the contents anew, in the texts that hold now. */
  rebuild() {
    if (!this.#root) return;
    const language = this.closest('[lang]')?.getAttribute('lang') ?? undefined;
    const speech = new Speech({ ...commonStrings, ...this.#strings }, language);
    this.#root.replaceChildren(this.build(speech));
    this.update();
  }

  /**
   * @param {Speech} _speech
   * @returns {Node}
   */
  build(_speech) {
    throw new Error('build is missing');
  }

  /** Shows what is so now. */
  update() {
    throw new Error('update is missing');
  }

  /** Asks for an update in a coming frame, if anybody could see it. */
  refresh() {
    if (this.#unsubscribe) this.#schedule.request();
  }

  /** Whether somebody could see the element now. */
  get watched() {
    return this.#unsubscribe !== null;
  }

  /** @param {boolean} visible */
  #setVisible(visible) {
    if (visible === this.watched) return;
    if (visible) {
      this.#unsubscribe = diag.subscribe(() => this.#schedule.request());
      this.#schedule.request();
    } else {
      this.#unsubscribe?.();
      this.#unsubscribe = null;
      this.#schedule.cancel();
    }
  }
}

/**
 * The card.
 *
 * Attributes: `sdk-version`, `file-prefix`, `heading-level` (of the title; 2 by default), `theme` (`light` or `dark`;
 * by default the inherited `color-scheme`). Slot: `analysis`. Parts: `card`, `head`, `title`, `badge`, `noise`,
 * `description`, `families`, `family`, `capture`, `analysis`, `session`, `session-title`, `session-words`, `marks`, `actions`, `button` (and `download-button`,
 * `preview-button`, `copyQueries-button`, `clear-button`), `feedback`, `queries`, `preview`, `entries`, `entry`.
 * Variables: see styles.js. Events, which bubble: `crypto-diag-download` with `detail.fileName`, `crypto-diag-clear`.
 */
export class CryptoDiagCard extends LiveElement {
  static observedAttributes = ['heading-level'];

  /** @type {Speech | null} */ #speech = null;
  /** @type {View | null} */ #view = null;
  /** @type {Preview | null} */ #preview = null;
  /** @type {Session | null} */ #session = null;
  /** @type {MatrixClientLike | null} */ #client = null;
  /** @type {string | null} */ #sdkVersion = null;
  /** @type {string | null} */ #filePrefix = null;
  /** @type {CardAnalysis | null} */ #analysis = null;
  #downloading = false;
  #armed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #disarmTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #calmTimer;
  /** What was last announced; null before the first counts, which need no announcement. @type {string | null} */ #said =
    null;
  /** The counts that were last analysed. @type {object | null} */ #analysed = null;
  /** Whether an analysis is under way, or was a moment ago. */ #analysing = false;
  #onKey = (/** @type {KeyboardEvent} */ event) => this.#session?.key(event);
  #disarmElsewhere = (/** @type {Event} */ event) => {
    if (this.#view && !event.composedPath().includes(this.#view.clearButton)) this.#disarm();
  };

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('keydown', this.#onKey);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener('keydown', this.#onKey);
    this.#disarm();
    clearTimeout(this.#calmTimer);
    this.#calmTimer = undefined;
  }

  attributeChangedCallback() {
    this.rebuild();
  }

  /** The Matrix client that reports ask for the ids, or null. @returns {MatrixClientLike | null} */
  get client() {
    return this.#client;
  }

  set client(client) {
    this.#client = client ?? null;
  }

  /** matrix-js-sdk's version, which only the application knows. @returns {string | null} */
  get sdkVersion() {
    return this.#sdkVersion ?? this.getAttribute('sdk-version');
  }

  set sdkVersion(version) {
    this.#sdkVersion = version ?? null;
  }

  /** What the names of downloaded files begin with. @returns {string | null} */
  get filePrefix() {
    return this.#filePrefix ?? this.getAttribute('file-prefix');
  }

  set filePrefix(prefix) {
    this.#filePrefix = prefix ?? null;
  }

  /** The analysis, or null: then nothing is said about findings, and no queries are offered. @returns {CardAnalysis | null} */
  get analysis() {
    return this.#analysis;
  }

  set analysis(analysis) {
    this.#analysis = analysis ?? null;
    this.#analysed = null;
    this.#view?.setAnalysis('');
    this.#view?.offerQueries(typeof this.#analysis?.serverQueries === 'function');
    if (this.watched) void this.#analyse();
  }

  /**
   * @param {Speech} speech
   * @override
   */
  build(speech) {
    this.#disarm();
    const level = Number(this.getAttribute('heading-level')) || 2;
    const preview = new Preview(speech, () => this.#makeReport(), level);
    const session = new Session(
      speech,
      {
        start: () => this.#mark('start', '', 'sessionStartedAnswer'),
        end: () => this.#mark('end', '', 'sessionEndedAnswer'),
        mark: (label) => this.#mark('symptom', label, 'sessionMarkedAnswer'),
        askOther: () => void this.#askOther(),
      },
      level,
    );
    const view = new View(
      speech,
      {
        download: () => void this.#download(),
        preview: () => this.#togglePreview(),
        copyQueries: () => void this.#copyQueries(),
        clear: (event) => this.#clear(event),
      },
      session.element,
      preview.element,
      level,
    );
    view.clearButton.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' || event.key === 'Tab') this.#disarm();
    });
    view.onAnalysisSlot(() => void this.#analyse());
    view.offerQueries(typeof this.#analysis?.serverQueries === 'function');
    this.#speech = speech;
    this.#view = view;
    this.#preview = preview;
    this.#session = session;
    this.#said = null;
    this.#analysed = null;
    return view.element;
  }

  /** @override */
  update() {
    if (!this.#view) return;
    this.#view.show(diag.getCounts(), diag.getCaptureStatus());
    this.#session?.show(diag.getMarks());
    if (this.#said === null) this.#said = this.#announcement();
    // The calm begins with the first change; whatever else comes in it is said together at its end.
    this.#calmTimer ??= setTimeout(() => {
      this.#calmTimer = undefined;
      if (this.watched) this.#speakUp();
    }, CALM);
  }

  #speakUp() {
    const text = this.#announcement();
    if (text !== this.#said) {
      this.#said = text;
      this.#view?.announce(text);
    }
    void this.#analyse();
  }

  /** What the badge and the families say, in words: "3 failures. KE-1: 3 failures". */
  #announcement() {
    const speech = /** @type {Speech} */ (this.#speech);
    const { byMeaning, byKe } = diag.getCounts();
    const families = Object.entries(byKe)
      .filter(([, meanings]) => meanings.failure > 0)
      .map(([family, meanings]) =>
        speech.say('familyDetail', { family, what: failuresText(speech, meanings.failure) }),
      )
      .join(', ');
    const failures = failuresText(speech, byMeaning.failure);
    return families === '' ? failures : speech.say('announcement', { failures, families });
  }

  /** The text that a download would save. */
  #makeReport() {
    return diag.collectReport(this.#client, this.#extra());
  }

  #extra() {
    return { sdkVersion: this.sdkVersion ?? undefined, prefix: this.filePrefix ?? undefined };
  }

  async #download() {
    const view = /** @type {View} */ (this.#view);
    const speech = /** @type {Speech} */ (this.#speech);
    if (this.#downloading) return;
    this.#downloading = true;
    view.setDownloading(true);
    view.answer(speech.say('downloading'));
    try {
      const fileName = await diag.downloadReport(this.#client, this.#extra());
      view.answer(speech.say('downloaded', { name: fileName }));
      this.#tell('crypto-diag-download', { fileName });
    } catch (error) {
      view.answer(speech.say('downloadFailed', { reason: reasonOf(error) }), 'critical');
    } finally {
      this.#downloading = false;
      view.setDownloading(false);
    }
  }

  #togglePreview() {
    const preview = /** @type {Preview} */ (this.#preview);
    if (preview.open) preview.close();
    else void preview.load();
    this.#view?.setPreviewOpen(preview.open);
  }

  async #copyQueries() {
    const view = /** @type {View} */ (this.#view);
    const speech = /** @type {Speech} */ (this.#speech);
    let queries;
    try {
      queries = (await this.#analysis?.serverQueries?.(await this.#makeReport())) ?? '';
    } catch (error) {
      view.answer(speech.say('queriesFailed', { reason: reasonOf(error) }), 'critical');
      return;
    }
    await this.#copy(queries, 'queriesCopied', 'queriesByHand', 'queriesLabel');
  }

  /**
   * @param {string} text
   * @param {StringKey} copied
   * @param {StringKey} byHand
   * @param {StringKey} label
   */
  async #copy(text, copied, byHand, label) {
    const view = /** @type {View} */ (this.#view);
    const speech = /** @type {Speech} */ (this.#speech);
    try {
      await navigator.clipboard.writeText(text);
      view.answer(speech.say(copied));
    } catch {
      // No clipboard: not a secure context, or the user or a policy said no.
      view.answer(speech.say(byHand));
      view.showText(text, speech.say(label));
    }
  }

  /**
   * @param {import('../index.js').MarkKind} kind
   * @param {string} label
   * @param {StringKey} answer
   */
  #mark(kind, label, answer) {
    const speech = /** @type {Speech} */ (this.#speech);
    diag.mark(label, kind);
    this.#session?.show(diag.getMarks());
    this.#view?.answer(speech.say(answer, { time: speech.time(Date.now()) }));
  }

  /** A message to the other side of the call, which names the time that its report has to cover. */
  async #askOther() {
    const speech = /** @type {Speech} */ (this.#speech);
    const marks = diag.getMarks();
    const end = marks.at(-1);
    const utc = (/** @type {number} */ ts) => new Date(ts).toISOString().slice(0, 16).replace('T', ' ');
    const from = utc(marks[0]?.ts ?? Date.now());
    const to = utc(end?.kind === 'end' ? end.ts : Date.now());
    await this.#copy(
      speech.say('sessionAskText', { from, to }),
      'sessionAskCopied',
      'sessionAskByHand',
      'sessionAskOther',
    );
  }

  /** @param {MouseEvent} event */
  #clear(event) {
    const view = /** @type {View} */ (this.#view);
    const speech = /** @type {Speech} */ (this.#speech);
    const { total } = diag.getCounts();
    const earlier = this.#earlierPages();
    if (total === 0 && earlier === 0) {
      this.#disarm();
      view.answer(speech.say('nothingToClear'));
    } else if (!this.#armed) {
      this.#arm();
      const warning = speech.say('clearWarning', { count: total });
      const more = earlier > 0 ? ` ${speech.say('clearWarningEarlier')}` : '';
      view.answer(warning + more, 'critical');
    } else if (event.detail <= 1) {
      // The second click of a double click confirms nothing: evidence is not lost to a nervous finger.
      this.#disarm();
      diag.clear();
      view.answer(speech.say('cleared'));
      this.#tell('crypto-diag-clear', null);
    }
  }

  /** How many earlier pages of this tab the app has kept. */
  #earlierPages() {
    return JSON.parse(diag.buildReport(this.#client)).earlierPages.length;
  }

  #arm() {
    this.#armed = true;
    this.#view?.armClear(true);
    this.#disarmTimer = setTimeout(() => this.#disarm(), ARMED);
    // At the click, not when the pointer goes down or the focus leaves: the warning's line vanishes with it, and what
    // the user aims at must not move before the click has found it.
    document.addEventListener('click', this.#disarmElsewhere, true);
  }

  #disarm() {
    if (!this.#armed) return;
    this.#armed = false;
    clearTimeout(this.#disarmTimer);
    document.removeEventListener('click', this.#disarmElsewhere, true);
    this.#view?.armClear(false);
    this.#view?.answer('');
  }

  async #analyse() {
    const view = this.#view;
    const counts = diag.getCounts();
    const sentence = this.#analysis?.sentence;
    if (!sentence) view?.setAnalysis('');
    if (!sentence || this.#analysing || this.#analysed === counts) return;
    this.#analysed = counts;
    this.#analysing = true;
    try {
      const text = String(await sentence(await this.#makeReport()));
      if (this.#analysis?.sentence === sentence) view?.setAnalysis(text);
    } catch {
      // The analysis is an addition: without it the card still gives the report.
      view?.setAnalysis('');
    }
    // Counts change with every frame of a storm; what they mean is worked out now and then.
    setTimeout(() => {
      this.#analysing = false;
      if (this.isConnected) this.#analyse();
    }, ANALYSIS_PAUSE);
  }

  /**
   * @param {string} name
   * @param {object | null} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** The kept entries as they arrive, newest first; a row opens to the whole line. Parts: `entries`, `entry`, `entry-…`. */
export class CryptoDiagEntries extends LiveElement {
  /** @type {EntryList | null} */ #list = null;
  /** @type {HTMLElement | null} */ #empty = null;

  /**
   * @param {Speech} speech
   * @override
   */
  build(speech) {
    this.#list = new EntryList(speech, { folded: true, newestFirst: true });
    this.#empty = el('p', { part: 'empty' }, speech.say('noEntries'));
    return el('div', {}, this.#empty, this.#list.element);
  }

  /** @override */
  update() {
    const entries = diag.getEntries();
    this.#list?.show(entries);
    if (this.#list) this.#list.element.hidden = entries.length === 0;
    if (this.#empty) this.#empty.hidden = entries.length > 0;
  }
}

/**
 * A property that was set before the element was defined hides the class's accessor; it is set again.
 *
 * @param {any} element
 * @param {string} name
 */
function adoptEarlyProperty(element, name) {
  if (!Object.hasOwn(element, name)) return;
  const value = element[name];
  delete element[name];
  element[name] = value;
}

/**
 * @param {string} name
 * @param {CustomElementConstructor} element
 */
function define(name, element) {
  // A second copy of this package finds the name taken and leaves the first one's element in place.
  if (globalThis.customElements && !customElements.get(name)) customElements.define(name, element);
}

define('crypto-diag-card', CryptoDiagCard);
define('crypto-diag-entries', CryptoDiagEntries);
