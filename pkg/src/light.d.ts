// The exports of `crypto-diag`. The core is loaded, from a file beside this one, when a line or a report first needs it.
export * from './index.js';
