// The page's builtins as they were when this module ran. A page may patch its prototypes later, by accident or not; the
// per-line path calls only what stands here, and uses no syntax that looks builtins up (no spread, no destructuring of
// arrays, no for-of). So does what a report is made of.

export const { apply, construct, getPrototypeOf, ownKeys, defineProperty, deleteProperty } = Reflect;
export const { isArray } = Array;
export const { assign, freeze, getOwnPropertyDescriptor, hasOwn, isFrozen } = Object;
export const { isSafeInteger } = Number;
export const now = Date.now;
export const startTimer = globalThis.setTimeout;
export const stopTimer = globalThis.clearTimeout;
export const steadyNow = globalThis.performance?.now;

const { bind, call: callAs } = Function.prototype;
/**
 * A method as a function of its `this`: `slice(text, 1)`. Engines see through it, and no array is made as for `apply`.
 * @type {(method: Function) => (self: any, ...args: any[]) => any}
 */
const uncurry = bind.bind(callAs);
export const charCodeAt = uncurry(String.prototype.charCodeAt);
export const indexOf = uncurry(String.prototype.indexOf);
export const slice = uncurry(String.prototype.slice);
export const startsWith = uncurry(String.prototype.startsWith);
export const symbolToString = uncurry(Symbol.prototype.toString);
export const execRegExp = uncurry(RegExp.prototype.exec);

export const parseNumber = parseFloat;
export const parseInteger = parseInt;
export const { max, round, trunc } = Math;
export const { parse: parseJson, stringify } = JSON;
export const encode = globalThis.TextEncoder?.prototype.encode;
export const encodeInto = globalThis.TextEncoder?.prototype.encodeInto;
export const decode = globalThis.TextDecoder?.prototype.decode;
export const { MessageChannel: Channel, TextDecoder: Decoder, TextEncoder: Encoder } = globalThis;
export const postMessage = globalThis.MessagePort?.prototype.postMessage;
export const { get: weakGet, has: weakHas, set: weakSet } = WeakMap.prototype;
export const { deref } = WeakRef.prototype;
export const StandIn = Proxy;
export const Bytes = Uint8Array;
export const Words = Uint32Array;
export const Doubles = Float64Array;
export const ObjectPrototype = Object.prototype;
export const ErrorPrototype = Error.prototype;
/** `Error.isError`; undefined in engines that do not have it yet. @type {((value: unknown) => boolean) | undefined} */
export const isError = /** @type {any} */ (Error).isError;
/** Whether `Error.isError` is also true for a DOMException, as the standard demands. */
export const isErrorKnowsDom = Boolean(isError && globalThis.DOMException && isError(new DOMException()));

/** A getter as it was when this module ran; undefined if the engine does not have it. @typedef {(() => any) | undefined} Getter */

/** @type {(prototype: object | null | undefined, name: PropertyKey) => Getter} */
const getter = (prototype, name) => (prototype ? getOwnPropertyDescriptor(prototype, name)?.get : undefined);
/** Calls a getter on an object. The engine must have the getter. @type {(get: Getter, self: unknown) => any} */
export const call = (get, self) => apply(/** @type {Function} */ (get), self, []);
const DOMExceptionPrototype = globalThis.DOMException?.prototype;

const TypedArray = getPrototypeOf(Uint8Array.prototype);
/** The name of a typed array's class, such as `"Uint8Array"`; undefined for every other value. Runs no code of the page. */
export const typedArrayName = getter(TypedArray, Symbol.toStringTag);
export const typedArrayLength = getter(TypedArray, 'length');
export const domExceptionName = getter(DOMExceptionPrototype, 'name');
export const domExceptionMessage = getter(DOMExceptionPrototype, 'message');
/** The engine's own ways to an error's stack where it is no data property: in V8 each error has the accessor, elsewhere
 * the prototypes have. */
export const stackGetters = [
  getter(new Error(), 'stack'),
  getter(Error.prototype, 'stack'),
  getter(DOMExceptionPrototype, 'stack'),
];
export const errorOfEvent = getter(globalThis.ErrorEvent?.prototype, 'error');
export const messageOfEvent = getter(globalThis.ErrorEvent?.prototype, 'message');
export const reasonOfEvent = getter(globalThis.PromiseRejectionEvent?.prototype, 'reason');
export const memoryBuffer = getter(globalThis.WebAssembly?.Memory?.prototype, 'buffer');
export const { Instance, Module, instantiate } = globalThis.WebAssembly ?? {};
