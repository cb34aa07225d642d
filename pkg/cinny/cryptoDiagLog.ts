// The runbook's three names over crypto-diag. Imported on the first line of src/index.tsx, so that the capture is
// there before any other module can log: imports run in their order.
import { installCryptoDiagLog } from 'crypto-diag';

export { installCryptoDiagLog, getCryptoDiagEntries, buildCryptoDiagReport } from 'crypto-diag';

// Needs no client, makes no request, never throws; once more does nothing.
installCryptoDiagLog();
