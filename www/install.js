// The page's first script. Imports run first to last, so nothing that the page does is earlier than this.
import { install } from './crypto-diag/index.js';

install();
