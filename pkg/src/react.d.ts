import type { CaptureStatus, Counts, Entry, Mark } from './index.js';

/** What the capture knows, as of one moment. Frozen; the same object until something changes. */
export interface CryptoDiag {
  /** The kept entries, most recent last. */
  readonly entries: readonly Entry[];
  /** How many lines matched, by family and meaning. */
  readonly counts: Counts;
  /** Whether and where lines are being kept. */
  readonly status: CaptureStatus;
  /** What the user marked, oldest first. */
  readonly marks: readonly Mark[];
}

/**
 * What the capture knows, live: the component renders again when something has changed, at most once for each frame that
 * the browser paints, and not at all while the page is hidden. Every component of the page sees the same moment. Needs
 * React 18 or newer.
 */
export function useCryptoDiag(): CryptoDiag;
