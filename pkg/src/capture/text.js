// The text of a console call, made without running any of the page's code: getters, toString, toJSON, valueOf and
// Symbol.toPrimitive are never called. A value behind an accessor is shown as `(…)`.
// A Proxy cannot be told from its target, so its traps may run; the caller's guard keeps what they log away from here.

import {
  ErrorPrototype,
  ObjectPrototype,
  call,
  charCodeAt,
  domExceptionMessage,
  domExceptionName,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hasOwn,
  indexOf,
  isArray,
  isError,
  isErrorKnowsDom,
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

/** Arguments of one call that are looked at; their own bounds hold for each. */
const ARGUMENTS = 256;
/** Places of a template where a specifier may stand: a text of nothing but `%` must not cost seconds. */
const SPECIFIERS = 1024;
const ERROR_LEVELS = 8;
const ERROR_NODES = 32;
const OBJECT_LEVELS = 2;
const OBJECT_KEYS = 64;
const OBJECT_UNITS = 4 * 1024;
/** Prototypes looked through for an error's name: deep hierarchies are rare, endless ones (a Proxy) possible. */
const PROTOTYPES = 16;
/** Turning a number of n digits into a text costs more than n steps: none that says anything is larger. */
const LARGEST = 1n << 1024n;

const HIDDEN = '(…)';
const UNREADABLE = '[unreadable]';
const MORE = '…';

/** Set by `lineText`: the last part of a line that was too long to look at whole, else an empty string. */
export let tail = '';
/** Set by `lineText`: the whole line's length in UTF-16 code units. */
export let length = 0;
/** How many arguments, or parts of them, could not be read since the page began. */
export let unreadable = 0;

// A line under construction. A short line is kept whole; of a long one, the head and the tail are kept.
let head = '';
let end = '';
let total = 0;
/** Units that the value being written may still take. */
let room = Infinity;
/** Errors written so far, of one argument. */
let nodes = 0;

/**
 * The line that DevTools would show for these arguments; of a very long one the first part, with the rest in `tail`.
 * @param {ArrayLike<unknown>} args
 * @returns {string}
 */
export function lineText(args) {
  const count = args.length;
  const first = args[0];
  tail = '';
  if (typeof first === 'string') {
    if (count === 1 && first.length <= HEAD_UNITS) {
      length = first.length;
      return first;
    }
    const second = args[1];
    if (
      count === 2 &&
      typeof second === 'string' &&
      first.length + second.length < HEAD_UNITS &&
      indexOf(first, '%') < 0
    ) {
      const text = first + ' ' + second;
      length = text.length;
      return text;
    }
  }
  head = '';
  end = '';
  total = 0;
  addArguments(args, count);
  return finish();
}

/** Lets go of the last line, which may be part of a much longer text that would be kept alive with it. */
export function forget() {
  tail = '';
}

function finish() {
  length = total;
  const whole = total <= HEAD_UNITS + TAIL_UNITS;
  if (end.length > TAIL_UNITS) end = slice(end, end.length - TAIL_UNITS);
  tail = whole ? '' : end;
  const text = whole ? head + end : head;
  head = '';
  end = '';
  return text;
}

/** Adds a piece to the line. @param {string} piece */
function add(piece) {
  total += piece.length;
  if (head.length < HEAD_UNITS) {
    const fits = HEAD_UNITS - head.length;
    if (piece.length <= fits) {
      head += piece;
      return;
    }
    head += slice(piece, 0, fits);
    piece = slice(piece, fits);
  }
  end = piece.length > TAIL_UNITS ? slice(piece, piece.length - TAIL_UNITS) : end + piece;
  // Cut only now and then, since each cut copies the text.
  if (end.length > 2 * TAIL_UNITS) end = slice(end, end.length - TAIL_UNITS);
}

/** Adds a piece of a value that has a limited room. @param {string} piece */
function put(piece) {
  if (piece.length > room) {
    add(cut(piece, room) + MORE);
    room = 0;
  } else {
    room -= piece.length;
    add(piece);
  }
}

/**
 * The beginning of a text, without a word that reaches the cut: it may be part of a secret, which only the whole shows
 * to be one.
 * @param {string} text
 * @param {number} units Fewer than it has.
 */
export function cut(text, units) {
  let at = units > 0 ? units : 0;
  while (at > 0 && isTokenUnit(charCodeAt(text, at - 1))) at--;
  return slice(text, 0, at);
}

/** What a token may consist of: letters, digits and `%+-./=_~`. @param {number} code */
function isTokenUnit(code) {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 45 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    code === 95 ||
    code === 61 ||
    code === 43 ||
    code === 37 ||
    code === 126
  );
}

/** @param {ArrayLike<any>} args @param {number} count */
function addArguments(args, count) {
  const template = args[0];
  let next = 0;
  if (count > 1 && typeof template === 'string' && indexOf(template, '%') >= 0) {
    next = addTemplate(template, args, count);
  }
  for (; next < count; next++) {
    if (next > 0) add(' ');
    if (next >= ARGUMENTS) {
      add(MORE + ' ' + (count - next) + ' more');
      return;
    }
    addArgument(args[next]);
  }
}

/** Adds a `%s` template with its arguments in place and says which argument comes next. @param {string} template @param {ArrayLike<any>} args @param {number} count */
function addTemplate(template, args, count) {
  let next = 1;
  let done = 0;
  let at = indexOf(template, '%');
  for (let left = SPECIFIERS; at >= 0 && at + 1 < template.length && left > 0; left--) {
    const kind = template[at + 1];
    if (kind === '%') {
      add(slice(template, done, at + 1));
      done = at + 2;
    } else if (next < count && isSpecifier(kind)) {
      add(slice(template, done, at));
      substitute(kind, args[next++]);
      done = at + 2;
    }
    at = indexOf(template, '%', done > at ? done : at + 1);
  }
  add(slice(template, done));
  return next;
}

/** @param {string} kind One character. */
const isSpecifier = (kind) => indexOf('soOdifc', kind) >= 0;

/** Adds what a specifier makes of an argument. @param {string} kind @param {any} value */
function substitute(kind, value) {
  if (kind === 'c') return;
  const type = typeof value;
  if (kind === 's' || kind === 'o' || kind === 'O' || (kind !== 'f' && type === 'bigint')) {
    addArgument(value);
  } else if (kind === 'f') {
    add('' + (type === 'number' ? value : type === 'string' ? parseNumber(value) : NaN));
  } else {
    add('' + (type === 'number' ? trunc(value) : type === 'string' ? parseInteger(value, 10) : NaN));
  }
}

/** Adds one argument; never throws. What was read of it before something in it failed stays. @param {any} value */
function addArgument(value) {
  if (typeof value === 'string') {
    add(value);
    return;
  }
  try {
    nodes = 0;
    room = Infinity;
    addValue(value, 0);
  } catch {
    unreadable++;
    add(UNREADABLE);
  }
}

/** Adds a value that is no string, or one inside an object. @param {any} value @param {number} level */
function addValue(value, level) {
  switch (typeof value) {
    case 'string':
      addQuoted(value);
      break;
    case 'function':
      put('ƒ ' + (dataString(value, 'name') ?? '') + '()');
      break;
    case 'object':
      if (value === null) put('null');
      else addObject(value, level);
      break;
    default:
      put(primitive(value));
  }
}

/** @param {any} value */
function primitive(value) {
  switch (typeof value) {
    case 'symbol':
      return symbolToString(value);
    case 'bigint':
      return value < LARGEST && value > -LARGEST ? value + 'n' : MORE + 'n';
    case 'undefined':
      // Not `'' + value`: `typeof document.all` is 'undefined', but it is an object and could run code.
      return 'undefined';
    default:
      return '' + value;
  }
}

/** Adds a string inside an object, its quotes escaped so that its end can be told. @param {any} value */
function addQuoted(value) {
  const fits = value.length <= room;
  const text = fits ? value : cut(value, room) + MORE;
  room -= value.length;
  add('"' + escaped(escaped(text, '\\'), '"') + '"');
}

/** @param {string} text @param {string} mark */
function escaped(text, mark) {
  let at = indexOf(text, mark);
  if (at < 0) return text;
  let out = '';
  let done = 0;
  for (; at >= 0; at = indexOf(text, mark, at + 1)) {
    out += slice(text, done, at) + '\\';
    done = at;
  }
  return out + slice(text, done);
}

/** @param {any} value @param {number} level */
function addObject(value, level) {
  if (looksLikeError(value)) {
    addError(value, 0);
    return;
  }
  const typed = typedArrayName && call(typedArrayName, value);
  const array = !typed && isArray(value);
  if (typed) {
    // Bytes are never shown: a reader cannot use them, and they may be a key.
    put(typed + '(' + call(typedArrayLength, value) + ')');
  } else if (level >= OBJECT_LEVELS) {
    put(array ? 'Array' : (className(value) ?? 'Object'));
  } else {
    const before = room;
    if (room === Infinity) room = OBJECT_UNITS;
    if (array) addArray(value, level);
    else addProperties(value, level);
    if (before === Infinity) room = Infinity;
  }
}

/** @param {any} value @param {number} level */
function addArray(value, level) {
  const size = getOwnPropertyDescriptor(value, 'length')?.value;
  add('[');
  for (let at = 0; at < size; at++) {
    if (at > 0) add(', ');
    if (at >= OBJECT_KEYS || room <= 0) {
      add(MORE + ' ' + (size - at) + ' more');
      break;
    }
    addProperty(value, '' + at, level);
  }
  add(']');
}

/** @param {any} value @param {number} level */
function addProperties(value, level) {
  const name = className(value);
  // Of an object with 200,000 keys this makes a list, some milliseconds. A `for-in` that breaks off is cheaper in Firefox
  // only, where it runs a Proxy's trap for each key first.
  const keys = ownKeys(value);
  put((name ? name + ' ' : '') + '{');
  for (let at = 0; at < keys.length; at++) {
    if (at > 0) add(', ');
    if (at >= OBJECT_KEYS || room <= 0) {
      add(MORE + ' ' + (keys.length - at) + ' more');
      break;
    }
    const key = keys[at];
    put(typeof key === 'symbol' ? symbolToString(key) : key);
    add(': ');
    addProperty(value, key, level);
  }
  add('}');
}

/** @param {any} object @param {PropertyKey} key @param {number} level */
function addProperty(object, key, level) {
  try {
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (descriptor && (descriptor.get || descriptor.set)) put(HIDDEN);
    else addValue(descriptor?.value, level + 1);
  } catch {
    unreadable++;
    put(UNREADABLE);
  }
}

/** A class's name, as its prototype's data properties give it; undefined for plain objects. @param {any} value */
function className(value) {
  const prototype = getPrototypeOf(value);
  if (prototype === null || prototype === ObjectPrototype) return undefined;
  const constructor = getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  const name = typeof constructor === 'function' ? dataString(constructor, 'name') : undefined;
  return name === 'Object' ? undefined : name;
}

/** @param {any} object @param {PropertyKey} key */
function dataString(object, key) {
  const value = getOwnPropertyDescriptor(object, key)?.value;
  return typeof value === 'string' ? value : undefined;
}

/** Whether a value is an Error or a DOMException, of whatever realm. @param {any} value */
export function looksLikeError(value) {
  // Try the usual case first: asking the engine costs more than reading all of an error.
  if (getPrototypeOf(value) === ErrorPrototype && hasOwn(value, 'message')) return true;
  if (isError && isError(value)) return true;
  if (isErrorKnowsDom) return false;
  // WebKit's Error.isError is false for a DOMException, older engines have none: then the prototypes tell.
  let prototype = getPrototypeOf(value);
  for (let depth = 0; prototype !== null && depth < PROTOTYPES; depth++) {
    if (getOwnPropertyDescriptor(prototype, 'INDEX_SIZE_ERR')) return true;
    if (!isError && isErrorPrototype(prototype)) return true;
    prototype = getPrototypeOf(prototype);
  }
  return false;
}

/** @param {object} prototype */
function isErrorPrototype(prototype) {
  return dataString(prototype, 'name') === 'Error' && dataString(prototype, 'message') !== undefined;
}

/** @param {any} error @param {number} level */
function addError(error, level) {
  nodes++;
  addTitle(error);
  if (level + 1 >= ERROR_LEVELS) return;
  const cause = hasOwn(error, 'cause') && getOwnPropertyDescriptor(error, 'cause');
  if (cause && nodes < ERROR_NODES && room > 0) {
    add(' [cause: ');
    addNested(cause, level);
    add(']');
  }
  // Most errors have neither. This test costs a third of asking for a descriptor.
  const errors = hasOwn(error, 'errors') ? getOwnPropertyDescriptor(error, 'errors')?.value : null;
  if (typeof errors !== 'object' || errors === null || !isArray(errors)) return;
  const size = getOwnPropertyDescriptor(errors, 'length')?.value;
  add(' [errors: ');
  for (let at = 0; at < size; at++) {
    if (at > 0) add(', ');
    if (nodes >= ERROR_NODES || room <= 0) {
      add(MORE + ' ' + (size - at) + ' more');
      break;
    }
    const child = getOwnPropertyDescriptor(errors, '' + at);
    if (child) addNested(child, level);
    else add('undefined');
  }
  add(']');
}

/** Adds a cause or a child; one that cannot be read costs itself only. @param {PropertyDescriptor} descriptor @param {number} level */
function addNested(descriptor, level) {
  const value = descriptor.value;
  try {
    if (descriptor.get || descriptor.set) {
      put(HIDDEN);
    } else if (typeof value === 'object' && value !== null && looksLikeError(value)) {
      addError(value, level + 1);
    } else {
      nodes++;
      const before = room;
      if (room === Infinity) room = OBJECT_UNITS;
      addValue(value, 1);
      room = before;
    }
  } catch {
    unreadable++;
    add(UNREADABLE);
  }
}

/** An error's name; that of `Error.prototype` is not asked for each time. */
export const nameOf = (/** @type {any} */ error) =>
  getPrototypeOf(error) === ErrorPrototype && !hasOwn(error, 'name')
    ? 'Error'
    : (errorField(error, 'name', domExceptionName) ?? 'Error');
export const messageOf = (/** @type {any} */ error) =>
  errorField(error, 'message', domExceptionMessage) ?? '';

/** Whether turning an error into a text would run none of the page's code. */
export const isPlainError = (/** @type {any} */ error) =>
  nameOf(error) !== HIDDEN && messageOf(error) !== HIDDEN;

/** `Name: message`, as DevTools has it. @param {any} error */
function addTitle(error) {
  const name = nameOf(error);
  const message = messageOf(error);
  put(name);
  if (name !== '' && message !== '') put(': ');
  put(message);
}

/** An error's name or message: a data property of it or of a prototype, or a DOMException's own platform getter. @param {any} error @param {PropertyKey} key @param {import('./builtins.js').Getter} platformGetter */
function errorField(error, key, platformGetter) {
  let object = error;
  for (let depth = 0; object !== null && depth < PROTOTYPES; depth++) {
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (descriptor) {
      if (descriptor.get || descriptor.set) return platformField(error, platformGetter) ?? HIDDEN;
      const { value } = descriptor;
      // Getting an object's text would run its code.
      return typeof value === 'object' || typeof value === 'function' ? HIDDEN : primitive(value);
    }
    object = getPrototypeOf(object);
  }
  return undefined;
}

/** @param {any} error @param {import('./builtins.js').Getter} platformGetter */
function platformField(error, platformGetter) {
  try {
    return platformGetter && call(platformGetter, error);
  } catch {
    return undefined;
  }
}
