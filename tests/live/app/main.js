// Modules run in this order. crypto-diag comes first, as an app would have it: nothing that is logged later is missed.
import './install.js';
import './live.js';
