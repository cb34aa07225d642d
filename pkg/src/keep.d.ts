import type { Keep, MatrixClientLike } from './index.js';

/** For `install({ keep: keepPages })`: keeps the page for the report of the next one in this tab. */
export const keepPages: Keep;
/**
 * Says whose page this is, as soon as the app knows: an earlier page is shown to its own user alone. What gives a user id will do, also
 * where there is no client yet. Once the user id is gone or another one, or the client says `Session.logged_out`, everything kept is erased.
 */
export function observeClient(mx: MatrixClientLike | null): void;
