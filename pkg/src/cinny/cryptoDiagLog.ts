// The runbook's three names over crypto-diag. Imported on the first line of src/index.tsx, so that the capture is
// there before any other module can log: imports run in their order.
import { installCryptoDiagLog } from 'crypto-diag';
import { keepPages, observeClient } from 'crypto-diag/keep';

export { installCryptoDiagLog, getCryptoDiagEntries, buildCryptoDiagReport } from 'crypto-diag';

// Whose page it is: where Cinny keeps its session, there is a user before there is a client.
observeClient({
  getUserId: () => localStorage.getItem('cinny_user_id'),
  getDeviceId: () => localStorage.getItem('cinny_device_id'),
});
// Needs no client, makes no request, never throws; once more does nothing. `keep`: people reload at once when a call dies, so what
// was kept of a page is in the report of the next one in its tab. Without that, nothing is ever stored.
installCryptoDiagLog({ keep: keepPages });
