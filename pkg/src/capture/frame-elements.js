// Elements that hold documents: where they stand in a tree, and the Window that one shows.

const SELECTOR = 'iframe,frame,object,embed';
/** Elements looked through for shadow roots when a report is made. */
const HOSTS_MAX = 20_000;

/** An element that may hold a document, as far as it is asked here. @typedef {HTMLIFrameElement} FrameElement */

/** All of them below a root. @param {Document | ShadowRoot | Element} root @returns {NodeListOf<FrameElement>} */
export const framesIn = (root) => root.querySelectorAll(SELECTOR);

/** Calls for a node, if it is one, and for each one below it. @param {Node} node @param {(element: FrameElement) => void} work */
export function eachFrame(node, work) {
  if (node.nodeType !== 1) return;
  const element = /** @type {FrameElement} */ (node);
  const name = element.localName;
  if (name === 'iframe' || name === 'frame' || name === 'object' || name === 'embed') work(element);
  if (element.firstElementChild === null) return;
  const inside = framesIn(element);
  for (let at = 0; at < inside.length; at++) work(inside[at]);
}

/** Calls for each open shadow root of the page that holds one, within bounds. @param {(root: ShadowRoot) => void} work */
export function eachShadowWithFrames(work) {
  let left = HOSTS_MAX;
  /** @param {Document | ShadowRoot} root */
  const search = (root) => {
    const hosts = root.querySelectorAll('*');
    for (let at = 0; at < hosts.length && left-- > 0; at++) {
      const { shadowRoot } = hosts[at];
      if (!shadowRoot) continue;
      if (framesIn(shadowRoot).length > 0) work(shadowRoot);
      search(shadowRoot);
    }
  };
  search(globalThis.document);
}

/**
 * The element's Window if its document can be read. Never throws, never makes the browser log.
 * @param {FrameElement} element
 * @returns {(Window & typeof globalThis) | null}
 */
export function windowOf(element) {
  try {
    // null for another origin, without the console noise that touching such a Window makes.
    const document = element.contentDocument;
    if (document) return document.defaultView;
    return element.localName === 'embed' ? windowOfEmbed(element) : null;
  } catch {
    return null;
  }
}

/** An embed's Window has no name of its own; it stands among its parent's. @param {FrameElement} element */
function windowOfEmbed(element) {
  const parent = /** @type {Window} */ (element.ownerDocument.defaultView);
  for (let at = 0; at < parent.length; at++) {
    try {
      const window = /** @type {any} */ (parent[at]);
      if (window.frameElement === element) return window;
    } catch {
      // Another origin's.
    }
  }
  return null;
}
