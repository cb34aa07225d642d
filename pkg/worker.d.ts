/**
 * Watches a worker's console for the page that gave out the channel's name (`workerChannel()`). Idempotent, never throws.
 * Returns the way to end it.
 */
export function installInWorker(options: { channel: string }): () => void;
