// What the build generates, for the type checker.

declare module 'crypto-diag/core-text' {
  /** The module, as module-text.js reads it. */
  export const CORE_TEXT: string;
}

declare module 'crypto-diag/core-source' {
  /** The module, or a promise of it: core-inside.js or light-source.js, as the entry has it. */
  export function coreText(): string | Promise<string>;
}

declare module 'crypto-diag/analysis-glue' {
  export default function init(options: { module_or_path: BufferSource }): Promise<unknown>;
  export function analyse(reports: string[]): any;
  export function serverQueries(report: string): any;
}

declare module 'crypto-diag/analysis-bytes' {
  /** The module: base64 of deflated bytes. */
  export const ANALYSIS_BYTES: string;
}

declare module 'crypto-diag/facts' {
  /** Words of which every matching line holds one. */
  export const PREFILTER: string[];
  /** For each of them, needles that hold it; together they are the table's. */
  export const NEEDLES: string[][];
  export const KES: readonly import('crypto-diag/report').Ke[];
  export const MEANINGS: readonly import('crypto-diag/report').Meaning[];
  /** Templates of the routes whose requests are told apart; of two that fit the first says more. */
  export const ROUTES: readonly import('crypto-diag/report').RequestRoute[];
  /** The JSON of a report in which nothing is known. */
  export const EMPTY_REPORT: string;
}

interface MessagePort {
  /** Node's. */
  unref?(): void;
}
