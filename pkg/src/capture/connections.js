// What stands in for a call frame's `RTCPeerConnection`: it remembers, weakly, which connections are made, so that a report can ask
// them how they fare. Frames alone have it, never the page itself, and nothing is asked of a connection before a report is.
//
// The promise to the frame: what it makes is what the browser makes, with the same prototype, statics, errors and subclasses. One
// thing differs: `connection.constructor` is the browser's own constructor, and not what stands in for it.

import {
  StandIn,
  apply,
  assign,
  construct,
  defineProperty,
  getOwnPropertyDescriptor,
  weakGet,
  weakSet,
} from './builtins.js';
import { appended, eachLiving, living } from './lists.js';

/** Connections remembered per Window; the oldest are dropped first. Chromium lets a page open no more than this. */
const CONNECTIONS_MAX = 500;
/** The constructor's names. In Chromium both are the same object. */
const NAMES = ['RTCPeerConnection', 'webkitRTCPeerConnection'];

/** The connections that a Window has made, and what stands in there: whoever watches many Windows holds that weakly.
 * @typedef {{made: WeakRef<RTCPeerConnection>[], hooks: Hook[]}} Made */
/** @typedef {import('./hooks.js').Hook} Hook */

/** Keyed by the Window's console and by the stand-in: a Window that replaces another in the same frame has a new console. @type {WeakMap<object, Made>} */
const known = new WeakMap();

/**
 * Puts the stand-in into a Window. It is there before the Window's first script if the console's hook is.
 * @param {Window & typeof globalThis} window A child's.
 * @returns {Hook[]} None where the engine has no such constructor.
 */
export function hookConnections(window) {
  /** @type {Hook[]} */
  const hooks = [];
  try {
    /** @type {Made} */
    let ours = apply(weakGet, known, [window.console]) ?? { made: [], hooks: [] };
    for (let at = 0; at < NAMES.length; at++) {
      const descriptor = getOwnPropertyDescriptor(window, NAMES[at]);
      const original = descriptor?.value;
      if (typeof original !== 'function') continue;
      const there = apply(weakGet, known, [original]);
      if (there) {
        // The stand-in is in place already: the page has replaced this Window's console.
        ours = there;
        continue;
      }
      /** @type {Hook} */
      const hooked = {
        method: NAMES[at],
        wrapper: null,
        original,
        descriptor,
        target: window,
        reason: null,
        live: true,
      };
      const same = hooks[0]?.original === original;
      hooked.wrapper = same ? hooks[0].wrapper : standIn(original, hooked, ours);
      if (defineProperty(window, NAMES[at], assign({}, descriptor, { value: hooked.wrapper })))
        hooks[hooks.length] = hooked;
    }
    if (hooks.length > 0) ours.hooks = hooks;
    apply(weakSet, known, [window.console, ours]);
    for (let at = 0; at < hooks.length; at++) apply(weakSet, known, [hooks[at].wrapper, ours]);
  } catch {
    // The Window does not allow its properties to be replaced.
  }
  return hooks;
}

/**
 * @param {Function} original
 * @param {Hook} hooked
 * @param {Made} ours
 */
function standIn(original, hooked, ours) {
  return new StandIn(original, {
    // @ts-expect-error: sets the prototype. With none, no trap is found that a page has added to Object.prototype.
    __proto__: null,
    construct(target, args, newTarget) {
      const connection = construct(target, args, newTarget);
      try {
        if (hooked.live) remember(ours, connection);
      } catch {
        // Happens only if the stack is exhausted.
      }
      return connection;
    },
  });
}

/** @param {Made} ours @param {RTCPeerConnection} connection */
function remember(ours, connection) {
  ours.made = appended(living(ours.made), [new WeakRef(connection)], CONNECTIONS_MAX);
}

/** The connections of a Window that are not closed, oldest first. @param {Window & typeof globalThis} window */
export function connectionsOf(window) {
  /** @type {RTCPeerConnection[]} */
  const open = [];
  eachLiving(apply(weakGet, known, [window.console])?.made ?? [], (/** @type {RTCPeerConnection} */ one) => {
    if (one.connectionState !== 'closed') open[open.length] = one;
  });
  return open;
}
