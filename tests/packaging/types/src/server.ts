// Server rendering and workers: everything but the card type-checks without the DOM's declarations.
import { analyse } from 'crypto-diag/analysis';
import { buildReport, getServerCounts, getServerSnapshot, install, workerChannel } from 'crypto-diag';
import type { Report } from 'crypto-diag/report';
import { installInWorker } from 'crypto-diag/worker';

install();
const report: Report = JSON.parse(buildReport(null));
export const summary = analyse(buildReport(null)).then((analysis): string => analysis.summary);
const total: number = report.entries.length + getServerCounts().total + getServerSnapshot().length;
export const end: () => void = installInWorker({ channel: workerChannel() + total });
