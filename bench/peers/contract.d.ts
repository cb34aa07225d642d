/** What each file of this folder exports; it is bundled for itself and run in a page of its own. */
export interface Peer {
  /**
   * Starts capturing. `console.warn` is a function that does nothing, `console.error` the browser's own; nothing that the peer
   * sends leaves the page.
   */
  start(): void;
  /** How many calls it has kept or handed on: a peer that captured nothing was set up wrongly. */
  kept(): number;
  /** The method that the page calls, where it is not the console's own. */
  warn?(...args: unknown[]): void;
  error?(...args: unknown[]): void;
}
