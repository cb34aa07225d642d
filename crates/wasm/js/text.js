// The text of a console call, made without running any of the page's code: getters, toString, toJSON, valueOf and
// Symbol.toPrimitive run 0 times. What only an accessor could reveal stays unseen; it shows as `(…)`.
// A Proxy cannot be told from its target, so its traps may run; the caller's guard keeps what they log away from here.

import {
  ObjectPrototype,
  apply,
  charCodeAt,
  domExceptionMessage,
  domExceptionName,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  indexOf,
  isArray,
  isError,
  ownKeys,
  parseInteger,
  parseNumber,
  slice,
  symbolToString,
  trunc,
  typedArrayLength,
  typedArrayName,
} from './builtins.js';

/** UTF-16 code units of a line that are looked at from its beginning and from its end. */
export const HEAD_UNITS = 64 * 1024;
export const TAIL_UNITS = 16 * 1024;

const ERROR_LEVELS = 8;
const ERROR_NODES = 32;
const OBJECT_LEVELS = 2;
const OBJECT_KEYS = 64;
const OBJECT_UNITS = 4 * 1024;
/** Prototypes looked through for an error's name: deep hierarchies are rare, endless ones (a Proxy) possible. */
const PROTOTYPES = 16;

const HIDDEN = '(…)';
const UNREADABLE = '[unreadable]';
const MORE = '…';

/** Set by `lineText`: the last part of a line that was too long to look at whole, else an empty string. */
export let tail = '';
/** Set by `lineText`: the whole line's length in UTF-16 code units. */
export let length = 0;
/** How many arguments could not be read since the page began. */
export let unreadable = 0;

let nodes = 0;
let room = 0;

/**
 * The line that DevTools would show for these arguments; of a very long one the first part, with the rest in `tail`.
 * @param {ArrayLike<unknown>} args
 * @returns {string}
 */
export function lineText(args) {
  const count = args.length;
  const first = args[0];
  tail = '';
  if (typeof first === 'string' && (count === 1 || (count === 2 && typeof args[1] === 'string'))) {
    const plain = count === 1 || apply(indexOf, first, ['%']) < 0;
    if (plain) {
      const text = count === 1 ? first : joined(first, args[1]);
      length = text.length;
      return length <= HEAD_UNITS + TAIL_UNITS ? text : cutLine(text);
    }
  }
  return slowText(args, count);
}

/** Two strings with a space between them; huge ones are cut first, since joining copies them. */
function joined(first, second) {
  return first.length + second.length <= HEAD_UNITS + TAIL_UNITS ? first + ' ' + second : bounded(first, second);
}

function bounded(first, second) {
  begin();
  add(first);
  add(' ');
  add(second);
  return finish();
}

function cutLine(text) {
  tail = apply(slice, text, [text.length - TAIL_UNITS]);
  return apply(slice, text, [0, HEAD_UNITS]);
}

// A line under construction: whole while it is short, head and tail once it is not.
let head = '';
let end = '';
let total = 0;

function begin() {
  head = '';
  end = '';
  total = 0;
}

function add(piece) {
  total += piece.length;
  if (head.length < HEAD_UNITS) {
    const fits = HEAD_UNITS - head.length;
    if (piece.length <= fits) {
      head += piece;
      return;
    }
    head += apply(slice, piece, [0, fits]);
    piece = apply(slice, piece, [fits]);
  }
  if (piece.length > TAIL_UNITS) {
    end = apply(slice, piece, [piece.length - TAIL_UNITS]);
  } else {
    end += piece;
    if (end.length > TAIL_UNITS) end = apply(slice, end, [end.length - TAIL_UNITS]);
  }
}

function finish() {
  length = total;
  const text = head;
  const whole = total <= HEAD_UNITS + TAIL_UNITS;
  tail = whole ? '' : end;
  const result = whole ? text + end : text;
  head = '';
  end = '';
  return result;
}

function slowText(args, count) {
  begin();
  let next = 0;
  if (count > 1 && typeof args[0] === 'string' && apply(indexOf, args[0], ['%']) >= 0) {
    next = addTemplate(args, count);
  }
  for (let at = next; at < count; at++) {
    if (at > 0) add(' ');
    add(argumentText(args[at]));
  }
  return finish();
}

/** Adds a `%s` template with its arguments in place and says which argument comes next. */
function addTemplate(args, count) {
  const template = args[0];
  let next = 1;
  let done = 0;
  for (;;) {
    const at = apply(indexOf, template, ['%', done]);
    if (at < 0 || at + 1 >= template.length) break;
    const kind = apply(slice, template, [at + 1, at + 2]);
    const piece = kind === '%' ? '%' : next < count ? substitute(kind, args[next]) : undefined;
    if (piece === undefined) {
      add(apply(slice, template, [done, at + 1]));
      done = at + 1;
      continue;
    }
    add(apply(slice, template, [done, at]));
    add(piece);
    if (kind !== '%') next++;
    done = at + 2;
  }
  add(apply(slice, template, [done]));
  return next;
}

/** What a specifier makes of an argument; undefined if it is no specifier. */
function substitute(kind, value) {
  switch (kind) {
    case 's':
    case 'o':
    case 'O':
      return argumentText(value);
    case 'd':
    case 'i':
      if (typeof value === 'bigint') return value + 'n';
      return '' + (typeof value === 'number' ? trunc(value) : typeof value === 'string' ? parseInteger(value, 10) : NaN);
    case 'f':
      return '' + (typeof value === 'number' ? value : typeof value === 'string' ? parseNumber(value) : NaN);
    case 'c':
      return '';
    default:
      return undefined;
  }
}

/** The text of one argument; never throws. */
export function argumentText(value) {
  if (typeof value === 'string') return value;
  try {
    nodes = 0;
    room = OBJECT_UNITS;
    return valueText(value, 0);
  } catch {
    unreadable++;
    return UNREADABLE;
  }
}

function valueText(value, level) {
  switch (typeof value) {
    case 'string':
      return level === 0 ? value : quoted(value);
    case 'symbol':
      return apply(symbolToString, value, []);
    case 'bigint':
      return value + 'n';
    case 'function':
      return 'ƒ ' + (dataString(value, 'name') ?? '') + '()';
    case 'object':
      return value === null ? 'null' : objectText(value, level);
    default:
      return '' + value;
  }
}

/** A string inside an object, with its quotes escaped so that its end can be told. */
function quoted(value) {
  let text = value.length > room ? apply(slice, value, [0, room]) + MORE : value;
  if (apply(indexOf, text, ['"']) >= 0 || apply(indexOf, text, ['\\']) >= 0) {
    let escaped = '';
    for (let at = 0; at < text.length; at++) {
      const code = apply(charCodeAt, text, [at]);
      escaped += (code === 34 || code === 92 ? '\\' : '') + text[at];
    }
    text = escaped;
  }
  return '"' + text + '"';
}

function objectText(value, level) {
  if (looksLikeError(value)) return errorText(value, 0);
  const typed = typedArrayName && apply(typedArrayName, value, []);
  // Bytes are never shown: they say nothing to a reader, and may be a key.
  if (typed) return typed + '(' + apply(typedArrayLength, value, []) + ')';
  const array = isArray(value);
  if (level >= OBJECT_LEVELS) return array ? 'Array' : (className(value) ?? 'Object');
  return array ? arrayText(value, level) : plainText(value, level);
}

function arrayText(value, level) {
  const size = getOwnPropertyDescriptor(value, 'length').value;
  let text = '[';
  for (let at = 0; at < size; at++) {
    if (at >= OBJECT_KEYS || room <= 0) return text + ', ' + MORE + ' ' + (size - at) + ' more]';
    const piece = propertyText(value, '' + at, level);
    room -= piece.length + 2;
    text += (at > 0 ? ', ' : '') + piece;
  }
  return text + ']';
}

function plainText(value, level) {
  const name = className(value);
  const keys = ownKeys(value);
  let text = (name ? name + ' ' : '') + '{';
  for (let at = 0; at < keys.length; at++) {
    if (at >= OBJECT_KEYS || room <= 0) return text + ', ' + MORE + ' ' + (keys.length - at) + ' more}';
    const key = keys[at];
    const label = typeof key === 'symbol' ? apply(symbolToString, key, []) : key;
    room -= label.length + 2;
    const piece = propertyText(value, key, level);
    room -= piece.length + 2;
    text += (at > 0 ? ', ' : '') + label + ': ' + piece;
  }
  return text + '}';
}

function propertyText(object, key, level) {
  let descriptor;
  try {
    descriptor = getOwnPropertyDescriptor(object, key);
    if (!descriptor) return 'undefined';
    if (descriptor.get || descriptor.set) return HIDDEN;
    return valueText(descriptor.value, level + 1);
  } catch {
    unreadable++;
    return UNREADABLE;
  }
}

/** A class's name, as its prototype's data properties give it; undefined for plain objects. */
function className(value) {
  const prototype = getPrototypeOf(value);
  if (prototype === null || prototype === ObjectPrototype) return undefined;
  const constructor = getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  const name = typeof constructor === 'function' ? dataString(constructor, 'name') : undefined;
  return name === 'Object' ? undefined : name;
}

function dataString(object, key) {
  const value = getOwnPropertyDescriptor(object, key)?.value;
  return typeof value === 'string' ? value : undefined;
}

/** Whether a value is an Error or a DOMException, of whatever realm. */
export function looksLikeError(value) {
  if (isError && isError(value)) return true;
  // WebKit's Error.isError is false for a DOMException, older engines have none: then the prototypes tell.
  let prototype = getPrototypeOf(value);
  for (let depth = 0; prototype !== null && depth < PROTOTYPES; depth++) {
    if (getOwnPropertyDescriptor(prototype, 'INDEX_SIZE_ERR')) return true;
    if (!isError && isErrorPrototype(prototype)) return true;
    prototype = getPrototypeOf(prototype);
  }
  return false;
}

function isErrorPrototype(prototype) {
  return dataString(prototype, 'name') === 'Error' && dataString(prototype, 'message') !== undefined;
}

function errorText(error, level) {
  nodes++;
  let text = errorTitle(error);
  if (level + 1 >= ERROR_LEVELS) return text;
  const cause = getOwnPropertyDescriptor(error, 'cause');
  if (cause && nodes < ERROR_NODES) text += ' [cause: ' + nestedText(cause, level) + ']';
  const errors = getOwnPropertyDescriptor(error, 'errors')?.value;
  if (typeof errors === 'object' && errors !== null && isArray(errors)) {
    const size = getOwnPropertyDescriptor(errors, 'length').value;
    text += ' [errors: ';
    for (let at = 0; at < size; at++) {
      if (nodes >= ERROR_NODES) {
        text += (at > 0 ? ', ' : '') + MORE + ' ' + (size - at) + ' more';
        break;
      }
      const child = getOwnPropertyDescriptor(errors, '' + at);
      text += (at > 0 ? ', ' : '') + (child ? nestedText(child, level) : 'undefined');
    }
    text += ']';
  }
  return text;
}

function nestedText(descriptor, level) {
  if (descriptor.get || descriptor.set) return HIDDEN;
  const value = descriptor.value;
  if (typeof value === 'object' && value !== null && looksLikeError(value)) return errorText(value, level + 1);
  nodes++;
  return valueText(value, 1);
}

function errorTitle(error) {
  const name = errorField(error, 'name', domExceptionName) ?? 'Error';
  const message = errorField(error, 'message', domExceptionMessage) ?? '';
  return message === '' ? name : name === '' ? message : name + ': ' + message;
}

/** An error's name or message: a data property of it or of a prototype, or a DOMException's own platform getter. */
function errorField(error, key, platformGetter) {
  let object = error;
  for (let depth = 0; object !== null && depth < PROTOTYPES; depth++) {
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (descriptor) {
      if (!descriptor.get) return typeof descriptor.value === 'string' ? descriptor.value : valueText(descriptor.value, 1);
      return platformField(error, platformGetter) ?? HIDDEN;
    }
    object = getPrototypeOf(object);
  }
  return undefined;
}

function platformField(error, platformGetter) {
  try {
    return platformGetter && apply(platformGetter, error, []);
  } catch {
    return undefined;
  }
}
