// @ts-check
import hook from 'console-feed/lib/Hook';
import { KEPT_MAX } from './needles.js';

/** Its package says nothing of modules, so that the function stands one level deeper. @type {any} */
const Hook = /** @type {any} */ (hook).default ?? hook;
let seen = 0;
/** @type {unknown[]} */
const lines = [];

export const start = () =>
  void Hook(console, (/** @type {any} */ log) => {
    seen++;
    lines.push(log);
    if (lines.length > KEPT_MAX) lines.shift();
  });
export const kept = () => seen;
