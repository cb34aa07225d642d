// Same-origin child documents: Element Call runs in an iframe, and its console is another object than the page's.
//
// What the engines give (measured; see docs/frames.md): a MutationObserver runs before any script of an added frame, and a
// hook on the frame's initial console survives the first navigation, since the Window is reused. `pagehide` tells of each
// navigation, the first included, and a bounded chain of channel messages finds what comes before its scripts run.

import { apply, assign, deref, now, weakGet, weakHas, weakSet } from './builtins.js';
import { changed } from './notify.js';
import { pathOf, timeOriginOf } from './page.js';

const SELECTOR = 'iframe,frame,object,embed';
/** Documents listed in a report; what comes after is counted. */
const DOCUMENTS_MAX = 64;
/** Channel messages after a `pagehide` in which the next document is looked for. The first finds it as a rule; a busy
 * machine needs more. A message takes some microseconds. */
const CHAIN_MAX = 400;
/** Changes in one go from which on the whole document is asked once, instead of each node that was added. */
const MANY_CHANGES = 100;
/** Elements looked through for shadow roots when a report is made. */
const HOSTS_MAX = 20_000;

const OTHER_ORIGIN = 'It is of another origin.';
const AFTER_LOAD = 'It was hooked only when it had loaded: its first lines may be missing.';
const THERE_BEFORE = 'It was there before it could be watched: its first lines may be missing.';
const IN_SHADOW = 'It stands in a shadow root, which cannot be watched: its first lines may be missing.';

/**
 * @typedef {object} Listed What a report says of one document.
 * @property {string | null} path
 * @property {boolean} hooked
 * @property {number | null} hookedAt
 * @property {number | null} timeOrigin
 * @property {string | null} blind
 * @property {boolean} removed
 */

/**
 * @typedef {object} Frame What is known of one element.
 * @property {Listed | null} listed
 * @property {Console | null} console
 * @property {Document | null} document
 * @property {(() => void) | null} listen
 */

/**
 * Watches the page for child documents, and these for theirs.
 * @param {(window: Window, path: () => string | null) => {hooked: boolean, watchErrors: () => void}} hookWindow Hooks a
 *   child's console and errors.
 * @param {() => void} listen Adds the page's own listeners again, after `document.open()` has removed them.
 */
export function watchFrames(hookWindow, listen) {
  /** Weak, or a removed frame would live as long as the page. @type {{listed: Listed, element: WeakRef<Element>}[]} */
  let documents = [];
  let omitted = 0;
  /** @type {WeakMap<Element, Frame>} */
  const frames = new WeakMap();
  const observed = new WeakSet();
  /** Weak for the same reason; the nodes that they watch keep them. @type {WeakRef<MutationObserver>[]} */
  let observers = [];
  let stopped = false;

  function list(element, window, blind) {
    const listed = {
      path: window && pathOf(window),
      hooked: false,
      hookedAt: null,
      timeOrigin: window && timeOriginOf(window),
      blind,
      removed: false,
    };
    const kept = [];
    const full = documents.length >= DOCUMENTS_MAX;
    const out = full ? oldest(documents) : null;
    for (let at = 0; at < documents.length; at++)
      if (documents[at] !== out) kept[kept.length] = documents[at];
    if (full) omitted++;
    kept[kept.length] = { listed, element: new WeakRef(element) };
    documents = kept;
    changed();
    return listed;
  }

  /** Takes an element into care; `blind` says what was missed if its document is there already. */
  function adopt(element, blind) {
    if (!apply(weakHas, frames, [element])) {
      apply(weakSet, frames, [element, { listed: null, console: null, document: null, listen: null }]);
      // The fallback, where nothing told earlier.
      element.addEventListener('load', () => refresh(element, AFTER_LOAD));
    }
    refresh(element, blind);
  }

  /** Hooks what the element shows now. `blind` says what may have been missed if it is a Window not seen before. */
  function refresh(element, blind) {
    if (stopped) return;
    const frame = apply(weakGet, frames, [element]);
    const window = windowOf(element);
    if (!window) {
      close(element, frame);
      return;
    }
    const { console, document } = window;
    if (frame.console !== console) {
      if (frame.listed) frame.listed.removed = true;
      frame.console = console;
      frame.document = null;
      frame.listed = list(element, window, blind && window.location.href === 'about:blank' ? null : blind);
      const { hooked, watchErrors } = hookWindow(window, () => pathOf(window));
      frame.listed.hooked = hooked;
      frame.listed.hookedAt = hooked ? now() : null;
      const onHide = () => chase(element, window.document);
      // WebKit tells of a document's beginning by this, too.
      const onReady = () => refresh(element, null);
      frame.listen = () => {
        watchErrors();
        window.addEventListener('pagehide', onHide);
        window.addEventListener('readystatechange', onReady, true);
      };
      frame.listen();
    }
    if (frame.document !== document) {
      frame.document = document;
      frame.listed.path = pathOf(window);
      frame.listed.timeOrigin = timeOriginOf(window);
      observe(document, document, frame.listen);
    }
  }

  /** Notes that an element shows nothing that can be read: another origin's document, or none. */
  function close(element, frame) {
    frame.console = frame.document = frame.listen = null;
    // An object that shows an image has no Window at all; an embed never tells.
    if (!element.contentWindow) {
      if (frame.listed) frame.listed.removed = true;
      return;
    }
    frame.listed ??= list(element, null, OTHER_ORIGIN);
    assign(frame.listed, {
      path: null,
      hooked: false,
      hookedAt: null,
      timeOrigin: null,
      blind: OTHER_ORIGIN,
    });
  }

  /** Looks for the document that replaces one that is being hidden. */
  function chase(element, document) {
    const { port1, port2 } = new MessageChannel();
    let left = CHAIN_MAX;
    port1.onmessage = () => {
      if (!stopped && element.isConnected && left-- > 0 && windowOf(element)?.document === document) {
        port2.postMessage(null);
        return;
      }
      port1.close();
      if (element.isConnected && left > 0) refresh(element, null);
    };
    port2.postMessage(null);
  }

  /**
   * Watches a document or a shadow root for elements that hold documents.
   * @param {Document | ShadowRoot} root
   * @param {Document | null} document The document itself, if it is one whose Window has listeners of ours.
   * @param {() => void} [listenAgain]
   */
  function observe(root, document, listenAgain) {
    if (observed.has(root)) return;
    observed.add(root);
    const observer = new MutationObserver((mutations) => {
      const many = mutations.length > MANY_CHANGES;
      if (many) sweep(root);
      for (let at = 0; at < mutations.length; at++) {
        if (mutations[at].target === document) listenAgain();
        if (many) continue;
        const { addedNodes, removedNodes } = mutations[at];
        for (let node = 0; node < addedNodes.length; node++) each(addedNodes[node], adoptNew);
        for (let node = 0; node < removedNodes.length; node++) each(removedNodes[node], forget);
      }
    });
    observer.observe(root, { childList: true, subtree: true });
    const alive = [];
    for (let at = 0; at < observers.length; at++)
      if (apply(deref, observers[at], [])) alive[alive.length] = observers[at];
    alive[alive.length] = new WeakRef(observer);
    observers = alive;
    const there = root.querySelectorAll(SELECTOR);
    for (let at = 0; at < there.length; at++) adopt(there[at], document ? THERE_BEFORE : IN_SHADOW);
  }

  const adoptNew = (element) => adopt(element, null);

  function each(node, work) {
    if (node.nodeType !== 1) return;
    const name = node.localName;
    if (name === 'iframe' || name === 'frame' || name === 'object' || name === 'embed') work(node);
    if (node.firstElementChild === null) return;
    const inside = node.querySelectorAll(SELECTOR);
    for (let at = 0; at < inside.length; at++) work(inside[at]);
  }

  /** What the changes of a root come to, whatever they were. */
  function sweep(root) {
    const there = root.querySelectorAll(SELECTOR);
    for (let at = 0; at < there.length; at++) {
      adopt(there[at], apply(weakHas, frames, [there[at]]) ? AFTER_LOAD : null);
    }
    for (let at = 0; at < documents.length; at++) {
      const element = apply(deref, documents[at].element, []);
      if (element) forget(element);
    }
  }

  function forget(element) {
    const frame = apply(weakGet, frames, [element]);
    if (!frame || element.isConnected) return;
    if (frame.listed) frame.listed.removed = true;
    frame.listed = frame.console = frame.document = frame.listen = null;
    changed();
  }

  /** Brings the list up to date: a frame inside a removed one, or one whose new document is of another origin, has told
   * nobody. */
  function look() {
    for (let at = 0; at < documents.length; at++) {
      const { listed, element: ref } = documents[at];
      if (listed.removed) continue;
      const element = apply(deref, ref, []);
      const frame = element && apply(weakGet, frames, [element]);
      if (!element?.isConnected || frame.listed !== listed || !element.ownerDocument.defaultView)
        listed.removed = true;
      else if (listed.hooked) refresh(element, AFTER_LOAD);
    }
  }

  /** Finds frames in open shadow roots: too late for their first lines, in time to say so. */
  function lookIntoShadows() {
    let left = HOSTS_MAX;
    const search = (root) => {
      const hosts = root.querySelectorAll('*');
      for (let at = 0; at < hosts.length && left-- > 0; at++) {
        const { shadowRoot } = hosts[at];
        if (!shadowRoot) continue;
        if (shadowRoot.querySelector(SELECTOR)) observe(shadowRoot, null);
        search(shadowRoot);
      }
    };
    search(globalThis.document);
  }

  observe(globalThis.document, globalThis.document, listen);

  return {
    /** The documents' part of a report. */
    report() {
      if (!stopped) {
        lookIntoShadows();
        look();
      }
      const listed = [];
      for (let at = 0; at < documents.length; at++) listed[at] = documents[at].listed;
      return { watching: !stopped, documents: listed, omitted };
    },
    /** How many child documents are being captured, and how many are there but unseen. */
    counts() {
      if (!stopped) look();
      const count = { hooked: 0, blind: 0 };
      for (let at = 0; at < documents.length; at++) {
        const { listed } = documents[at];
        if (!listed.removed) count[listed.hooked ? 'hooked' : 'blind']++;
      }
      return count;
    },
    stop() {
      stopped = true;
      for (let at = 0; at < observers.length; at++) apply(deref, observers[at], [])?.disconnect();
      observers = [];
    },
  };
}

/** The first that is gone, else the first. */
function oldest(documents) {
  for (let at = 0; at < documents.length; at++) if (documents[at].listed.removed) return documents[at];
  return documents[0];
}

/** The element's Window if its document can be read. Never throws, never makes the browser log. */
function windowOf(element) {
  try {
    // null for another origin, without the console noise that touching such a Window makes.
    const document = element.contentDocument;
    if (document) return document.defaultView;
    return element.localName === 'embed' ? windowOfEmbed(element) : null;
  } catch {
    return null;
  }
}

/** An embed's Window has no name of its own; it stands among its parent's. */
function windowOfEmbed(element) {
  const parent = element.ownerDocument.defaultView;
  for (let at = 0; at < parent.length; at++) {
    try {
      if (parent[at].frameElement === element) return parent[at];
    } catch {
      // Another origin's.
    }
  }
  return null;
}
