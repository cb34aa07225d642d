// crypto-diag in a worker: see `installInWorker`.

export { installInWorker } from '../../crates/wasm/js/worker.js';
