// @ts-check
// What a simple capturer does: joins the arguments and looks for eight words.
import { KEPT_MAX, NEEDLES } from './needles.js';

let seen = 0;
let next = 0;
/** @type {string[]} */
const lines = [];

/** @param {Pick<Console, "warn" | "error">} console @param {"warn" | "error"} method */
export function wrap(console, method) {
  const original = console[method];
  console[method] = (...args) => {
    const line = args.map(String).join(' ');
    seen++;
    if (NEEDLES.some((needle) => line.includes(needle))) lines[next++ % KEPT_MAX] = line;
    original(...args);
  };
}

export function start() {
  wrap(console, 'warn');
  wrap(console, 'error');
}
export const kept = () => seen;
