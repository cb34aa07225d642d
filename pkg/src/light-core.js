// The second file of crypto-diag/light: the core.

export { CORE_TEXT } from 'crypto-diag/core-text';
