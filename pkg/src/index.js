// crypto-diag: watches a page's console for known failures of Matrix end-to-end encryption and gives the user a report.

export * from './exports.js';
