// Same-origin child documents: Element Call runs in an iframe, and its console is another object than the page's.
//
// What the engines give (measured; see docs/frames.md): a MutationObserver runs before any script of an added frame, and a
// hook on the frame's initial console survives the navigation from about:blank, since the Window is reused. Later
// navigations make a new Window; `pagehide` and a bounded chain of channel messages catch its console early.

import { now } from './builtins.js';
import { plainAddress } from './page.js';

const SELECTOR = 'iframe,frame,object,embed';
/** Documents listed in a report; what comes after is counted. */
const DOCUMENTS_MAX = 64;
/** Channel messages after a frame's `pagehide` in which its next Window is looked for. A message takes some tens of
 * microseconds, a navigation of one's own origin a few milliseconds. */
const CHAIN_MAX = 400;

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
 * @param {(window: Window, path: () => string | null) => {hooked: boolean, watchErrors: () => void}} hookWindow Hooks a
 *   child's console and errors.
 */
export function watchFrames(hookWindow) {
  /** @type {Listed[]} */
  let documents = [];
  let omitted = 0;
  /** What is known of each element; weak, so that a removed frame is not kept. */
  const known = new WeakMap();
  /** Windows' documents that are observed. */
  const observed = new WeakSet();
  /** @type {Set<MutationObserver>} */
  const observers = new Set();
  let stopped = false;

  function list(entry) {
    if (documents.length >= DOCUMENTS_MAX) {
      // One that is gone gives way before one that is still there.
      const gone = documents.findIndex((other) => other.removed);
      documents.splice(Math.max(gone, 0), 1);
      omitted++;
    }
    documents.push(entry);
    return entry;
  }

  function adopt(element, late) {
    let frame = known.get(element);
    if (!frame) {
      frame = { listed: null, console: null, listen: null };
      known.set(element, frame);
      // `load` is the fallback for navigations that the chain misses, and names a frame that was at about:blank.
      element.addEventListener('load', () => refresh(element, 'hooked only when the document had loaded'));
    }
    refresh(element, late);
  }

  /** Hooks what the element shows now. `blind` says what may have been missed if it is a Window not seen before. */
  function refresh(element, blind) {
    if (stopped) return;
    const frame = known.get(element);
    const window = sameOriginWindow(element);
    if (!window) {
      // A frame of another origin is none of our business; an object that shows an image has no document at all.
      if (!frame.listed && element.contentWindow) frame.listed = list(entryOf(null, 'It is of another origin.'));
      return;
    }
    const { console, document } = window;
    if (frame.console !== console) {
      frame.console = console;
      const { hooked, watchErrors } = hookWindow(window, () => pathOf(window));
      frame.listed = list({ ...entryOf(window, blind), hooked, hookedAt: hooked ? now() : null });
      const onHide = () => chase(element, console);
      // The hooked Window outlives its initial document; the next one is there once its parser says so.
      const onReady = () => observe(window.document, frame.listen);
      frame.listen = () => {
        watchErrors();
        window.addEventListener('pagehide', onHide);
        window.addEventListener('readystatechange', onReady, true);
      };
      frame.listen();
    }
    frame.listed.path = pathOf(window);
    frame.listed.timeOrigin = originOf(window);
    observe(document, frame.listen);
  }

  /** Looks for the Window that replaces one that is being hidden. */
  function chase(element, console) {
    const { port1, port2 } = new MessageChannel();
    let left = CHAIN_MAX;
    port1.onmessage = () => {
      const next = sameOriginWindow(element);
      if (next && next.console !== console) {
        refresh(element, null);
      } else if (left-- > 0 && !stopped && element.isConnected) {
        port2.postMessage(null);
        return;
      }
      port1.close();
    };
    port2.postMessage(null);
  }

  /** @param {() => void} [listen] Adds the Window's listeners again: `document.open()` removes them. */
  function observe(document, listen) {
    if (stopped || !document || observed.has(document)) return;
    observed.add(document);
    const observer = new MutationObserver((mutations) => {
      for (const { target, addedNodes, removedNodes } of mutations) {
        if (listen && target === document) listen();
        for (const node of addedNodes) each(node, (element) => adopt(element, null));
        for (const node of removedNodes) each(node, forget);
      }
    });
    observer.observe(document, { childList: true, subtree: true });
    observers.add(observer);
    for (const element of document.querySelectorAll(SELECTOR)) adopt(element, startedReason(element));
  }

  function each(node, work) {
    if (node.nodeType !== 1) return;
    const name = node.localName;
    if (name === 'iframe' || name === 'frame' || name === 'object' || name === 'embed') work(node);
    if (node.firstElementChild === null) return;
    for (const element of node.querySelectorAll(SELECTOR)) work(element);
  }

  function forget(element) {
    const frame = known.get(element);
    if (!frame || element.isConnected) return;
    if (frame.listed) frame.listed.removed = true;
    known.delete(element);
  }

  if (typeof MutationObserver === 'function' && globalThis.document) observe(globalThis.document);

  return {
    /** The documents' part of a report. */
    report: () => ({ watching: !stopped && observers.size > 0, documents: documents.map((entry) => ({ ...entry })), omitted }),
    /** How many child documents are being captured, and how many are there but unseen. */
    counts: () => {
      const alive = documents.filter((entry) => !entry.removed);
      const hooked = alive.filter((entry) => entry.hooked).length;
      return { hooked, blind: alive.length - hooked };
    },
    stop: () => {
      stopped = true;
      for (const observer of observers) observer.disconnect();
      observers.clear();
    },
  };
}

/** The element's Window if its document can be read. Never throws, never makes the browser log. */
function sameOriginWindow(element) {
  try {
    // null for another origin, without the console noise that touching such a Window makes.
    return element.contentDocument ? element.contentDocument.defaultView : null;
  } catch {
    return null;
  }
}

function pathOf(window) {
  try {
    const { href, pathname, protocol } = window.location;
    return protocol === 'about:' ? plainAddress(href) : pathname;
  } catch {
    return null;
  }
}

function originOf(window) {
  try {
    return Math.round(window.performance.timeOrigin);
  } catch {
    return null;
  }
}

function startedReason(element) {
  const window = sameOriginWindow(element);
  if (!window || window.location.href === 'about:blank') return null;
  return 'It was there before it could be watched: its first lines may be missing.';
}

function entryOf(window, blind) {
  return {
    path: window ? pathOf(window) : null,
    hooked: false,
    hookedAt: null,
    timeOrigin: window ? originOf(window) : null,
    blind,
    removed: false,
  };
}
