import type { Analysis, ServerQueries } from './analysis-types.js';

export type {
  Analysis,
  Coverage,
  ReportReading,
  ServerQueries,
  ServerQuery,
  Story,
  Verdict,
} from './analysis-types.js';

/** What a report means, or several reports of one incident together. Rejects with the place of what is no report. */
export function analyse(reports: string | readonly string[]): Promise<Analysis>;
/** The greps and SQL that fetch the server's half of a report. */
export function serverQueries(report: string): Promise<ServerQueries>;
