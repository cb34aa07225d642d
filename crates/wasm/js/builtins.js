// The page's builtins as they were when this module ran. A page may patch its prototypes later, by accident or not; the
// per-line path calls only what stands here, through the captured `apply`, and uses no syntax that looks builtins up
// (no spread, no destructuring of arrays, no for-of).

export const { apply, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, defineProperty } = Reflect;
export const { isArray } = Array;
export const { assign, freeze } = Object;
export const now = Date.now;
export const exec = RegExp.prototype.exec;
export const indexOf = String.prototype.indexOf;
export const slice = String.prototype.slice;
export const charCodeAt = String.prototype.charCodeAt;
export const symbolToString = Symbol.prototype.toString;
export const parseNumber = parseFloat;
export const parseInteger = parseInt;
export const { trunc } = Math;
export const { parse: parseJson, stringify } = JSON;
export const encodeInto = globalThis.TextEncoder?.prototype.encodeInto;
export const decode = globalThis.TextDecoder?.prototype.decode;
export const Bytes = Uint8Array;
export const Words = Uint32Array;
export const Doubles = Float64Array;
export const ObjectPrototype = Object.prototype;
export const isError = Error.isError;

const getter = (prototype, name) => (prototype ? getOwnPropertyDescriptor(prototype, name)?.get : undefined);

const TypedArray = getPrototypeOf(Uint8Array.prototype);
/** `"Uint8Array"` and the like; undefined for everything that is no typed array. Runs no code of the page. */
export const typedArrayName = getter(TypedArray, Symbol.toStringTag);
export const typedArrayLength = getter(TypedArray, 'length');
export const domExceptionName = getter(globalThis.DOMException?.prototype, 'name');
export const domExceptionMessage = getter(globalThis.DOMException?.prototype, 'message');
export const memoryBuffer = getter(globalThis.WebAssembly?.Memory?.prototype, 'buffer');
