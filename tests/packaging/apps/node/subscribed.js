// A subscriber that stays, as a component under a unit test does: the process must end all the same.
import { install, subscribe } from 'crypto-diag';

install();
subscribe(() => {});
