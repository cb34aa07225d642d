// @ts-check
// Waiting, always with an end. A bound is there to turn a hang into a message, never to measure speed: all are far above
// what a slow two-core machine needs.

import { Explained } from './project.mjs';

/** A browser's start, in milliseconds. */
export const START_MS = 60_000;
/** A navigation up to its load event, in milliseconds. */
export const NAVIGATION_MS = 60_000;
/** One evaluation in a page, with the promises it awaits, in milliseconds. */
export const EVALUATE_MS = 240_000;
/** A condition that a test awaits, or an element that it clicks, in milliseconds. */
export const WAIT_MS = 60_000;
/** A download from the user's action to the complete file, in milliseconds. */
export const DOWNLOAD_MS = 30_000;
/** The pause between two looks at a condition, in milliseconds. */
export const POLL_MS = 40;

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @param {string} what named in the error
 * @returns {Promise<T>}
 */
export async function bounded(promise, ms, what) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Explained(`${what}: nothing after ${ms / 1000} s`)), ms);
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Looks again and again until `look` returns something else than undefined and false.
 * @template T
 * @param {() => T | false | undefined | Promise<T | false | undefined>} look
 * @param {number} ms
 * @param {() => string} complaint the error's message when time is up
 * @returns {Promise<T>}
 */
export async function until(look, ms, complaint) {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() >= deadline) throw new Explained(complaint());
    await pause(POLL_MS);
  }
}
