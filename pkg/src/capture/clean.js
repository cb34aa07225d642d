// What the page, the browser and the client say of themselves, fit for a report: each text has gone through the core's
// redactor. Where no core has looked at a text, only a form that can hold no secret is left of it, else null.

import { execRegExp } from './builtins.js';
import { redact } from './core.js';
import { copy } from './json.js';

const VERSION = /^v?\d{1,4}(?:\.\d{1,5}){1,3}(?:-(?:alpha|beta|rc|dev)(?:\.\d{1,4})?)?$/;

/** For each field, the form of a text that cannot be a secret there. Without a core, only texts of that form are reported. */
/** @type {Record<string, RegExp>} */
const PUBLIC = {
  // @ts-expect-error: sets the prototype. With none, a lookup cannot find what a page has added to Object.prototype.
  __proto__: null,
  sdkVersion: VERSION,
  cryptoVersion:
    /^Rust SDK \d{1,3}(?:\.\d{1,4}){1,3} \([0-9a-f]{7,12}\), Vodozemac \d{1,3}(?:\.\d{1,4}){1,3}$/,
  // The form that Synapse generates. A client may choose another id, which is then left out.
  deviceId: /^[A-Z]{10}$/,
  userId: /^@[a-z0-9._-]{1,64}:[a-z0-9.-]{1,253}(?::\d{1,5})?$/,
  syncState: /^(?:PREPARED|SYNCING|CATCHUP|RECONNECTING|ERROR|STOPPED)$/,
  page: /^https?:\/\/[a-z0-9.-]{1,253}(?::\d{1,5})?(?=\/)/,
  path: /^(?:about:(?:blank|srcdoc)|\/|(?:\/[a-z-]{1,20}){1,4}(?:\.html)?)$/,
  // The name of a database: words.
  name: /^[a-z]{1,20}(?:[-:_]{1,2}[a-z]{1,20}){0,6}$/,
  question: /^[A-Za-z.]{1,40}$/,
};

/** The parts of a user agent that identify the engine, with their versions. */
const ENGINES = [
  /Firefox\/\d{1,4}(?:\.\d{1,5}){0,3}/,
  /(?:Headless)?Chrome\/\d{1,4}(?:\.\d{1,5}){0,3}/,
  /Version\/\d{1,4}(?:\.\d{1,5}){0,3}/,
  /Safari\/\d{1,4}(?:\.\d{1,5}){0,3}/,
  /Electron\/\d{1,4}(?:\.\d{1,5}){0,3}/,
];

/** Put into a field that must be a text, where nothing of the original may be shown. */
const CLOSED = '[closed]';

/** @param {string} text @param {string} field */
function withoutCore(text, field) {
  if (field === 'userAgent') {
    let engines = null;
    for (let at = 0; at < ENGINES.length; at++) {
      const found = execRegExp(ENGINES[at], text);
      if (found) engines = engines === null ? found[0] : engines + ' ' + found[0];
    }
    return engines;
  }
  if (field === 'why' || field === 'label') return CLOSED;
  const form = PUBLIC[field];
  return (form && execRegExp(form, text)?.[0]) ?? null;
}

/**
 * A copy of some facts in which each text has been redacted.
 * @template T
 * @param {T} facts Plain data.
 * @returns {{facts: T, closed: number, byCore: boolean}} `closed`: how many texts were changed;
 *   `byCore`: whether the core has looked at every one.
 */
export function clean(facts) {
  let closed = 0;
  let byCore = true;
  const look = (/** @type {string} */ text, /** @type {string} */ field) => {
    const redacted = redact(text, field);
    if (redacted === null) byCore = false;
    const left = redacted ?? withoutCore(text, field);
    if (left !== text) closed++;
    return left;
  };
  return { facts: copy(facts, look), closed, byCore };
}
