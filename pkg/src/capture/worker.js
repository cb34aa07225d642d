// `installInWorker`: for apps that own a worker's script. A small entry of its own: no core, no network, no storage. It
// formats and tests lines as the page does and hands on those that pass; the page's core decides.

import { apply, now } from './builtins.js';
import { hook, unhook } from './hooks.js';
import { passes } from './prefilter.js';
import { stackOf } from './stack.js';
import { length, lineText, tail } from './text.js';

const WARN = 0;
const ERROR = 1;

/** @type {null | (() => void)} */
let leave = null;

/**
 * Watches this worker's console for the page that gave out the channel's name; idempotent, never throws.
 * @param {{channel: string}} options What `workerChannel()` gave on the page.
 * @returns {() => void} Ends it.
 */
export function installInWorker(options) {
  if (leave) return leave;
  try {
    // Without a name the channel would be `undefined`, which every tab can guess.
    if (options.channel) leave = watch(new BroadcastChannel(options.channel));
  } catch {
    // The worker has no BroadcastChannel, so it goes on unwatched.
  }
  return leave ?? (() => {});
}

/** @param {BroadcastChannel} channel */
function watch(channel) {
  const post = channel.postMessage;
  const path = globalThis.location?.pathname ?? '';
  let looking = false;
  const look = (
    /** @type {number} */ level,
    /** @type {unknown[]} */ args,
    /** @type {number} */ uncaught,
  ) => {
    if (looking) return;
    looking = true;
    try {
      const text = lineText(args);
      if (passes(text, tail)) {
        apply(post, channel, [
          { ts: now(), level, text, tail, length, uncaught, stack: stackOf(args), path },
        ]);
      }
    } catch {
      // A diagnostic must not break the worker that it watches.
    } finally {
      looking = false;
    }
  };
  const hooks = [
    hook(console, 'warn', (args) => look(WARN, args, 0)),
    hook(console, 'error', (args) => look(ERROR, args, 0)),
  ];
  const onError = (/** @type {ErrorEvent} */ event) => look(ERROR, [event.error ?? event.message], 1);
  const onRejection = (/** @type {PromiseRejectionEvent} */ event) => look(ERROR, [event.reason], 1);
  globalThis.addEventListener('error', onError);
  globalThis.addEventListener('unhandledrejection', onRejection);
  return () => {
    for (const one of hooks) if (one.wrapper) unhook(one);
    globalThis.removeEventListener('error', onError);
    globalThis.removeEventListener('unhandledrejection', onRejection);
    channel.close();
    leave = null;
  };
}
