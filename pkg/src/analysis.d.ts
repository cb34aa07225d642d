/** How sure a finding is. "proven" and "refuted" name the entries that say so; everything else is "unknown". */
export type Verdict = 'proven' | 'refuted' | 'unknown';

/** An entry of one of the given reports. */
export interface EntryRef {
  /** The report, in the order given, from 0. */
  readonly report: number;
  /** The entry in that report, from 0. */
  readonly entry: number;
}

/** What would say more. */
export interface Need {
  /** The artefact that is missing. */
  readonly what: string;
  /** How to get it. */
  readonly how: string;
}

/** Facts that prove one another, and what they do not prove. */
export interface Finding {
  readonly kind: string;
  readonly verdict: Verdict;
  readonly statement: string;
  readonly proves: readonly string[];
  readonly doesNotProve: readonly string[];
  readonly entries: readonly EntryRef[];
  /** Harmless causes that would leave the same lines. */
  readonly innocentExplanations: readonly string[];
  readonly ruledOut: readonly string[];
  readonly needs: readonly Need[];
}

/** What the reports of one incident mean. */
export interface Analysis {
  readonly schema: 'crypto-diag/analysis';
  readonly schemaVersion: number;
  /** One sentence. */
  readonly summary: string;
  /** The most telling kind first. */
  readonly findings: readonly Finding[];
  /** The reports, in the order given. */
  readonly reports: readonly ReportAnalysis[];
}

/** What one report means. */
export interface ReportAnalysis {
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
