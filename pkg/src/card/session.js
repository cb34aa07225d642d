// @ts-check
import { el, setText } from './dom.js';
import { heading } from './preview.js';

/** @typedef {import('./strings.js').Speech} Speech */
/** @typedef {import('./strings.js').StringKey} StringKey */
/** @typedef {import('../index.js').Mark} Mark */

/**
 * What the session's buttons do.
 *
 * @typedef {{ start(): void, end(): void, mark(label: string): void, askOther(): void }} SessionActions
 */

/** What can be marked by one click; the label is the button's own text. @type {StringKey[]} */
const SYMPTOMS = ['sessionAudioCut', 'sessionVideoFroze'];
/** The buttons that Alt, Shift and a digit press, from 1 on. By the key's place: with Alt and Shift it types something else. */
const KEYS = [...SYMPTOMS, 'sessionNoSound', 'sessionMark'];
/** The guide, in the order in which it is gone through. @type {StringKey[]} */
const STEPS = [
  'sessionStep1',
  'sessionStep2',
  'sessionStep3',
  'sessionStep4',
  'sessionStep5',
  'sessionStep6',
];

/**
 * When the session that is running began; null if none is. The page's marks say it, so that a card which was closed and
 * opened again during the call goes on.
 *
 * @param {readonly Mark[]} marks
 * @returns {number | null}
 */
export function runningSince(marks) {
  const last = marks.findLast(({ kind }) => kind !== 'symptom');
  return last?.kind === 'start' ? last.ts : null;
}

/** A capture session: what the user marks while a call goes on, and the guide through it. */
export class Session {
  /** @type {HTMLElement} */ element;
  #speech;
  #actions;
  #state = el('p', { class: 'session-state' });
  #words;
  #start;
  #end;
  #ask;
  #running;
  /** What keys press, by the key. @type {Map<string, () => void>} */ #pressed = new Map();
  #marks = el('ol', { part: 'marks', role: 'list' });
  /** The marks that are shown. @type {readonly Mark[] | null} */ #shown = null;

  /**
   * @param {Speech} speech
   * @param {SessionActions} actions
   * @param {number} headingLevel that of the card's own title
   */
  constructor(speech, actions, headingLevel) {
    this.#speech = speech;
    this.#actions = actions;
    this.#start = this.#button('sessionStart', actions.start);
    this.#end = this.#button('sessionEnd', actions.end);
    this.#ask = this.#button('sessionAskOther', actions.askOther);
    this.#words = el('input', {
      part: 'session-words',
      type: 'text',
      maxlength: '150',
      autocomplete: 'off',
      placeholder: speech.say('sessionWordsHint'),
      'aria-label': speech.say('sessionWords'),
    });
    const markWords = () => actions.mark(this.#takeWords());
    this.#words.addEventListener('keydown', (event) => {
      // Enter that ends a composition chooses a word, and marks nothing.
      if (event.key === 'Enter' && !event.isComposing) markWords();
    });
    this.#running = el(
      'div',
      { class: 'session-running', role: 'group', 'aria-label': speech.say('sessionSymptoms') },
      ...SYMPTOMS.map((key) => this.#button(key, () => actions.mark(speech.say(key)))),
      el(
        'div',
        { class: 'session-free' },
        this.#words,
        this.#button('sessionNoSound', () => this.#markNoSound()),
        this.#button('sessionMark', markWords),
      ),
    );
    this.#marks.setAttribute('aria-label', speech.say('sessionMarks'));
    const title = heading(speech.say('sessionTitle'), headingLevel + 1, 'session-title');
    title.id = 'session-title';
    const guide = el(
      'details',
      { class: 'fold' },
      el('summary', {}, speech.say('sessionGuide')),
      el('ol', { class: 'session-steps' }, ...STEPS.map((key) => el('li', {}, speech.say(key)))),
    );
    this.element = el(
      'section',
      { part: 'session', 'aria-labelledby': 'session-title' },
      el('div', { class: 'session-head' }, title, this.#state),
      this.#running,
      this.#marks,
      el('div', { class: 'session-buttons' }, this.#start, this.#end, this.#ask),
      guide,
    );
    this.show([]);
  }

  /** @param {readonly Mark[]} marks */
  show(marks) {
    if (marks === this.#shown) return;
    this.#shown = marks;
    const speech = this.#speech;
    const since = runningSince(marks);
    const root = /** @type {ShadowRoot} */ (this.element.getRootNode());
    const isHeld = this.element.contains(root.activeElement);
    this.#running.hidden = this.#end.hidden = since === null;
    this.#start.hidden = since !== null;
    this.#ask.hidden = marks.length === 0;
    // The button that was pressed is gone: whoever uses the keyboard goes on at the one that stands in its place.
    if (isHeld && !root.activeElement) (since === null ? this.#start : this.#end).focus();
    setText(
      this.#state,
      since === null ? speech.say('sessionIdle') : speech.say('sessionRunning', { time: speech.time(since) }),
    );
    this.#marks.hidden = marks.length === 0;
    this.#marks.replaceChildren(
      ...marks.map(({ ts, kind, label }) => {
        const words = kind === 'start' ? 'sessionStarted' : kind === 'end' ? 'sessionEnded' : 'sessionMarked';
        const text = kind === 'symptom' && label !== '' ? label : speech.say(words);
        return el('li', {}, el('time', {}, speech.time(ts)), ' ', el('bdi', {}, text));
      }),
    );
  }

  /**
   * What a key presses while a session runs. A call's frame keeps its keys to itself, so the page has to have the focus.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    const { altKey, shiftKey, ctrlKey, metaKey, repeat, code } = event;
    const action = this.#pressed.get(code);
    if (!action || !altKey || !shiftKey || ctrlKey || metaKey || repeat || this.#running.hidden) return;
    event.preventDefault();
    action();
  }

  #markNoSound() {
    const who = this.#takeWords();
    const speech = this.#speech;
    this.#actions.mark(
      who === '' ? speech.say('sessionNoSoundLabel') : speech.say('sessionNoSoundFrom', { who }),
    );
  }

  /** What stands in the field, which is empty afterwards. */
  #takeWords() {
    const words = this.#words.value.trim();
    this.#words.value = '';
    return words;
  }

  /**
   * @param {StringKey} key
   * @param {() => void} action
   */
  #button(key, action) {
    const digit = KEYS.indexOf(key) + 1;
    const shortcut = digit > 0 && `Alt+Shift+${digit}`;
    const element = el(
      'button',
      {
        type: 'button',
        part: `button ${key}-button`,
        class: 'button',
        'aria-keyshortcuts': shortcut,
        title: shortcut,
      },
      this.#speech.say(key),
    );
    element.addEventListener('click', action);
    if (digit > 0) this.#pressed.set(`Digit${digit}`, action);
    return element;
  }
}
