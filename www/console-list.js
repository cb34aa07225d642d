// @ts-check
import { playAtOnce, playAtPace } from './player.js';
import { parseRecording, print } from './recording.js';

/**
 * @typedef {{ file: string, title: string, happened: string, shows: string[] }} Recording one of consoles.json
 * @typedef {import('./recording.js').RecordedLine} RecordedLine
 */

/**
 * Fills the list of recorded consoles. Only one plays at a time, as there is only one console to print to.
 *
 * @param {HTMLElement} list
 * @param {Recording[]} recordings
 */
export function showRecordings(list, recordings) {
  /** @type {RecordingItem[]} */
  const items = recordings.map((recording) => new RecordingItem(recording, () => items));
  list.replaceChildren(...items.map((item) => item.element));
}

class RecordingItem {
  /** @type {HTMLLIElement} */ element;
  #recording;
  #others;
  /** @type {Promise<RecordedLine[]> | null} */ #lines = null;
  /** @type {AbortController | null} */ #playing = null;
  #pace;
  #once;
  #stop;
  #bar = document.createElement('progress');
  #status = document.createElement('p');
  #player = document.createElement('div');

  /**
   * @param {Recording} recording
   * @param {() => RecordingItem[]} all
   */
  constructor(recording, all) {
    this.#recording = recording;
    this.#others = all;
    const title = Object.assign(document.createElement('h3'), { textContent: recording.title });
    title.id = `console-${recording.file.replace(/\W+/g, '-')}`;
    const about = Object.assign(document.createElement('p'), {
      className: 'about',
      textContent: recording.happened,
    });
    this.#once = this.#button('Replay at once', () => void this.#playOnce());
    this.#pace = this.#button('At original pace', () => void this.#playAtPace());
    this.#stop = this.#button('Stop', () => this.stop());
    this.#stop.hidden = true;
    for (const button of [this.#once, this.#pace, this.#stop]) {
      button.setAttribute('aria-describedby', title.id);
    }
    const actions = element('div', 'actions', this.#once, this.#pace, this.#stop);
    this.#bar.setAttribute('aria-labelledby', title.id);
    this.#bar.hidden = true;
    this.#status.className = 'quiet';
    this.#status.setAttribute('role', 'status');
    this.#player = element('div', 'player', this.#bar, this.#status);
    const chips = element('p', 'chips', ...recording.shows.map((ke) => element('span', 'chip', ke)));
    chips.setAttribute('aria-label', `Shows ${recording.shows.join(', ')}`);
    chips.setAttribute('role', 'note');
    this.element = document.createElement('li');
    this.element.className = 'console';
    this.element.dataset.file = recording.file;
    this.element.append(element('div', 'console-head', title, chips), about, actions, this.#player);
  }

  /** Ends the replay, if one runs. */
  stop() {
    this.#playing?.abort();
  }

  /** The recorded lines, fetched when they are first wanted. */
  #load() {
    this.#lines ??= fetch(`consoles/${this.#recording.file}`).then(async (response) => {
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      return parseRecording(await response.text());
    });
    // Forget a failed fetch, so that the next click tries again.
    this.#lines.catch(() => (this.#lines = null));
    return this.#lines;
  }

  async #playOnce() {
    await this.#reportFailure(async () => {
      const lines = await this.#load();
      playAtOnce(lines, print);
      this.#say(`${lines.length} lines printed.`);
    });
  }

  async #playAtPace() {
    for (const other of this.#others()) other.stop();
    const playing = new AbortController();
    this.#playing = playing;
    this.#showPlaying(true);
    await this.#reportFailure(async () => {
      const lines = await this.#load();
      let reached = 0;
      const done = await playAtPace(lines, print, {
        signal: playing.signal,
        progress: ({ printed, total, wait }) => {
          reached = printed;
          this.#bar.max = total;
          this.#bar.value = printed;
          this.#sayQuietly(progressText(printed, total, wait));
        },
      });
      this.#say(
        done ? `${lines.length} lines printed.` : `Stopped after ${reached} of ${lines.length} lines.`,
      );
    });
    this.#playing = null;
    this.#showPlaying(false);
  }

  /** @param {boolean} playing */
  #showPlaying(playing) {
    const hadFocus = this.element.contains(document.activeElement);
    this.#pace.hidden = playing;
    this.#once.hidden = playing;
    this.#stop.hidden = !playing;
    this.#bar.hidden = !playing;
    // The pressed button has been removed. Focus the button in its place, for users of a keyboard.
    if (hadFocus) (playing ? this.#stop : this.#pace).focus();
  }

  /** @param {() => Promise<void>} work */
  async #reportFailure(work) {
    try {
      await work();
    } catch (error) {
      this.#say(`The recording could not be played: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {string} text */
  #say(text) {
    this.#status.setAttribute('aria-live', 'polite');
    this.#status.textContent = text;
  }

  /** For what changes several times a second: the bar tells a screen reader when it is asked. @param {string} text */
  #sayQuietly(text) {
    this.#status.setAttribute('aria-live', 'off');
    this.#status.textContent = text;
  }

  /**
   * @param {string} text
   * @param {() => void} action
   */
  #button(text, action) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button';
    button.textContent = text;
    button.addEventListener('click', action);
    return button;
  }
}

/**
 * @param {number} printed
 * @param {number} total
 * @param {number} wait milliseconds
 */
function progressText(printed, total, wait) {
  const seconds = Math.ceil(wait / 1000);
  const next = seconds > 1 ? `, the next in ${seconds} s` : '';
  return `${printed} of ${total} lines${next}`;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}
