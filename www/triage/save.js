// @ts-check
// The only ways out of the page, both on this computer and by the user's click: saved files and the clipboard.

import { button } from './dom.js';

/**
 * A button that saves a text as a file.
 * @param {string} label
 * @param {string} name
 * @param {string} type
 * @param {string} text
 * @param {import('./dom.js').Attributes} [attributes] of the button
 */
export function saveButton(label, name, type, text, attributes = {}) {
  return button(label, attributes, () => {
    const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
    const link = document.createElement('a');
    link.href = address;
    link.download = name;
    link.click();
    // The browser reads the Blob some time after the click, so free it later.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  });
}

/**
 * A button that copies an element's text, and says so by its own text.
 * @param {HTMLElement} element
 * @param {string} what it is, for those who do not see what the button stands beside
 * @param {(text: string) => void} announce
 */
export function copyButton(element, what, announce) {
  const copy = button('Copy', { class: 'button small', 'aria-label': `Copy: ${what}` }, async () => {
    try {
      await navigator.clipboard.writeText(element.textContent ?? '');
      copy.textContent = 'Copied';
      announce('Copied.');
    } catch {
      // There is no clipboard: the page is not in a secure context, or the user has refused.
      const range = document.createRange();
      range.selectNodeContents(element);
      const selection = getSelection();
      selection?.removeAllRanges();
      selection?.addRange(range);
      announce('The clipboard is closed to this page. The text is selected: copy it from there.');
    }
  });
  return copy;
}
