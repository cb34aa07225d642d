import type { Coverage, Story, Verdict } from './triage.js';

export type { Coverage, Story, Verdict };

/** What the reports of one incident say: the verdicts that a triage of the same reports gives. */
export interface Analysis {
  readonly schema: 'crypto-diag/analysis';
  readonly schemaVersion: number;
  /** The story's sentence. */
  readonly summary: string;
  /** What the verdicts add up to: cause and effect, whom it affects, what is open, what to fetch next. */
  readonly story: Story;
  /** What the reports could show, by question. */
  readonly questions: readonly Coverage[];
  /** The verdicts, by question. */
  readonly verdicts: readonly Verdict[];
  /** The reports, in the order given. */
  readonly reports: readonly ReportReading[];
}

/** What one report says. */
export interface ReportReading {
  readonly userId: string | null;
  readonly deviceId: string | null;
  /** The facts of each entry, in the report's order; null where there are none. */
  readonly evidence: readonly (object | null)[];
  /** Entries of a known signature whose line is of no known form. */
  readonly unparsed: number;
  /** Entries that hold the words of a signature and are about something else. */
  readonly unrelated: number;
  /** Entries that are no entries. */
  readonly unreadable: number;
  /** What the entries add up to. */
  readonly facts: object;
}

/** One question to the server. */
export interface ServerQuery {
  readonly name: string;
  readonly ke: string;
  /** What it answers, and how to read the answer. */
  readonly question: string;
  readonly runsOn: 'logHost' | 'databaseHost';
  /** The command or statement, with all ids filled in and quoted. */
  readonly text: string;
}

export interface ServerQueries {
  /** All of them, for the clipboard. */
  readonly text: string;
  readonly queries: readonly ServerQuery[];
  /** What could not be asked, and why. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

/** What a report means, or several reports of one incident together. Rejects with the place of what is no report. */
export function analyse(reports: string | readonly string[]): Promise<Analysis>;
/** The greps and SQL that fetch the server's half of a report. */
export function serverQueries(report: string): Promise<ServerQueries>;
