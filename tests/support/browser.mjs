// @ts-check
// One interface to three browser engines, as small as the tests allow. A page is driven as a user would drive it:
// clicks and keys are real input, downloads are files.
//
//     const browser = await launch('webkit');
//     const page = await browser.newPage();
//     await page.goto(server.url);
//     await page.click('#download');
//     await browser.close();
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { locate, mark, onElement, readText, watchClick } from './element.mjs';
import { fromJson, toSource } from './evaluate.mjs';
import { openInbox } from './inbox.mjs';
import { startChromium, startFirefox } from './puppeteer.mjs';
import { EVALUATE_MS, POLL_MS, WAIT_MS, bounded, pause, until } from '../../scripts/lib/wait.mjs';
import { startWebkit } from './webkit.mjs';

/**
 * @typedef {'chromium' | 'firefox' | 'webkit'} EngineName
 *
 * @typedef {object} Preferences what the user told the system
 * @property {'light' | 'dark'} colorScheme
 * @property {'no-preference' | 'reduce'} reducedMotion
 *
 * @typedef {Preferences & { viewport: { width: number, height: number } }} PageOptions viewport in CSS pixels
 *
 * @typedef {object} ConsoleMessage
 * @property {string} type the console's method (`log`, `warn`, `error` …), or `pageerror` for an error that nobody caught
 * @property {string} text
 *
 * @typedef {object} Stroke one key, pressed while others are held
 * @property {string[]} hold
 * @property {string} key a character, or a name of https://www.w3.org/TR/uievents-key/ such as `Enter`
 */

/**
 * What an engine's file provides; everything else is made from it below, once for all three.
 *
 * @typedef {(options: { inbox: string, args: string[], preferences: FirefoxPreferences }) => Promise<Engine>} StartEngine `inbox` is
 *   the folder in which a complete download must appear under the name that the browser gives it
 *
 * @typedef {Record<string, string | number | boolean>} FirefoxPreferences as `about:config` shows them
 *
 * @typedef {object} Engine
 * @property {string} version
 * @property {(options: PageOptions) => Promise<EnginePage>} newPage
 * @property {() => Promise<unknown>} close
 *
 * @typedef {object} EnginePage
 * @property {(url: string) => Promise<unknown>} goto resolves after the load event
 * @property {() => Promise<unknown>} reload resolves after the load event
 * @property {(source: string, undisturbed: boolean) => Promise<string>} run evaluates an expression whose value is a promise of a text;
 *   undisturbed, no other script runs in the page until then
 * @property {(x: number, y: number) => Promise<unknown>} clickAt
 * @property {(strokes: Stroke[]) => Promise<unknown>} keys
 * @property {(marker: string, paths: string[]) => Promise<unknown>} setFiles `marker` is a CSS selector, to be found in open
 *   shadow roots too
 * @property {() => Promise<Buffer>} screenshot
 * @property {() => Promise<Uint8Array>} [pdf] what a printer would get; left out where the engine's driver cannot print
 * @property {() => Promise<unknown>} close
 * @property {() => ConsoleMessage[] | null} messages
 * @property {() => string[] | null} requests
 */

/** How long after a click its events may come, in milliseconds. */
const CLICK_MS = 1000;

/** @type {Record<EngineName, StartEngine>} */
const STARTS = { chromium: startChromium, firefox: startFirefox, webkit: startWebkit };

/** The engines, in the order in which tests run them. @type {readonly EngineName[]} */
export const engines = Object.freeze(/** @type {EngineName[]} */ (Object.keys(STARTS)));

/** @type {PageOptions} */
const DEFAULTS = {
  viewport: { width: 1280, height: 720 },
  colorScheme: 'light',
  reducedMotion: 'no-preference',
};

/**
 * Starts a browser with a fresh profile.
 *
 * The programs' paths are found by themselves, or given by CRYPTO_DIAG_CHROMIUM, CRYPTO_DIAG_FIREFOX,
 * CRYPTO_DIAG_WEBKIT_DRIVER and CRYPTO_DIAG_MINIBROWSER.
 * @param {EngineName} engine
 * @param {{ downloads?: string, args?: string[], preferences?: FirefoxPreferences, waitMs?: number }} [options] `downloads` is an
 *   existing folder in which downloaded files are kept; `args` are further command line arguments of the browser; `preferences` are
 *   for Firefox alone; `waitMs` is how long `waitFor` and `click` wait
 * @throws {Error} naming the program that is missing and the command that installs it
 */
export async function launch(engine, { downloads, args = [], preferences = {}, waitMs = WAIT_MS } = {}) {
  const startEngine = STARTS[engine];
  if (!startEngine) throw new Error(`no engine is named "${engine}"; there are ${engines.join(', ')}`);
  const inbox = openInbox(downloads);
  try {
    return new Browser(engine, await startEngine({ inbox: inbox.path, args, preferences }), inbox, waitMs);
  } catch (error) {
    inbox.remove();
    throw error;
  }
}

/** A running browser. Close it in `after`; it ends with the process in any case. */
export class Browser {
  #engine;
  #inbox;
  #waitMs;
  /** @type {Promise<void> | undefined} */
  #closed;

  /**
   * @param {EngineName} name
   * @param {Engine} engine
   * @param {ReturnType<typeof openInbox>} inbox
   * @param {number} waitMs
   */
  constructor(name, engine, inbox, waitMs) {
    this.engine = name;
    this.version = engine.version;
    this.#engine = engine;
    this.#inbox = inbox;
    this.#waitMs = waitMs;
  }

  /**
   * A blank page in a window of its own. Pages with the same preferences share cookies and storage, as one user's windows do.
   * @param {Partial<PageOptions>} [options]
   */
  async newPage(options = {}) {
    const page = await this.#engine.newPage({ ...DEFAULTS, ...options });
    return new Page(page, this.#inbox, this.#waitMs);
  }

  /** Ends the browser and removes its profile; a second call does nothing more. */
  close() {
    this.#closed ??= this.#engine.close().then(() => this.#inbox.remove());
    return this.#closed;
  }
}

/**
 * A page. Selectors are CSS and mean the first match; `host >>> inner` goes on inside an open shadow root. Only the top frame
 * is driven; frames of the same origin are within reach of `evaluate`.
 */
export class Page {
  #page;
  #inbox;
  #waitMs;

  /**
   * @param {EnginePage} page
   * @param {ReturnType<typeof openInbox>} inbox
   * @param {number} waitMs
   */
  constructor(page, inbox, waitMs) {
    this.#page = page;
    this.#inbox = inbox;
    this.#waitMs = waitMs;
  }

  /** Opens an address and waits for its load event. @param {string} url */
  async goto(url) {
    await this.#page.goto(url);
  }

  /** Loads the page again and waits for its load event. */
  async reload() {
    await this.#page.reload();
  }

  /**
   * Runs a function in the page, or an expression, and awaits its promise.
   * @param {Function | string} task a function that uses nothing outside itself, or the text of an expression
   * @param {...unknown} args JSON values
   * @returns {Promise<any>} a JSON value; undefined where JSON has no word for it
   * @throws {Error} the page's own error, with its name and message
   */
  evaluate(task, ...args) {
    return this.#run(task, args, false);
  }

  /**
   * Does the same, and runs no other script in the page until it is done: for a page that breaks what the driver's own scripts need.
   * @param {Function | string} task
   * @param {...unknown} args
   * @returns {Promise<any>}
   */
  evaluateUndisturbed(task, ...args) {
    return this.#run(task, args, true);
  }

  /** @param {Function | string} task @param {unknown[]} args @param {boolean} undisturbed */
  async #run(task, args, undisturbed) {
    const what = `evaluate ${brief(task)}`;
    return fromJson(await bounded(this.#page.run(toSource(task, args), undisturbed), EVALUATE_MS, what));
  }

  /**
   * Asks the page again and again until the answer is truthy, also across navigations.
   * @param {Function | string} task as for `evaluate`
   * @param {...unknown} args JSON values
   * @returns {Promise<any>} the truthy answer
   * @throws {Error} naming what was awaited and the last answer
   */
  async waitFor(task, ...args) {
    let last = '';
    return until(
      async () => {
        try {
          const value = await this.evaluate(task, ...args);
          if (value) return value;
          last = `the last answer was ${JSON.stringify(value)}`;
        } catch (error) {
          last = `the last try failed: ${error instanceof Error ? error.message : error}`;
        }
        return undefined;
      },
      this.#waitMs,
      () => {
        const withArgs = args.length ? ` with ${JSON.stringify(args)}` : '';
        return `waited ${this.#waitMs / 1000} s for ${brief(task)}${withArgs}; ${last}`;
      },
    );
  }

  /**
   * Clicks an element with the left mouse button, once it is visible, enabled, at rest and not covered. What moved away
   * under the mouse is clicked again, as people do.
   * @param {string} selector
   */
  async click(selector) {
    let before = '';
    let why = '';
    await until(
      async () => {
        const target = await this.evaluate(onElement(locate, selector));
        why = target.why ?? 'the element is moving';
        const now = JSON.stringify(target);
        const atRest = !target.why && now === before;
        before = now;
        if (!atRest) return undefined;
        await this.evaluate(onElement(watchClick, selector));
        await this.#page.clickAt(target.x, target.y);
        return (await this.#clickMissed()) ? undefined : true;
      },
      this.#waitMs,
      () => `click ${selector}: waited ${this.#waitMs / 1000} s; ${why}`,
    );
  }

  /**
   * Whether the last click met something else, or nothing. One that led to another page met what it should, and so did one of which the page
   * got the press alone.
   */
  async #clickMissed() {
    for (let looks = CLICK_MS / POLL_MS; ; looks -= 1) {
      /** @type {Record<string, boolean> | null} */
      let met;
      try {
        met = await this.evaluate(() => /** @type {any} */ (globalThis).cryptoDiagDriverClick ?? null);
      } catch {
        return false;
      }
      if (met === null || met.click) return false;
      if (met.mousedown === false || met.click === false) return true;
      if (looks <= 0) return met.mousedown === undefined;
      await pause(POLL_MS);
    }
  }

  /**
   * Clicks a field and types into it; a line feed is the Enter key.
   * @param {string} selector
   * @param {string} text
   */
  async type(selector, text) {
    await this.click(selector);
    await this.#page.keys([...text].map((key) => ({ hold: [], key: key === '\n' ? 'Enter' : key })));
  }

  /** Presses a key where the focus is. @param {string} key such as `a`, `Enter`, `Shift+Tab` */
  async press(key) {
    const [, modifiers, last] = /** @type {RegExpMatchArray} */ (key.match(/^((?:\w+\+)*)(.+)$/s));
    await this.#page.keys([{ hold: modifiers.split('+').filter(Boolean), key: last }]);
  }

  /**
   * Chooses files in an `<input type="file">`, without the system's dialog.
   * @param {string} selector
   * @param {string[]} paths
   */
  async chooseFiles(selector, paths) {
    const attribute = 'data-crypto-diag-test-files';
    if (!(await this.evaluate(onElement(mark, selector, attribute, true)))) {
      throw new Error(`chooseFiles ${selector}: no element matches`);
    }
    await this.#page.setFiles(
      `[${attribute}]`,
      paths.map((path) => resolve(path)),
    );
    await this.evaluate(onElement(mark, selector, attribute, false));
  }

  /** The element's text as a reader sees it. @param {string} selector @returns {Promise<string>} */
  async text(selector) {
    return this.evaluate(onElement(readText, selector)).catch((error) => {
      throw new Error(`text ${selector}: ${error.message}`, { cause: error });
    });
  }

  /** Writes what the viewport shows as a PNG file. @param {string} path */
  async screenshot(path) {
    writeFileSync(path, await this.#page.screenshot());
  }

  /**
   * Writes what a printer would get as a PDF file.
   * @param {string} path
   * @throws {Error} in an engine whose driver cannot print
   */
  async print(path) {
    if (!this.#page.pdf) throw new Error('this engine cannot print to a file');
    writeFileSync(path, await this.#page.pdf());
  }

  /**
   * Runs `action`, which makes the browser save one file, and reads the file that the browser wrote. One download at a time
   * in a browser; an empty file counts as unfinished.
   * @param {() => Promise<unknown>} action
   */
  download(action) {
    return this.#inbox.receive(action);
  }

  /** What the console was given since the page was opened. Null in WebKit, where WebDriver does not tell. */
  consoleMessages() {
    return this.#page.messages()?.slice() ?? null;
  }

  /**
   * The addresses that the page asked for since it was opened. Null in WebKit, where WebDriver does not tell; the server of
   * server.mjs knows what it was asked for.
   */
  requests() {
    return this.#page.requests()?.slice() ?? null;
  }

  async close() {
    await this.#page.close();
  }
}

/** The beginning of a function's text, for an error message. @param {Function | string} task */
function brief(task) {
  const text = String(task).replace(/\s+/g, ' ');
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}
