import type { MatrixClientLike } from './index.js';

/** A text with `{name}` placeholders, or one text for each plural category of the placeholder `{count}`. */
export type Text =
  string | { other: string; zero?: string; one?: string; two?: string; few?: string; many?: string };

/** Every text of the card by its key, in English: what a translation starts from. */
export const DEFAULT_STRINGS: { readonly [key: string]: Text };

/** Sets the texts of every card on the page; what is left out stays English. */
export function setStrings(strings: { [key: string]: Text }): void;

/** What the card needs of an analysis; each function is given the report's JSON text. */
export interface CardAnalysis {
  /** What the analysis finds, in one sentence. */
  sentence?(report: string): string | Promise<string>;
  /** What to run on the server; the button that copies it is shown only where this is given. */
  serverQueries?(report: string): string | Promise<string>;
}

/**
 * `<crypto-diag-card>`: live counts, the state of the capture, the report's preview and download.
 *
 * Attributes: `sdk-version`, `file-prefix`, `heading-level` (2 by default), `theme` (`light` or `dark`; by default the
 * inherited `color-scheme`). Slot: `analysis`. Events: `crypto-diag-download` with `detail.fileName`, and
 * `crypto-diag-clear`; both bubble.
 */
export class CryptoDiagCard extends HTMLElement {
  /** The Matrix client that reports ask for the ids, or null. */
  client: MatrixClientLike | null;
  /** matrix-js-sdk's version, which only the application knows. */
  sdkVersion: string | null;
  /** What the names of downloaded files begin with. */
  filePrefix: string | null;
  analysis: CardAnalysis | null;
  /** Texts of this card, each in place of the common one. */
  strings: { [key: string]: Text };
}

/** `<crypto-diag-entries>`: the kept entries as they arrive, newest first. */
export class CryptoDiagEntries extends HTMLElement {
  /** Texts of this list, each in place of the common one. */
  strings: { [key: string]: Text };
}

declare global {
  interface HTMLElementTagNameMap {
    'crypto-diag-card': CryptoDiagCard;
    'crypto-diag-entries': CryptoDiagEntries;
  }
}
