// An application's entry: the capture first, then everything else.
import './capture.js';
import './chatty.js';
import 'crypto-diag/card';
import { analyse } from 'crypto-diag/analysis';
import { buildReport, getCounts, getEntries, workerChannel } from 'crypto-diag';

console.warn('[MembershipManager] delayed event update timeout error, retrying in 2000ms');

// The test asks the page through these.
globalThis.app = { analyse, buildReport, getCounts, getEntries };

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.postMessage({ channel: workerChannel() });
