// Every export of the package, as an application's code would use it. It is compiled, never run.
import {
  buildCryptoDiagReport,
  buildReport,
  clear,
  collectReport,
  downloadReport,
  getCaptureStatus,
  getCounts,
  getCryptoDiagEntries,
  getEntries,
  getServerCounts,
  getServerSnapshot,
  install,
  installCryptoDiagLog,
  subscribe,
  uninstall,
  workerChannel,
} from 'crypto-diag';
import type {
  CaptureStatus,
  Counts,
  DownloadExtra,
  Entry,
  InstallOptions,
  MatrixClientLike,
  Meaning,
  MeaningCounts,
  ReportExtra,
} from 'crypto-diag';
import { CryptoDiagCard, CryptoDiagEntries, DEFAULT_STRINGS, setStrings } from 'crypto-diag/card';
import type { CardAnalysis, Text } from 'crypto-diag/card';
import { analyse, serverQueries } from 'crypto-diag/analysis';
import type { Analysis, Coverage, ServerQueries, Story, Verdict } from 'crypto-diag/analysis';
import type { Entry as ReportEntry, Report, TallyRow } from 'crypto-diag/report';
import { useCryptoDiag } from 'crypto-diag/react';
import type { CryptoDiag } from 'crypto-diag/react';
import { installInWorker } from 'crypto-diag/worker';

// matrix-js-sdk's client, as far as its declarations matter here.
enum SyncState {
  Prepared = 'PREPARED',
  Error = 'ERROR',
}
interface CryptoApi {
  getVersion(): string;
  getOwnDeviceKeys(): Promise<{ ed25519: string; curve25519: string }>;
}
declare class MatrixClient {
  private readonly secret: string;
  getUserId(): string | null;
  getDeviceId(): string | null;
  getSyncState(): SyncState | null;
  getCrypto(): CryptoApi | undefined;
  startClient(options?: { initialSyncLimit?: number }): Promise<void>;
}
declare const mx: MatrixClient;
declare const passedByTheBuild: string | undefined;

const options: InstallOptions = { frames: true, sentKeys: false, calls: false, requests: false };
install();
install({});
installCryptoDiagLog(options);

const entries: readonly Entry[] = getEntries();
const copy: Entry[] = getCryptoDiagEntries();
copy.sort((a, b) => a.ts - b.ts);
for (const entry of entries) {
  const level: 'warn' | 'error' = entry.level;
  const meaning: Meaning = entry.meaning;
  const realm: 'main' | 'frame' | 'worker' = entry.realm.kind;
  const path: string | null = entry.realm.path;
  const source: 'console' | 'uncaught' = entry.source;
  const texts: string[] = [entry.ke, entry.signature, entry.message, entry.stack ?? ''];
  const numbers: number[] = [entry.ts, entry.redactions, entry.truncatedFrom ?? 0];
  use(level, meaning, realm, path, source, texts, numbers);
}

const counts: Counts = getCounts();
const ke1: (MeaningCounts & { readonly total: number }) | undefined = counts.byKe['KE-1'];
use(counts.total, ke1?.failure, ke1?.total, counts.byMeaning.transient);

const status: CaptureStatus = getCaptureStatus();
switch (status.state) {
  case 'not-installed':
  case 'starting':
  case 'capturing':
  case 'stopped':
    use(status.frames, status.blindFrames);
    break;
  case 'blind':
  case 'failed':
    use(status.reason);
    break;
  default: {
    const none: never = status.state;
    use(none);
  }
}

// React's useSyncExternalStore<Snapshot>(subscribe, getSnapshot, getServerSnapshot).
declare function useSyncExternalStore<T>(
  subscribe: (onStoreChange: () => void) => () => void,
  getSnapshot: () => T,
  getServerSnapshot?: () => T,
): T;
const shown: readonly Entry[] = useSyncExternalStore(subscribe, getEntries, getServerSnapshot);
const badge: number = useSyncExternalStore(subscribe, getCounts, getServerCounts).total;
const leave: () => void = subscribe(() => undefined);
use(shown, badge, leave);

const live: CryptoDiag = useCryptoDiag();
use(live.entries === entries, live.counts.total, live.status.state);

const extra: ReportExtra = { sdkVersion: passedByTheBuild };
const download: DownloadExtra = { ...extra, prefix: 'support' };
const json: string = buildReport(mx, extra);
use(buildReport(), buildReport(null), buildReport(undefined, {}), buildCryptoDiagReport(mx));
const double: MatrixClientLike = { getUserId: () => '@alice:example.org', getCrypto: () => null };
const reports: Promise<string>[] = [collectReport(double), collectReport(mx, extra), collectReport()];
const names: Promise<string>[] = [downloadReport(mx, download), downloadReport(null), downloadReport()];
use(reports, names);

const report: Report = JSON.parse(json);
const worst: TallyRow | undefined = report.tallies[0];
const kept: ReportEntry[] = report.entries;
const asEntries: readonly Entry[] = kept;
const once: number = report.counts['KE-1'] + report.counts['KE-4'];
const ready: boolean | null = report.cryptoReady;
const when: number = report.generatedAt;
use(worst?.ratePerSecond, asEntries, once, ready, when, report.capture.frames.documents[0]?.blind);

const analysis: Promise<Analysis>[] = [analyse(json), analyse([json, json] as const)];
analysis[0]?.then(({ summary, story, questions, verdicts, reports }) => {
  const verdict: Verdict | undefined = verdicts[0];
  const told: Story = story;
  const asked: Coverage | undefined = questions[0];
  use(summary, verdict?.claim, verdict?.statement, told.open, asked?.covered, reports[0]?.evidence);
});
const queries: Promise<ServerQueries> = serverQueries(json);
use(queries);

const channel: string = workerChannel();
const end: () => void = installInWorker({ channel });
use(end);

const card = document.createElement('crypto-diag-card');
card.client = mx;
card.client = null;
card.sdkVersion = '41.6.0';
card.filePrefix = 'support';
const forCard: CardAnalysis = {
  sentence: async (text) => (await analyse(text)).summary,
  serverQueries: async (text) => (await serverQueries(text)).text,
};
card.analysis = forCard;
const plural: Text = { one: '{count} entry', other: '{count} entries' };
card.strings = { entries: plural, ...DEFAULT_STRINGS };
setStrings({ title: 'Verschlüsselung' });
const both: HTMLElement[] = [card, new CryptoDiagCard(), new CryptoDiagEntries()];
use(both, document.querySelector('crypto-diag-entries')?.strings);

clear();
uninstall();

// What must not compile.
// @ts-expect-error an option that does not exist
install({ sendKeys: true });
// @ts-expect-error frozen
entries.push(copy[0]);
// @ts-expect-error frozen
counts.total = 0;
// @ts-expect-error frozen
entries[0].message = '';
// @ts-expect-error not a client
buildReport({ userId: '@alice:example.org' });
// @ts-expect-error not a client either
buildReport('@alice:example.org');
// @ts-expect-error a listener is needed
subscribe();
// @ts-expect-error the report is text
buildReport(mx).entries;
// @ts-expect-error a promise
collectReport(mx).length;
// @ts-expect-error the report's text, not the report
analyse(report);
// @ts-expect-error no such level
if (entries[0].level === 'info') use();
// @ts-expect-error the channel's name is needed
installInWorker({});
// @ts-expect-error no such field
report.counters;
// @ts-expect-error a client that gives numbers
card.client = { getUserId: () => 1 };

declare function use(...values: unknown[]): void;
