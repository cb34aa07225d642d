// Imports that nothing uses: a bundler must leave nothing of them.
import { getEntries } from 'crypto-diag';
import { analyse } from 'crypto-diag/analysis';
import { installInWorker } from 'crypto-diag/worker';
import 'crypto-diag/report';
import 'crypto-diag';

document.title = 'nothing but this line';
