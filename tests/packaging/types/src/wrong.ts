// A mistake that every compiler must report, with the package's types in reach: else the other files prove nothing.
import { getEntries } from 'crypto-diag';
import { setStrings } from 'crypto-diag/card';
import type { Report } from 'crypto-diag/report';
import { installInWorker } from 'crypto-diag/worker';

export const entries: number = getEntries();
export const strings: string = setStrings({});
export const report: Report = { schema: 1 };
export const end: string = installInWorker({ channel: 'x' });
