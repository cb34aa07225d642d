// What may be reported of an error without a redactor: its message if that is a few plain words, else its name.

import { execRegExp } from './builtins.js';
import { messageOf, nameOf } from './text.js';

/** A message of letters only. Without digits and signs, it can hold no value such as `token=…`. */
const PLAIN = /^[A-Za-z']{1,14}(?:,? [A-Za-z'-]{1,14}){0,11}\.?$/;
/** Names of secrets. A message with one of them may hold the secret itself. */
const SENSITIVE = /pass|pin|secret|token|credential|phrase|recovery/i;
const NAME = /^[A-Z][A-Za-z]{0,24}(?:Error|Exception)$/;

/** The name of an error, whatever has been thrown; no getter of the page's runs. @param {any} error */
export function nameOfError(error) {
  try {
    const name = nameOf(error);
    return execRegExp(NAME, name) ? name : 'Error';
  } catch {
    return 'Error';
  }
}

/** @param {unknown} error Whatever has been thrown. */
export function wordsOf(error) {
  try {
    const message = messageOf(error);
    if (execRegExp(PLAIN, message) && !execRegExp(SENSITIVE, message)) return message;
  } catch {
    // Anything can be thrown, also what is no object.
  }
  return nameOfError(error);
}

/** What an error says, for a redactor; no getter of the page's runs. @param {unknown} error Whatever has been thrown. */
export function messageText(error) {
  try {
    return (
      (typeof error === 'object' && error !== null ? messageOf(error) : '' + error) || nameOfError(error)
    );
  } catch {
    return 'Error';
  }
}
