// What the build generates, for the type checker.

declare module 'crypto-diag/glue' {
  export default function init(options: { module_or_path: BufferSource }): Promise<Record<string, any>>;
  export function initSync(options: { module: WebAssembly.Module }): Record<string, any>;
  export function file_url(text: string): string;
  export function release_file(): void;
}

declare module 'crypto-diag/core-bytes' {
  /** The module: base64 of deflated bytes. */
  export const CORE_BYTES: string;
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
  /** The source of the RegExp that every matching line passes. */
  export const PREFILTER: string[];
  export const KES: readonly string[];
  export const MEANINGS: readonly string[];
  /** Pairs of KE and meaning, in the order of the core's tallies. */
  export const CLASSES: readonly (readonly [string, string])[];
  /** The JSON of a report in which nothing is known. */
  export const EMPTY_REPORT: string;
}

interface ErrorConstructor {
  /** Not in every engine yet. */
  isError?(value: unknown): boolean;
}

interface MessagePort {
  /** Node's. */
  unref?(): void;
}
