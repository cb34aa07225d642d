// Everything that a server or a unit test may do with the package where there is no page. Prints what it saw as JSON.
import { createRequire } from 'node:module';
import * as diag from 'crypto-diag';
import { analyse, serverQueries } from 'crypto-diag/analysis';
import * as card from 'crypto-diag/card';
import 'crypto-diag/report';
import { installInWorker } from 'crypto-diag/worker';

const schema = createRequire(import.meta.url)('crypto-diag/report.schema.json');
const original = console.error;
diag.install();
const hooked = console.error !== original;
diag.clear();
diag.uninstall();

const snapshot = diag.getServerSnapshot();
const counts = diag.getServerCounts();
process.stdout.write(
  JSON.stringify({
    hooked,
    sameSnapshot: snapshot === diag.getServerSnapshot() && Object.isFrozen(snapshot),
    sameCounts: counts === diag.getServerCounts() && Object.isFrozen(counts),
    snapshot,
    counts,
    entries: diag.getEntries(),
    status: diag.getCaptureStatus(),
    report: JSON.parse(diag.buildReport(null, { sdkVersion: '41.6.0' })),
    collected: JSON.parse(await diag.collectReport(null)),
    analysis: (await analyse(diag.buildReport(null))).summary,
    queries: (await serverQueries(diag.buildReport(null))).queries,
    card: Object.keys(card).sort(),
    worker: typeof installInWorker,
    schema: schema.title,
  }),
);
