// Generated from the Rust types; see crates/codegen.

/**
 * The kinds of artefacts.
 */
export type ArtefactKind = "report" | "har" | "server-log" | "query-results" | "latency" | "manifest" | "other";
/**
 * Where in an artefact something stands.
 */
export type Place =
  | "whole"
  | {
      line: number;
    }
  | {
      /**
       * @minItems 2
       * @maxItems 2
       */
      lineColumn: [unknown, unknown];
    }
  | {
      entry: number;
    }
  | {
      row: {
        /**
         * The row's number.
         */
        row: number;
        /**
         * The query's name, or how the table is told apart where it has none.
         */
        table: string;
      };
    };
/**
 * The runbook's four questions.
 */
export type Question = "Q1" | "Q2" | "Q3" | "Q4";
/**
 * A conclusion about something, what is said of it, and why.
 */
export type Verdict = {
  /**
   * What it is about, for people: a device, a key, an event, a call. Ids in it are verbatim and may be hostile.
   */
  about: string;
  /**
   * The conclusion. In JSON it is called `claim`, as it always was.
   */
  claim: Conclusion;
  /**
   * What it rests on.
   */
  evidence: Evidence[];
  /**
   * Conclusions that this one follows from: their proven verdicts about the same device stand above it.
   */
  follows: Conclusion[];
  /**
   * What is still open of how it came about, or how far it goes. None of it denies the conclusion.
   */
  how: string[];
  /**
   * Innocent explanations that are left. Only an unknown verdict has any.
   */
  otherwise: string[];
  /**
   * Innocent explanations that the evidence excludes.
   */
  ruledOut: string[];
  /**
   * The statement in one sentence.
   */
  statement: string;
  /**
   * The same as data.
   */
  subject: Subject;
  /**
   * What would refute it, or prove it after all. Each has been looked for in the artefacts.
   */
  wouldRefute: string[];
} & Verdict1;
/**
 * What can be concluded. The name in JSON is in kebab case and is a public interface: none is ever renamed.
 */
export type Conclusion =
  | "ke1-seen"
  | "diverged"
  | "same-identity"
  | "identity-replaced"
  | "rollback"
  | "two-contexts"
  | "server-restored"
  | "exhausted"
  | "olm-seen"
  | "ke2-seen"
  | "conflict-lost-key"
  | "conflict-lost-media-key"
  | "lost-key-lost-media-key"
  | "lost-key"
  | "same-key-two-sessions"
  | "redelivery"
  | "media-key-missing"
  | "never-sent"
  | "stale-target"
  | "backlog"
  | "batch-dropped"
  | "no-one-time-key"
  | "stale-device-list"
  | "identity-overwritten"
  | "encrypted-for-other-identity"
  | "device-identity-changed"
  | "ke3-seen"
  | "malformed-on-server"
  | "stripped-on-the-way"
  | "client-bug"
  | "ke4-seen"
  | "slow-homeserver"
  | "slow-gateway"
  | "never-arrived"
  | "delayed-event-timeouts"
  | "membership-lost"
  | "membership-manager-stopped";
/**
 * Whose clock a time is of.
 */
export type ClockOf = "client" | "server";
export type Verdict1 =
  | {
      is: "proven";
    }
  | {
      is: "refuted";
    }
  | {
      /**
       * What would tell, the cheapest first.
       */
      fetch: Fetch[];
      is: "unknown";
    };

/**
 * What a bundle proves, refutes and leaves open.
 */
export interface Triage {
  /**
   * What was read.
   */
  artefacts: Artefact[];
  /**
   * 0 nothing wrong and each question covered, 1 a fault proven, 2 a question open, 3 unusable input.
   */
  exitCode: number;
  /**
   * What could not be read.
   */
  problems: Problem[];
  /**
   * What the artefacts could show, by question.
   */
  questions: Coverage[];
  /**
   * The runbook's options that a proven verdict speaks to, least destructive first. Nothing is executed.
   */
  remedies: Remedy[];
  /**
   * `crypto-diag/triage`.
   */
  schema: string;
  /**
   * The version of this shape.
   */
  schemaVersion: number;
  /**
   * What the verdicts add up to.
   */
  story: Story;
  /**
   * The story's sentence.
   */
  summary: string;
  /**
   * Everything on one clock.
   */
  timeline: Timeline;
  /**
   * The verdicts, by question.
   */
  verdicts: Verdict[];
  /**
   * Which software took part.
   */
  versions: Version[];
}
/**
 * A file of the bundle.
 */
export interface Artefact {
  /**
   * Its kind.
   */
  kind: ArtefactKind;
  /**
   * Its name in the bundle.
   */
  name: string;
  /**
   * Whether something of it could be read and is used.
   */
  used: boolean;
}
/**
 * One thing that could not be read as it should.
 */
export interface Problem {
  /**
   * The artefact's name.
   */
  artefact: string;
  /**
   * Where.
   */
  place: Place;
  /**
   * What, and what became of it, in a sentence.
   */
  what: string;
}
/**
 * What the artefacts could show of one question.
 */
export interface Coverage {
  /**
   * Whether something would have shown a fault, had there been one.
   */
  covered: boolean;
  /**
   * What was looked at and what it could show, a sentence each.
   */
  lookedAt: string[];
  /**
   * Verdicts on it that are proven, refuted and unknown.
   */
  proven: number;
  /**
   * The question.
   */
  question: Question;
  /**
   * See `proven`.
   */
  refuted: number;
  /**
   * See `proven`.
   */
  unknown: number;
}
/**
 * One option.
 */
export interface Remedy {
  /**
   * The proven claims that speak for it, and about what.
   */
  because: string[];
  /**
   * Whom it touches.
   */
  blastRadius: string;
  /**
   * What it costs.
   */
  cost: string;
  /**
   * Facts of this case that decide.
   */
  facts: string[];
  /**
   * The runbook's number.
   */
  rank: number;
  /**
   * What it is called.
   */
  title: string;
  /**
   * What can go wrong.
   */
  warnings: string[];
  /**
   * What it does.
   */
  what: string;
}
/**
 * What the verdicts add up to.
 */
export interface Story {
  /**
   * The devices that a proven fault is about.
   */
  affected: string[];
  /**
   * The verdicts that nothing proven explains: where reading begins.
   */
  causes: number[];
  /**
   * Cause and effect between the answer's verdicts.
   */
  links: Link[];
  /**
   * The one cheapest thing that would settle most of what is unknown.
   */
  next: Next | null;
  /**
   * Questions that are open, of four.
   */
  open: number;
  /**
   * The whole in plain words. Ids in it are verbatim and may be hostile: show it as text.
   */
  sentence: string;
}
/**
 * One arrow of the picture: by index among the answer's verdicts.
 */
export interface Link {
  /**
   * The cause.
   */
  cause: number;
  /**
   * The effect, which stands under it.
   */
  effect: number;
}
/**
 * What to fetch next.
 */
export interface Next {
  /**
   * What kind of artefact is missing.
   */
  artefact: ArtefactKind;
  /**
   * The exact command, or what to do where there is none.
   */
  how: string;
  /**
   * The verdicts that it bears on, by index.
   */
  settles: number[];
  /**
   * What it would tell.
   */
  what: string;
}
/**
 * The picture's contents. Times are the server's, in milliseconds since the epoch, as far as they can be aligned.
 */
export interface Timeline {
  /**
   * The left edge.
   */
  from: number;
  /**
   * The lanes, clients first.
   */
  lanes: Lane[];
  /**
   * What to know when reading it, such as clocks that could not be aligned.
   */
  notes: string[];
  /**
   * The right edge.
   */
  to: number;
}
/**
 * One lane.
 */
export interface Lane {
  /**
   * Events in each of [`COLUMNS`] equal parts of the time.
   */
  density: number[];
  /**
   * Single events with words.
   */
  marks: Mark[];
  /**
   * Its name.
   */
  name: string;
  /**
   * Stretches of time: a hidden page, a gap in the log.
   */
  spans: Span[];
  /**
   * Events in all, inside of the picture.
   */
  total: number;
  /**
   * Whether what stands in it is trouble.
   */
  trouble: boolean;
}
/**
 * An event with words.
 */
export interface Mark {
  /**
   * When.
   */
  at: number;
  /**
   * What. May hold ids: show as text.
   */
  text: string;
}
/**
 * A stretch of time.
 */
export interface Span {
  /**
   * From.
   */
  from: number;
  /**
   * What.
   */
  text: string;
  /**
   * To.
   */
  to: number;
}
/**
 * One piece of evidence.
 */
export interface Evidence {
  /**
   * The artefact's name.
   */
  artefact: string;
  /**
   * When, in milliseconds since the epoch by the clock below.
   */
  at: number | null;
  /**
   * Whose clock.
   */
  clock: ClockOf;
  /**
   * Where in it.
   */
  place: Place;
  /**
   * What stands there, verbatim but for secrets, shortened. May be hostile: show as text.
   */
  quote: string;
  /**
   * What it says for the claim.
   */
  says: string;
}
/**
 * The ids that a verdict is about. All are verbatim and may be hostile: show them as text.
 */
export interface Subject {
  /**
   * The device that suffers, or whose keys they are.
   */
  device?: Device | null;
  /**
   * An event.
   */
  eventId?: string | null;
  /**
   * A one-time key's id with its algorithm, such as `signed_curve25519:AAAAAAAAADQ`.
   */
  keyId?: string | null;
  /**
   * The index of a media key.
   */
  keyIndex?: number | null;
  /**
   * To-device messages, by message id.
   */
  messageIds?: string[];
  /**
   * A public one-time key in unpadded base64.
   */
  oneTimeKey?: string | null;
  /**
   * A participant of a call as the media server names it.
   */
  participant?: string | null;
  /**
   * The other side: the sender of a message, the participant who is not heard.
   */
  peer?: Device | null;
  /**
   * The peer's user id, where its device is not known.
   */
  peerUserId?: string | null;
  /**
   * A report, by its artefact's name: the verdict is about the page that made it.
   */
  report?: string | null;
  /**
   * A room, which stands for the call in it.
   */
  roomId?: string | null;
}
/**
 * A device by name.
 */
export interface Device {
  /**
   * The device id.
   */
  deviceId: string;
  /**
   * The user id.
   */
  userId: string;
}
/**
 * Something to fetch, and how.
 */
export interface Fetch {
  /**
   * What kind of artefact is missing.
   */
  artefact: ArtefactKind;
  /**
   * The exact command, or what to do where there is none.
   */
  how: string;
  /**
   * What it would tell.
   */
  what: string;
}
/**
 * One part and its version. May be hostile: show as text.
 */
export interface Version {
  /**
   * Whose: a device's label, or an artefact's name.
   */
  of: string;
  /**
   * The part: `matrix-js-sdk`, `crypto`, `browser`, `Synapse`.
   */
  part: string;
  /**
   * What it says of itself.
   */
  version: string;
}
