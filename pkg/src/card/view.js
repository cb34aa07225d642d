// @ts-check
import { el, setText } from './dom.js';
import { heading } from './preview.js';

/** @typedef {import('./strings.js').Speech} Speech */
/** @typedef {import('./strings.js').StringKey} StringKey */
/** @typedef {import('../index.js').Counts} Counts */
/** @typedef {import('../index.js').CaptureStatus} CaptureStatus */
/** @typedef {import('../index.js').MeaningCounts} Meanings */

/**
 * What the buttons do.
 *
 * @typedef {{ download(): void, preview(): void, copyQueries(): void, clear(event: MouseEvent): void }} Actions
 */

/** What is no failure is said quietly, in this order. @type {(keyof Meanings & StringKey)[]} */
const QUIET = ['transient', 'delivered', 'unrelated'];

/** The card's DOM: built once, then only changed where something has changed. */
export class View {
  /** @type {HTMLElement} */ element;
  /** @type {HTMLButtonElement} */ clearButton;
  /** @type {HTMLButtonElement} */ previewButton;
  /** @type {HTMLButtonElement} */ downloadButton;
  /** @type {HTMLButtonElement} */ copyButton;
  #speech;
  #badge = el('span', { part: 'badge' });
  #noise = el('span', { part: 'noise', class: 'quiet' });
  #families;
  #capture = el('p', { part: 'capture' });
  #captureText = el('span', { class: 'capture-text' });
  #analysis = el('span', {});
  /** @type {HTMLSlotElement} */ #analysisSlot;
  #feedback = el('p', { part: 'feedback', role: 'status' });
  #announcer = el('p', { class: 'unseen', role: 'status' });
  /** @type {HTMLTextAreaElement} */ #queries;
  /** @type {Map<string, FamilyTile>} */ #tiles = new Map();

  /**
   * @param {Speech} speech
   * @param {Actions} actions
   * @param {HTMLElement} session
   * @param {HTMLElement} preview
   * @param {number} headingLevel
   */
  constructor(speech, actions, session, preview, headingLevel) {
    this.#speech = speech;
    this.#families = el('ul', { part: 'families', role: 'list', 'aria-label': speech.say('familiesLabel') });
    this.#capture.append(this.#captureText);
    this.#analysisSlot = el('slot', { name: 'analysis' }, this.#analysis);
    this.#queries = el('textarea', {
      part: 'queries',
      readonly: true,
      hidden: true,
    });
    this.downloadButton = button(speech, 'download', 'primary', actions.download);
    this.previewButton = button(speech, 'preview', '', actions.preview);
    this.previewButton.setAttribute('aria-controls', 'preview');
    this.copyButton = button(speech, 'copyQueries', '', actions.copyQueries);
    this.clearButton = button(speech, 'clear', 'clear', actions.clear);
    const title = heading(speech.say('title'), headingLevel, 'title');
    title.id = 'title';
    this.element = el(
      'section',
      { part: 'card', 'aria-labelledby': 'title' },
      el(
        'div',
        { part: 'head' },
        title,
        this.#badge,
        this.#noise,
        el('p', { part: 'description' }, speech.say('description')),
      ),
      this.#families,
      this.#capture,
      el('div', { part: 'analysis' }, this.#analysisSlot),
      session,
      el(
        'div',
        { part: 'actions', role: 'group', 'aria-label': speech.say('actionsLabel') },
        this.downloadButton,
        this.previewButton,
        this.copyButton,
        this.clearButton,
      ),
      this.#feedback,
      this.#queries,
      preview,
      this.#announcer,
    );
    this.armClear(false);
    this.setPreviewOpen(false);
    this.offerQueries(false);
    this.setAnalysis('');
  }

  /**
   * @param {Counts} counts
   * @param {CaptureStatus} status
   */
  show(counts, status) {
    const speech = this.#speech;
    const failures = counts.byMeaning.failure;
    setText(this.#badge, failuresText(speech, failures));
    this.#badge.toggleAttribute('data-failing', failures > 0);
    setText(this.#noise, quietText(speech, counts.byMeaning));
    for (const [ke, meanings] of Object.entries(counts.byKe)) this.#tile(ke).show(meanings, speech);
    const { text, mood } = captureSentence(speech, status);
    setText(this.#captureText, text);
    this.#capture.dataset.mood = mood;
  }

  /** @param {string} ke */
  #tile(ke) {
    let tile = this.#tiles.get(ke);
    if (!tile) {
      tile = new FamilyTile(ke, this.#speech);
      this.#tiles.set(ke, tile);
      this.#families.append(tile.element);
    }
    return tile;
  }

  /**
   * Tells screen readers, politely, what the badge says to everybody else.
   *
   * @param {string} text
   */
  announce(text) {
    setText(this.#announcer, text);
  }

  /**
   * The answer to something that the user did.
   *
   * @param {string} text
   * @param {'' | 'critical'} [mood]
   */
  answer(text, mood = '') {
    setText(this.#feedback, text);
    this.#feedback.dataset.mood = mood;
    this.#queries.hidden = true;
  }

  /** @param {boolean} armed */
  armClear(armed) {
    setText(this.clearButton, this.#speech.say(armed ? 'clearConfirm' : 'clear'));
    this.clearButton.toggleAttribute('data-armed', armed);
  }

  /** @param {boolean} open */
  setPreviewOpen(open) {
    setText(this.previewButton, this.#speech.say(open ? 'hidePreview' : 'preview'));
    this.previewButton.setAttribute('aria-expanded', String(open));
  }

  /** @param {boolean} busy */
  setDownloading(busy) {
    this.downloadButton.setAttribute('aria-disabled', String(busy));
  }

  /** @param {boolean} offered */
  offerQueries(offered) {
    this.copyButton.hidden = !offered;
  }

  /**
   * A text for the user to copy where the page may not.
   *
   * @param {string} text
   * @param {string} label what it is
   */
  showText(text, label) {
    this.#queries.setAttribute('aria-label', label);
    this.#queries.value = text;
    this.#queries.hidden = false;
    this.#queries.focus();
    this.#queries.select();
  }

  /** @param {string} sentence */
  setAnalysis(sentence) {
    if (this.#analysis.textContent !== sentence) {
      // The name of a family does not break at its hyphen.
      const parts = sentence.split(/(KE-\d)/);
      const whole = (/** @type {string} */ name) => el('span', { class: 'whole' }, name);
      this.#analysis.replaceChildren(...parts.map((part, at) => (at % 2 ? whole(part) : part)));
    }
    const empty = sentence === '' && this.#analysisSlot.assignedNodes().length === 0;
    /** @type {HTMLElement} */ (this.#analysisSlot.parentElement).hidden = empty;
  }

  /** Calls back when the application puts something into the analysis slot or takes it out. @param {() => void} changed */
  onAnalysisSlot(changed) {
    this.#analysisSlot.addEventListener('slotchange', changed);
  }
}

/** One family: its id, what it is, and how many lines of it there were. */
class FamilyTile {
  #failures = el('span', { class: 'family-failures' });
  #quiet = el('span', { class: 'quiet' });
  element;

  /**
   * @param {string} ke
   * @param {Speech} speech
   */
  constructor(ke, speech) {
    const name = el('span', { class: 'family-name' }, el('span', { class: 'family-id' }, ke));
    const label = speech.sayIfKnown(ke);
    if (label !== null) name.append(el('span', {}, label));
    this.element = el(
      'li',
      { part: 'family', 'data-ke': ke },
      name,
      el('span', { class: 'family-count' }, this.#failures, this.#quiet),
    );
  }

  /**
   * @param {Meanings} meanings
   * @param {Speech} speech
   */
  show(meanings, speech) {
    setText(this.#failures, failuresText(speech, meanings.failure));
    setText(this.#quiet, quietText(speech, meanings));
    this.element.toggleAttribute('data-failing', meanings.failure > 0);
  }
}

/**
 * @param {Speech} speech
 * @param {StringKey} key
 * @param {string} kind
 * @param {(event: MouseEvent) => void} action
 * @returns {HTMLButtonElement}
 */
function button(speech, key, kind, action) {
  const element = el(
    'button',
    { type: 'button', part: `button ${key}-button`, class: `button ${kind}`.trim() },
    speech.say(key),
  );
  element.addEventListener('click', action);
  return element;
}

/**
 * @param {Speech} speech
 * @param {number} count
 */
export function failuresText(speech, count) {
  return count > 0 ? speech.say('failures', { count }) : speech.say('noFailures');
}

/**
 * @param {Speech} speech
 * @param {Meanings} meanings
 * @returns {string} such as "6 transient · 1 delivered key"; empty if there is nothing
 */
function quietText(speech, meanings) {
  return QUIET.filter((meaning) => meanings[meaning] > 0)
    .map((meaning) => speech.say(meaning, { count: meanings[meaning] }))
    .join(' · ');
}

/**
 * What the capture watches, or what it is blind to.
 *
 * @param {Speech} speech
 * @param {CaptureStatus} status
 * @returns {{ text: string, mood: 'good' | 'caution' | 'critical' | 'quiet' }}
 */
export function captureSentence(speech, status) {
  if (status.state === 'capturing') {
    const { frames, blindFrames } = status;
    const seen = frames > 0 ? speech.say('watchingFrames', { count: frames }) : speech.say('watching');
    if (blindFrames === 0) return { text: seen, mood: 'good' };
    return { text: `${seen} ${speech.say('blindFrames', { count: blindFrames })}`, mood: 'caution' };
  }
  const [key, mood] = OTHER_STATES[status.state];
  const reason = status.reason && status.state !== 'not-installed' ? ` ${status.reason}` : '';
  return { text: speech.say(key) + reason, mood };
}

/** @type {Record<Exclude<CaptureStatus['state'], 'capturing'>, [StringKey, 'caution' | 'critical' | 'quiet']>} */
const OTHER_STATES = {
  'not-installed': ['notInstalled', 'caution'],
  starting: ['starting', 'quiet'],
  stopped: ['stopped', 'caution'],
  blind: ['blind', 'critical'],
  failed: ['failed', 'critical'],
};
