// Where the core comes from: for the main entry, from within the same file.

import { CORE_TEXT } from 'crypto-diag/core-text';

export const coreText = () => CORE_TEXT;
