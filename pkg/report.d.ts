// Generated from the Rust types; see crates/codegen.

/**
 * Milliseconds since the Unix epoch, as JavaScript's `Date.now()` gives them.
 */
export type Millis = number;
/**
 * Whether lines are being kept.
 */
export type CaptureState = "not-installed" | "starting" | "capturing" | "stopped" | "blind" | "failed";
/**
 * A family of failures (runbook §1).
 */
export type Ke = "KE-1" | "KE-2" | "KE-3" | "KE-4" | "OLM";
/**
 * The console method, as the report's contract names it (runbook §5).
 */
export type Level = "warn" | "error";
/**
 * What a matching line says by itself, before it is seen beside others.
 */
export type Meaning = "failure" | "transient" | "delivered" | "unrelated";
/**
 * A text without secrets: only the redactor makes one. What takes a `Clean` cannot be given a text that nobody looked at.
 */
export type Clean = string;
/**
 * The kind of JavaScript global that a line was written in.
 */
export type RealmKind = "main" | "frame" | "worker";
/**
 * How a line came to be known.
 */
export type Source = "console" | "uncaught";

/**
 * The report. A field that the page or the client cannot give is null, never absent.
 */
export interface Report {
  /**
   * How the capture itself fared: what it watched, what it missed.
   */
  capture: Capture;
  /**
   * The page's clocks, so that a server's log can be laid beside its times.
   */
  clock: Clock | null;
  /**
   * Lines seen of each family, whatever they mean.
   */
  counts: Totals;
  /**
   * What the crypto store says of keys and devices; null unless `collectReport` made the report.
   */
  crypto: CryptoFacts | null;
  /**
   * Whether `mx.getCrypto()` gives an object; null if there was no client to ask.
   */
  cryptoReady: boolean | null;
  /**
   * What `mx.getCrypto().getVersion()` says, such as "Rust SDK 0.19.1 (…), Vodozemac 0.10.0".
   */
  cryptoVersion: string | null;
  /**
   * The device id, as `mx.getDeviceId()` gives it.
   */
  deviceId: string | null;
  /**
   * The kept lines, most recent last.
   */
  entries: Entry[];
  /**
   * When the report was made, in milliseconds since the epoch.
   */
  generatedAt: Millis;
  /**
   * The page's URL without query and fragment.
   */
  page: string | null;
  /**
   * `crypto-diag/report`.
   */
  schema: string;
  /**
   * The version of this shape.
   */
  schemaVersion: number;
  /**
   * matrix-js-sdk's version, as the app passed it: the SDK has none at run time.
   */
  sdkVersion: string | null;
  /**
   * Batches of encrypted to-device messages that this client sent, oldest first.
   */
  sent: SentBatch[];
  /**
   * The browser's storage; null unless `collectReport` made the report. The leading cause of KE-1 is a store that
   * vanished while the session lived on.
   */
  storage: Storage | null;
  /**
   * What `mx.getSyncState()` gives: `PREPARED`, `SYNCING`, `ERROR` and so on.
   */
  syncState: string | null;
  /**
   * The exact counts of each (KE, meaning) class that has any.
   */
  tallies: TallyRow[];
  /**
   * What made it.
   */
  tool: Tool;
  /**
   * Questions that `collectReport` asked in vain, and why.
   */
  unanswered: Unanswered[];
  /**
   * `navigator.userAgent`.
   */
  userAgent: string | null;
  /**
   * The user id, as `mx.getUserId()` gives it.
   */
  userId: string | null;
}
/**
 * How the capture itself fared.
 */
export interface Capture {
  /**
   * When `clear()` last ran, in milliseconds since the epoch: counts and entries are of the time since then.
   */
  clearedAt: Millis | null;
  /**
   * Entries that the bounded buffer gave up; the tallies still count them.
   */
  evicted: number;
  /**
   * Failures of the capture itself, oldest first, bounded.
   */
  failures: Failure[];
  /**
   * The child documents that were watched or could not be.
   */
  frames: FrameWatch;
  /**
   * The hooked methods of the main window, as they are now.
   */
  hooks: HookState[];
  /**
   * Milliseconds from the navigation's start to `install()`: lines before it were not seen.
   */
  installedAfter: number | null;
  /**
   * When `install()` ran, in milliseconds since the epoch.
   */
  installedAt: Millis | null;
  /**
   * Lines in which a signature stood.
   */
  linesMatched: number;
  /**
   * Lines that passed the hooks, of every level hooked.
   */
  linesSeen: number;
  /**
   * Exceptions thrown by subscribers.
   */
  listenerErrors: number;
  /**
   * Lines written while another line was being formatted: passed on, not looked at.
   */
  nested: number;
  /**
   * Visibility, freeze, resume, online and offline changes, oldest first, bounded: a hidden tab delays its timers.
   */
  pageEvents: PageEvent[];
  /**
   * Lines so long that their middle was not looked at.
   */
  partlyScanned: number;
  /**
   * Matching lines that were lost because too many waited.
   */
  queueOverflow: number;
  /**
   * Matching lines that waited for the core.
   */
  queued: number;
  /**
   * Why not, in a sentence, where they are not.
   */
  reason: string | null;
  /**
   * Stretches that were closed.
   */
  redactions: number;
  /**
   * Whether lines are being kept.
   */
  state: CaptureState;
  /**
   * When the page's navigation began, in milliseconds since the epoch.
   */
  timeOrigin: Millis | null;
  /**
   * Messages that were cut to their bound.
   */
  truncated: number;
  /**
   * Lines that could not be looked at because formatting them failed.
   */
  unreadable: number;
}
/**
 * One failure of the capture itself.
 */
export interface Failure {
  /**
   * When, in milliseconds since the epoch.
   */
  ts: Millis;
  /**
   * What, in a sentence.
   */
  what: string;
}
/**
 * The child documents.
 */
export interface FrameWatch {
  /**
   * Documents seen, most recent last, bounded.
   */
  documents: FrameState[];
  /**
   * Documents that are no longer listed because there were too many.
   */
  omitted: number;
  /**
   * Whether new child documents are watched for.
   */
  watching: boolean;
}
/**
 * One child document.
 */
export interface FrameState {
  /**
   * What may have been missed and why: another origin, hooked late, hooked only after load.
   */
  blind: string | null;
  /**
   * Whether its console is hooked.
   */
  hooked: boolean;
  /**
   * When it was hooked, in milliseconds since the epoch.
   */
  hookedAt: Millis | null;
  /**
   * Its path, without origin, query and fragment; null where it cannot be read.
   */
  path: string | null;
  /**
   * Whether it is gone from the page.
   */
  removed: boolean;
  /**
   * When its navigation began, in milliseconds since the epoch.
   */
  timeOrigin: Millis | null;
}
/**
 * One hooked console method.
 */
export interface HookState {
  /**
   * Whether the console's method is still the hook. False: something replaced it, and may or may not call it.
   */
  inPlace: boolean;
  /**
   * `warn`, `error`, or a method that is read for sent keys.
   */
  method: string;
  /**
   * Why the method could not be hooked; null if it was.
   */
  reason: string | null;
}
/**
 * A change of the page that explains delays.
 */
export interface PageEvent {
  /**
   * `visible`, `hidden`, `freeze`, `resume`, `online`, `offline`, `pageshow` or `pagehide`.
   */
  event: string;
  /**
   * When, in milliseconds since the epoch.
   */
  ts: Millis;
}
/**
 * The page's clocks.
 */
export interface Clock {
  /**
   * Milliseconds that `Date.now()` is ahead of the page's steady clock since then: the wall clock was set if this is
   * more than a few.
   */
  offset: number | null;
  /**
   * When the page's navigation began, in milliseconds since the epoch, by the clock of that moment.
   */
  timeOrigin: number | null;
  /**
   * Minutes that local time is behind UTC, as `Date.prototype.getTimezoneOffset` gives them.
   */
  timeZoneOffset: number | null;
}
/**
 * Lines seen of each family, whatever they mean.
 */
export interface Totals {
  /**
   * One-time key upload conflict.
   */
  "KE-1": number;
  /**
   * Media keys of a call.
   */
  "KE-2": number;
  /**
   * Timeline decryption.
   */
  "KE-3": number;
  /**
   * Delayed events.
   */
  "KE-4": number;
  /**
   * Olm sessions.
   */
  OLM: number;
}
/**
 * What the crypto store says, without a request to the server.
 */
export interface CryptoFacts {
  /**
   * The version of the key backup that is in use; null if none is.
   */
  activeBackupVersion: string | null;
  /**
   * Whether cross-signing is set up; null before the first sync, when asking would make a request.
   */
  crossSigningReady: boolean | null;
  /**
   * The known devices of the users whom entries name, and of this user.
   */
  devices: KnownDevice[];
  /**
   * This device's own public keys.
   */
  ownDeviceKeys: DeviceKeys | null;
  /**
   * Whether secret storage is set up; null before the first sync.
   */
  secretStorageReady: boolean | null;
}
/**
 * A device that the crypto store knows.
 */
export interface KnownDevice {
  /**
   * The key that identifies it in Olm sessions, unpadded base64.
   */
  curve25519: string | null;
  /**
   * The device id.
   */
  deviceId: string;
  /**
   * The key that it signs with, unpadded base64.
   */
  ed25519: string | null;
  /**
   * The user id.
   */
  userId: string;
  /**
   * Whether this user trusts it; null if the store did not say.
   */
  verified: boolean | null;
}
/**
 * A device's two public keys, unpadded base64.
 */
export interface DeviceKeys {
  /**
   * The key that identifies it in Olm sessions.
   */
  curve25519: string | null;
  /**
   * The key that it signs with.
   */
  ed25519: string | null;
}
/**
 * One kept line. The first five names are the runbook's contract (§5); the rest are additions.
 */
export interface Entry {
  /**
   * The family that the signature stands for.
   */
  ke: Ke;
  /**
   * `warn` or `error`.
   */
  level: Level;
  /**
   * What the match says by itself.
   */
  meaning: Meaning;
  /**
   * The line as it was written, but for what could be a secret, which is closed (`[closed base64 43 #k3f9]`), and a
   * gap where it was too long.
   */
  message: Clean;
  /**
   * Where the line was written.
   */
  realm: Realm;
  /**
   * How many stretches were closed in `message` and `stack`.
   */
  redactions: number;
  /**
   * The needle that matched.
   */
  signature: string;
  /**
   * How the line came to be known.
   */
  source: Source;
  /**
   * The stack of the first Error among the arguments, bounded and without secrets; null if there was none.
   */
  stack: Clean | null;
  /**
   * The line's length in UTF-16 code units, if `message` holds only part of it; else null.
   */
  truncatedFrom: number | null;
  /**
   * When the line was written, in milliseconds since the epoch.
   */
  ts: Millis;
}
/**
 * Where a line was written.
 */
export interface Realm {
  /**
   * The kind of global.
   */
  kind: RealmKind;
  /**
   * The document's or script's path, without origin, query and fragment; null for the main window.
   */
  path: Clean | null;
}
/**
 * One "Enqueuing batch of to-device messages" line of the sender.
 */
export interface SentBatch {
  /**
   * Targets that are no longer listed because there were too many.
   */
  omitted: number;
  /**
   * Where the line was written.
   */
  realm: Realm;
  /**
   * The devices that it was sent to.
   */
  targets: SentTarget[];
  /**
   * When, in milliseconds since the epoch.
   */
  ts: Millis;
  /**
   * The transaction id.
   */
  txnid: string | null;
  /**
   * The event type that was sent, such as `m.room.encrypted`.
   */
  type: string | null;
}
/**
 * One device that a batch was sent to.
 */
export interface SentTarget {
  /**
   * The device id.
   */
  deviceId: string;
  /**
   * The message id that the receiver's log shows, too.
   */
  messageId: string | null;
  /**
   * The user id.
   */
  userId: string;
}
/**
 * The browser's storage for this origin.
 */
export interface Storage {
  /**
   * Its IndexedDB databases; null where the browser does not list them.
   */
  databases: Database[] | null;
  /**
   * Whether the browser has promised not to evict it.
   */
  persisted: boolean | null;
  /**
   * Bytes that the origin may use.
   */
  quota: number | null;
  /**
   * Bytes that it uses.
   */
  usage: number | null;
}
/**
 * One IndexedDB database.
 */
export interface Database {
  /**
   * Its name.
   */
  name: string | null;
  /**
   * Its version.
   */
  version: number | null;
}
/**
 * One class's tally, as reports give it.
 */
export interface TallyRow {
  /**
   * The earliest, in milliseconds since the epoch.
   */
  firstTs: Millis;
  /**
   * The family.
   */
  ke: Ke;
  /**
   * The latest, in milliseconds since the epoch.
   */
  lastTs: Millis;
  /**
   * What the lines mean by themselves.
   */
  meaning: Meaning;
  /**
   * The highest count in one calendar second.
   */
  peakPerSecond: number;
  /**
   * Lines a second between the first and the last, to a thousandth; null where there is no time between them.
   */
  ratePerSecond: number | null;
  /**
   * Lines counted, exact, also where the buffer has let entries go.
   */
  total: number;
}
/**
 * What made the report.
 */
export interface Tool {
  /**
   * `crypto-diag`.
   */
  name: string;
  /**
   * The version of the package.
   */
  version: string;
}
/**
 * A question without an answer.
 */
export interface Unanswered {
  /**
   * What was asked, such as `getOwnDeviceKeys`.
   */
  question: string;
  /**
   * Why there is no answer.
   */
  why: string;
}
