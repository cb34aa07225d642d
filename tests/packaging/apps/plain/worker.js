// An import map does not reach workers.
import { installInWorker } from './node_modules/crypto-diag/worker.js';

addEventListener('message', ({ data }) => {
  installInWorker({ channel: data.channel });
  console.error('missing key at index 3 for participant @bob:example.org');
});
