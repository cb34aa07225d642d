// What the build puts in place of these names.
declare module 'crypto-diag/triage-bytes' {
  /** Base64 of the deflated WebAssembly module. */
  export const TRIAGE_BYTES: string;
}
declare module 'crypto-diag/triage-worker' {
  /** The worker's script. */
  const script: string;
  export default script;
}
declare module 'crypto-diag/triage-glue' {
  export function initSync(options: { module: ArrayBuffer }): { memory: WebAssembly.Memory };
  export function triage(
    files: (File | ArrayBuffer)[],
    names: string[],
    zoneMinutes: number | undefined,
    tell: (index: number, what: string, value: unknown) => void,
  ): { view: string; json: string; html: string; markdown: string; sarif: string; svg: string; hars: string };
}
declare module 'crypto-diag/invisible' {
  /** The first and the last code point of each range of characters that nobody sees. */
  export const INVISIBLE: [number, number][];
}

/** What workers have beside what windows have. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}
