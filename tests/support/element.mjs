// @ts-check
// What is asked of one element inside a page. Each function is sent as text, so none uses anything outside itself.

/**
 * The text of an expression that applies `task` to the first match of a selector.
 * @param {(element: any, ...args: any[]) => unknown} task takes the element, null if there is none
 * @param {string} selector CSS; `host >>> inner` goes on inside an open shadow root
 * @param {...unknown} args JSON values, the task's further arguments
 */
export const onElement = (task, selector, ...args) =>
  `(${task})((${find})(${JSON.stringify(selector)}), ...${JSON.stringify(args)})`;

/** @param {string} selector @returns {Element | null} */
function find(selector) {
  /** @type {Document | ShadowRoot | null} */
  let root = document;
  /** @type {Element | null} */
  let element = null;
  for (const part of selector.split('>>>')) {
    element = root?.querySelector(part.trim()) ?? null;
    root = element?.shadowRoot ?? null;
  }
  return element;
}

/**
 * Where a user would click an element, in CSS pixels of the viewport, or why that is not possible yet.
 * @param {Element | null} element
 * @returns {{ x: number, y: number } | { why: string }}
 */
export function locate(element) {
  if (!element) return { why: 'no element matches' };
  if (element.matches(':disabled')) return { why: 'the element is disabled' };
  if (getComputedStyle(element).visibility !== 'visible') return { why: 'the element is hidden' };

  const middle = () => {
    // The first line of a link that wraps; the middle of its bounding box may be beside it.
    const box = element.getClientRects()[0];
    return box && box.width > 0 && box.height > 0
      ? { x: box.x + box.width / 2, y: box.y + box.height / 2 }
      : null;
  };
  const isOutside = (/** @type {{ x: number, y: number }} */ { x, y }) =>
    x < 0 || y < 0 || x >= innerWidth || y >= innerHeight;

  let point = middle();
  if (!point) return { why: 'the element has no size' };
  if (isOutside(point)) {
    element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    point = middle();
    if (!point || isOutside(point)) return { why: 'the element cannot be scrolled into view' };
  }

  let hit = document.elementFromPoint(point.x, point.y);
  for (let inner = hit; inner;) {
    hit = inner;
    const next = inner.shadowRoot?.elementFromPoint(point.x, point.y) ?? null;
    inner = next === inner ? null : next;
  }
  for (let node = /** @type {Node | null} */ (hit); node;) {
    if (node === element) return point;
    node = node.parentNode ?? (node instanceof ShadowRoot ? node.host : null);
  }
  const cover = hit ? `<${hit.localName}${hit.id ? ` id="${hit.id}"` : ''}>` : 'something';
  return { why: `the element is covered by ${cover}` };
}

/**
 * Watches which element the next click meets, with the press and as a whole: where the page moves between the press and the release, the
 * click is another element's.
 * @param {Element | null} element
 */
export function watchClick(element) {
  /** @type {Record<string, boolean>} */
  const met = {};
  Object.assign(globalThis, { cryptoDiagDriverClick: met });
  const look = (/** @type {Event} */ event) => {
    met[event.type] = element !== null && event.composedPath().includes(element);
  };
  for (const type of ['mousedown', 'click']) addEventListener(type, look, { capture: true, once: true });
}

/**
 * An element's text as a reader sees it.
 * @param {Element | null} element
 * @returns {string}
 */
export function readText(element) {
  if (!element) throw new Error('no element matches');
  return element instanceof HTMLElement ? element.innerText : (element.textContent ?? '');
}

/**
 * Puts a mark on an element, so that an engine's own means find it, or takes it off.
 * @param {Element | null} element
 * @param {string} attribute
 * @param {boolean} present
 * @returns {boolean} whether the element is there
 */
export function mark(element, attribute, present) {
  element?.toggleAttribute(attribute, present);
  return element !== null;
}
