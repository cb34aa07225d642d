// crypto-diag in a worker: see `installInWorker`.

export { installInWorker } from './capture/worker.js';
