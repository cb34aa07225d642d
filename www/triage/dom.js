// @ts-check
// Makes elements from names and texts. Only this module puts text from files into the page, and only as text nodes: no markup is ever parsed.

import { INVISIBLE } from 'crypto-diag/invisible';

const SVG = 'http://www.w3.org/2000/svg';

/** Invisible characters that change how a text is shown, except line breaks and tabs. */
const UNSEEN = new RegExp(
  `(?![\\n\\t])[${INVISIBLE.map(([first, last]) => `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`).join('')}]`,
  'gu',
);

/** A character by its number, `[U+202E]`. @param {string} character */
const numbered = (character) =>
  `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;

/** A foreign text as it may be shown. @param {string} text */
export const plain = (text) => text.replace(UNSEEN, numbered);

/**
 * @typedef {Node | string | null | undefined | false} Child a text becomes a text node; nothing is left out
 * @typedef {Record<string, string | number | boolean | undefined>} Attributes `true` is an attribute without a value; `false`
 *   and `undefined` are none
 */

/**
 * @template {Element} E
 * @param {E} element
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : plain(String(value)));
    }
  }
  for (const child of children) {
    if (child) element.append(typeof child === 'string' ? plain(child) : child);
  }
  return element;
}

/**
 * An HTML element. Names of elements and attributes are this page's own, never a file's.
 * @template {keyof HTMLElementTagNameMap} N
 * @param {N} name
 * @param {Attributes} [attributes]
 * @param {Child[]} children
 */
export const html = (name, attributes = {}, ...children) =>
  fill(document.createElement(name), attributes, children);

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} N
 * @param {N} name
 * @param {Attributes} [attributes]
 * @param {Child[]} children
 */
export const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

/**
 * A button that does something.
 * @param {string} text
 * @param {Attributes} attributes
 * @param {(event: MouseEvent) => unknown} act
 */
export function button(text, attributes, act) {
  const made = html('button', { type: 'button', class: 'button', ...attributes }, text);
  made.addEventListener('click', act);
  return made;
}

/**
 * The page's element of that id, which its HTML has.
 * @param {string} id
 * @returns {any} an element of the kind that the HTML says
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * A table that scrolls by itself where it is wider than the page.
 * @param {string} label
 * @param {string[]} head
 * @param {Child[][]} rows
 */
export const table = (label, head, rows) =>
  html(
    'div',
    { class: 'wide', tabindex: 0, role: 'group', 'aria-label': label },
    html(
      'table',
      {},
      html('thead', {}, html('tr', {}, ...head.map((text) => html('th', { scope: 'col' }, text)))),
      html('tbody', {}, ...rows.map((cells) => html('tr', {}, ...cells.map((cell) => html('td', {}, cell))))),
    ),
  );

const UNITS = ['bytes', 'kB', 'MB', 'GB'];

/** `34.2 MB`. @param {number} bytes */
export function size(bytes) {
  const power = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}
