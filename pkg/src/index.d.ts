/** What the report asks of a Matrix client. Any matrix-js-sdk `MatrixClient` fits, and any test double. */
export interface MatrixClientLike {
  getDeviceId?(): string | null | undefined;
  getUserId?(): string | null | undefined;
  getSyncState?(): string | null | undefined;
  getCrypto?(): object | null | undefined;
  /** Asked for messages that this page sent, which tell how far the server's clock is ahead. */
  getRooms?(): readonly object[];
  /** Asked for the room of a call's frame alone. */
  getRoom?(roomId: string): object | null | undefined;
  /** Asked for that room's session alone, by `getActiveRoomSession`. */
  readonly matrixRTC?: object | undefined;
}

/** What a match says by itself, before it is seen beside other lines. */
export type Meaning = 'failure' | 'transient' | 'delivered' | 'unrelated';

/** One kept console line. */
export interface Entry {
  /** Milliseconds since the epoch, as `Date.now()`. */
  readonly ts: number;
  readonly level: 'warn' | 'error';
  /** The family of failures: `KE-1` and so on. */
  readonly ke: string;
  /** The needle that matched. */
  readonly signature: string;
  /** The line, but for what could be a secret, which is closed, and for a gap where it was too long. */
  readonly message: string;
  readonly meaning: Meaning;
  readonly realm: { readonly kind: 'main' | 'frame' | 'worker'; readonly path: string | null };
  readonly source: 'console' | 'uncaught';
  readonly stack: string | null;
  /** How many secrets were replaced. */
  readonly redactions: number;
  /** The line's length in UTF-16 code units if only part of it was kept. */
  readonly truncatedFrom: number | null;
}

export interface MeaningCounts {
  readonly failure: number;
  readonly transient: number;
  readonly delivered: number;
  readonly unrelated: number;
}

export interface Counts {
  readonly total: number;
  readonly byKe: { readonly [ke: string]: MeaningCounts & { readonly total: number } };
  readonly byMeaning: MeaningCounts;
}

export interface CaptureStatus {
  readonly state: 'not-installed' | 'starting' | 'capturing' | 'stopped' | 'blind' | 'failed';
  /** Why lines are not being kept, as a sentence. */
  readonly reason: string | null;
  /** Same-origin child documents that are being captured; those at `about:blank` are, too, and are not counted. */
  readonly frames: number;
  /** Child documents that are there but cannot be seen into. */
  readonly blindFrames: number;
}

export interface InstallOptions {
  /** Watch same-origin child documents, such as the Element Call frame. Default true. */
  frames?: boolean | undefined;
  /** Keep which devices encrypted to-device messages were sent to. Default true. */
  sentKeys?: boolean | undefined;
  /** Have `collectReport` tell of the call in such a frame: statistics of its connections, its members. Default true. */
  calls?: boolean | undefined;
  /** Keep how long the page's requests to Matrix routes took, as the browser measures them. Default true. */
  requests?: boolean | undefined;
  /**
   * `keepPages` of `crypto-diag/keep`: this page is kept in the tab's sessionStorage, and is in the report of the next one, beside what
   * that one holds. Default: nothing is stored.
   */
  keep?: Keep | undefined;
}

/** What `crypto-diag/keep` brings. How it and the capture speak is no part of the API. */
export type Keep = (capture: never) => unknown;

/** What a marked moment is: a session's begin, something that was wrong (the default), the session's end. */
export type MarkKind = 'start' | 'symptom' | 'end';

/** A moment that the user marked. */
export interface Mark {
  /** Milliseconds since the epoch, as `Date.now()`. */
  readonly ts: number;
  readonly kind: MarkKind;
  /** The user's words; empty if there were none. */
  readonly label: string;
}

export interface ReportExtra {
  /** matrix-js-sdk's version; it has none at run time, so the app passes it. */
  sdkVersion?: string | undefined;
}

export interface DownloadExtra extends ReportExtra {
  /** What the file's name begins with. Default `lotus-crypto-diag`. */
  prefix?: string | undefined;
}

/** Starts the capture. Synchronous, idempotent, complete; makes no request, sets no timer, never throws. */
export function install(options?: InstallOptions): void;
/** Stops the capture and puts the console back; its entries stay, pages that were kept for later reports are erased. */
export function uninstall(): void;
/** Forgets entries, counts, sent batches, requests, marks and earlier pages. */
export function clear(): void;
/**
 * Marks this moment for the report: what the user hears or sees goes wrong, in words of at most 200 characters. Secrets in them
 * are closed. The first 200 marks are kept. Never throws.
 */
export function mark(label?: string, kind?: MarkKind): void;
/** The marks, oldest first. Frozen; the same array until something changes. */
export function getMarks(): readonly Mark[];
/** The kept entries, most recent last. Frozen; the same array until something changes. */
export function getEntries(): readonly Entry[];
/** How many lines matched. Frozen; the same object until something changes. */
export function getCounts(): Counts;
/** Whether and where lines are being kept. Frozen; the same object until something changes. */
export function getCaptureStatus(): CaptureStatus;
/** Calls the listener after changes, once for each burst, never inside a console call. Returns the way to end it. */
export function subscribe(listener: () => void): () => void;
/** The report as JSON with two-space indentation; its shape is `Report` of `crypto-diag/report`. */
export function buildReport(mx?: MatrixClientLike | null, extra?: ReportExtra): string;
/**
 * The same with what only asynchronous questions tell: storage, own keys, known devices, and in a call the statistics of its streams,
 * which take a second. Makes no request, changes nothing; each question has a limit of time.
 */
export function collectReport(mx?: MatrixClientLike | null, extra?: ReportExtra): Promise<string>;
/** Gives the collected report to the user as a file; answers with its name, `<prefix>-2026-11-23T19-30-00Z.json` (UTC). */
export function downloadReport(mx?: MatrixClientLike | null, extra?: DownloadExtra): Promise<string>;
/** The name of a channel to hand to `installInWorker`. */
export function workerChannel(): string;
/** No entries: always the same array, for a server's rendering. */
export function getServerSnapshot(): readonly Entry[];
/** No counts: always the same object, for a server's rendering. */
export function getServerCounts(): Counts;

/** The runbook's name of `install`. */
export const installCryptoDiagLog: typeof install;
/** The runbook's name of `getEntries`; a fresh array each time. */
export function getCryptoDiagEntries(): Entry[];
/** The runbook's name of `buildReport`. */
export const buildCryptoDiagReport: typeof buildReport;
