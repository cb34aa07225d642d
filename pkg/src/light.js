// crypto-diag/light: the same in two files. The core is in the second one, which is loaded when a line or a report needs it.

export * from './exports.js';
