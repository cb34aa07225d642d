// Same-origin child documents: Element Call runs in an iframe, and its console is another object than the page's.
//
// What the engines give (measured; see docs/frames.md): a MutationObserver runs before any script of an added frame, and a
// hook on the frame's initial console survives the first navigation, since the Window is reused. `pagehide` tells of each
// navigation, the first included, and a bounded chain of channel messages finds what comes before its scripts run.

import { apply, assign, now, weakGet, weakHas, weakSet } from './builtins.js';
import { FrameDocuments } from './frame-documents.js';
import { eachFrame, eachShadowWithFrames, framesIn, windowOf } from './frame-elements.js';
import { appended, eachLiving, living } from './lists.js';
import { changed } from './notify.js';
import { pathOf, timeOriginOf } from './page.js';

/** How many channel messages after a `pagehide` are used to look for the next document. Usually the first finds it; a busy
 * machine needs more. A message takes some microseconds. */
const CHAIN_MAX = 400;
/** If a batch of mutations adds at least this many nodes, the whole document is queried once instead of each node. */
const MANY_CHANGES = 100;

const OTHER_ORIGIN = 'It is of another origin.';
const AFTER_LOAD = 'It was hooked only when it had loaded: its first lines may be missing.';
const THERE_BEFORE = 'It was there before it could be watched: its first lines may be missing.';
const IN_SHADOW = 'It stands in a shadow root, which cannot be watched: its first lines may be missing.';

/** @typedef {import('./frame-documents.js').Listed} Listed */
/** @typedef {import('./frame-elements.js').FrameElement} FrameElement */

/**
 * @typedef {object} Frame What is known of one element.
 * @property {Listed | null} listed
 * @property {Console | null} console
 * @property {Document | null} document
 * @property {(() => void) | null} listen
 */

/**
 * @callback HookWindow Hooks a child's console and errors.
 * @param {Window & typeof globalThis} window
 * @param {() => string | null} path
 * @returns {{hooked: boolean, watchErrors: () => void}}
 */

/** Watches the page for child documents, and these for theirs. */
export class FrameWatch {
  /** @type {HookWindow} */
  #hookWindow;
  #documents = new FrameDocuments();
  /** @type {WeakMap<FrameElement, Frame>} */
  #frames = new WeakMap();
  #observed = new WeakSet();
  /** Held weakly, so that a removed frame can be collected; an observer lives as long as the nodes that it watches. @type {WeakRef<MutationObserver>[]} */
  #observers = [];
  #stopped = false;

  /**
   * @param {HookWindow} hookWindow
   * @param {() => void} listen Adds the page's own listeners again, after `document.open()` has removed them.
   */
  constructor(hookWindow, listen) {
    this.#hookWindow = hookWindow;
    this.#observe(globalThis.document, THERE_BEFORE, globalThis.document, listen);
  }

  /** @param {FrameElement} element @param {Window | null} window @param {string | null} blind */
  #list(element, window, blind) {
    const listed = this.#documents.add(element, window, blind);
    changed();
    return listed;
  }

  /** Starts to watch an element; `blind` says what was missed if its document was already there. @param {FrameElement} element @param {string | null} blind */
  #adopt(element, blind) {
    if (!apply(weakHas, this.#frames, [element])) {
      apply(weakSet, this.#frames, [element, { listed: null, console: null, document: null, listen: null }]);
      // The fallback where no earlier event announced the document.
      element.addEventListener('load', () => this.#refresh(element, AFTER_LOAD));
    }
    this.#refresh(element, blind);
  }

  /** Hooks what the element shows now. `blind` says what may have been missed if it is a Window not seen before. @param {FrameElement} element @param {string | null} blind */
  #refresh(element, blind) {
    if (this.#stopped) return;
    /** @type {Frame} */
    const frame = apply(weakGet, this.#frames, [element]);
    const window = windowOf(element);
    if (!window) {
      this.#close(element, frame);
      return;
    }
    const { console, document } = window;
    if (frame.console !== console) {
      if (frame.listed) frame.listed.removed = true;
      frame.console = console;
      frame.document = null;
      frame.listed = this.#list(
        element,
        window,
        blind && window.location.href === 'about:blank' ? null : blind,
      );
      const { hooked, watchErrors } = this.#hookWindow(window, () => pathOf(window));
      frame.listed.hooked = hooked;
      frame.listed.hookedAt = hooked ? now() : null;
      const onHide = () => this.#chase(element, window.document);
      // In WebKit this event also announces that a document begins.
      const onReady = () => this.#refresh(element, null);
      frame.listen = () => {
        watchErrors();
        window.addEventListener('pagehide', onHide);
        window.addEventListener('readystatechange', onReady, true);
      };
      frame.listen();
    }
    if (frame.document !== document) {
      frame.document = document;
      const listed = /** @type {Listed} */ (frame.listed);
      listed.path = pathOf(window);
      listed.timeOrigin = timeOriginOf(window);
      this.#observe(document, THERE_BEFORE, document, frame.listen);
    }
  }

  /** Notes that an element shows nothing that can be read: another origin's document, or none. @param {FrameElement} element @param {Frame} frame */
  #close(element, frame) {
    frame.console = frame.document = frame.listen = null;
    // An object that shows an image has no Window; for an embed there is no way to find out.
    if (!element.contentWindow) {
      if (frame.listed) frame.listed.removed = true;
      return;
    }
    frame.listed ??= this.#list(element, null, OTHER_ORIGIN);
    assign(frame.listed, {
      path: null,
      hooked: false,
      hookedAt: null,
      timeOrigin: null,
      blind: OTHER_ORIGIN,
    });
  }

  /** Looks for the document that replaces one that is being hidden. @param {FrameElement} element @param {Document} document */
  #chase(element, document) {
    const { port1, port2 } = new MessageChannel();
    let left = CHAIN_MAX;
    port1.onmessage = () => {
      if (!this.#stopped && element.isConnected && left-- > 0 && windowOf(element)?.document === document) {
        port2.postMessage(null);
        return;
      }
      port1.close();
      if (element.isConnected && left > 0) this.#refresh(element, null);
    };
    port2.postMessage(null);
  }

  /**
   * Watches a document or a shadow root for elements that hold documents.
   * @param {Document | ShadowRoot} root
   * @param {string} blind What was missed of the documents that are there already.
   * @param {Document | null} [document] The document itself, if it is one whose Window has listeners of ours.
   * @param {(() => void) | null} [listenAgain]
   */
  #observe(root, blind, document, listenAgain) {
    if (this.#observed.has(root)) return;
    this.#observed.add(root);
    const observer = new MutationObserver((mutations) => {
      const many = mutations.length > MANY_CHANGES;
      if (many) this.#sweep(root);
      for (let at = 0; at < mutations.length; at++) {
        if (mutations[at].target === document) listenAgain?.();
        if (many) continue;
        const { addedNodes, removedNodes } = mutations[at];
        for (let node = 0; node < addedNodes.length; node++) eachFrame(addedNodes[node], this.#adoptNew);
        for (let node = 0; node < removedNodes.length; node++) eachFrame(removedNodes[node], this.#forget);
      }
    });
    observer.observe(root, { childList: true, subtree: true });
    this.#observers = appended(living(this.#observers), [new WeakRef(observer)]);
    const there = framesIn(root);
    for (let at = 0; at < there.length; at++) this.#adopt(there[at], blind);
  }

  #adoptNew = (/** @type {FrameElement} */ element) => this.#adopt(element, null);

  /** Handles any change below a root: hooks new elements and updates the list. @param {Document | ShadowRoot} root */
  #sweep(root) {
    const there = framesIn(root);
    for (let at = 0; at < there.length; at++)
      this.#adopt(there[at], apply(weakHas, this.#frames, [there[at]]) ? AFTER_LOAD : null);
    this.#documents.each((_, element) => element && this.#forget(element));
  }

  #forget = (/** @type {Element} */ element) => {
    const frame = apply(weakGet, this.#frames, [element]);
    if (!frame || element.isConnected) return;
    if (frame.listed) frame.listed.removed = true;
    frame.listed = frame.console = frame.document = frame.listen = null;
    changed();
  };

  /** Brings the list up to date: a frame inside a removed one, or one whose new document is of another origin, has told
   * nobody. */
  #look() {
    this.#documents.each((listed, element) => {
      if (listed.removed) return;
      const frame = element && apply(weakGet, this.#frames, [element]);
      if (!element?.isConnected || frame.listed !== listed || !element.ownerDocument.defaultView)
        listed.removed = true;
      else if (listed.hooked) this.#refresh(/** @type {FrameElement} */ (element), AFTER_LOAD);
    });
  }

  /** The documents' part of a report. */
  report() {
    if (!this.#stopped) {
      // Frames in shadow roots are found now: too late for their first lines, in time to say so.
      eachShadowWithFrames((root) => this.#observe(root, IN_SHADOW));
      this.#look();
    }
    /** @type {Listed[]} */
    const documents = [];
    this.#documents.each((listed) => (documents[documents.length] = listed));
    return { watching: !this.#stopped, documents, omitted: this.#documents.omitted };
  }

  /** The Windows that are being captured now, with their paths. */
  windows() {
    /** @type {{window: Window & typeof globalThis, path: string | null}[]} */
    const found = [];
    if (this.#stopped) return found;
    this.#look();
    this.#documents.each((listed, element) => {
      const window =
        listed.removed || !listed.hooked ? null : windowOf(/** @type {FrameElement} */ (element));
      if (window) found[found.length] = { window, path: listed.path };
    });
    return found;
  }

  /** How many child documents are being captured, and how many are there but unseen. An empty one, such as pages keep for
   * downloads and log-ins, is captured like all, and is none that a user should hear of. */
  counts() {
    if (!this.#stopped) this.#look();
    const count = { hooked: 0, blind: 0 };
    this.#documents.each((listed) => {
      if (listed.removed || (listed.hooked && listed.path === 'about:blank')) return;
      count[listed.hooked ? 'hooked' : 'blind']++;
    });
    return count;
  }

  stop() {
    this.#stopped = true;
    eachLiving(this.#observers, (observer) => observer.disconnect());
    this.#observers = [];
  }
}
