// @ts-check
/**
 * Builds elements. What a page hands over becomes a text node or an attribute value, never markup, so hostile lines
 * stay text, and a page under Trusted Types and `style-src 'self'` has nothing to object to.
 */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean> & { part?: string }} [attributes] `true` sets an empty attribute, `false` none;
 *   a part is given as the class, too: parts style from outside, classes from inside
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false) continue;
    element.setAttribute(name, value === true ? '' : value);
    if (name === 'part' && !('class' in attributes)) element.setAttribute('class', String(value));
  }
  element.append(...children);
  return element;
}

/**
 * Sets a text only where it differs: an equal write would still make the browser lay out again and a screen reader
 * read again.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
