import { installInWorker } from 'crypto-diag/worker';

addEventListener('message', ({ data }) => {
  installInWorker({ channel: data.channel });
  console.error('missing key at index 3 for participant @bob:example.org');
});
