// @ts-check
// The capture with its card: defining the element is the card's own doing.
import '../../pkg/dist/card.js';

export { kept, start } from './crypto-diag.js';
