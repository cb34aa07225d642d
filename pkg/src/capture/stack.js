// An error's stack, without the page's code but for what V8 itself calls.

import { call, getOwnPropertyDescriptor, stackGetters } from './builtins.js';
import { cut, isPlainError, looksLikeError } from './text.js';

/** UTF-16 code units of a stack that are handed on. */
export const STACK_UNITS = 4 * 1024;

/**
 * The stack of the first Error among some arguments, or an empty text. To be called only after a match: in V8 the first
 * read of a stack runs the page's `Error.prepareStackTrace`.
 * @param {ArrayLike<unknown>} args
 */
export function stackOf(args) {
  for (let at = 0; at < args.length; at++) {
    const value = args[at];
    if (typeof value !== 'object' || value === null) continue;
    try {
      if (!looksLikeError(value)) continue;
      const stack = ownStack(value);
      return stack.length > STACK_UNITS ? cut(stack, STACK_UNITS) : stack;
    } catch {
      // A revoked Proxy throws; try the next argument.
    }
  }
  return '';
}

/** A data property, or what the engine's own getter gives; never a getter of the page's. @param {object} error @returns {string} */
function ownStack(error) {
  const own = getOwnPropertyDescriptor(error, 'stack')?.value;
  if (typeof own === 'string') return own;
  // V8 puts the error's text before the stack when it is first read.
  if (!isPlainError(error)) return '';
  for (let at = 0; at < stackGetters.length; at++) {
    try {
      const stack = call(stackGetters[at], error);
      if (typeof stack === 'string' && stack !== '') return stack;
    } catch {
      // This engine, or this kind of error, does not have this accessor.
    }
  }
  return '';
}
