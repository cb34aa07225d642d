// @ts-check
// What a capturer does that keeps the text of every line, as a rageshake logger does: no test, no redaction, no counts.
import { KEPT_MAX } from './needles.js';

let seen = 0;
/** @type {{ts: number, level: string, line: string}[]} */
const lines = [];

/** @param {unknown} value */
function toText(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value.message}\n${value.stack}`;
  try {
    return JSON.stringify(value);
  } catch {
    return String(value);
  }
}

/** @param {Pick<Console, "warn" | "error">} console @param {"warn" | "error"} method */
export function wrap(console, method) {
  const original = console[method];
  console[method] = (...args) => {
    seen++;
    lines.push({ ts: Date.now(), level: method, line: args.map(toText).join(' ') });
    if (lines.length > KEPT_MAX) lines.shift();
    original(...args);
  };
}

export function start() {
  wrap(console, 'warn');
  wrap(console, 'error');
}
export const kept = () => seen;
