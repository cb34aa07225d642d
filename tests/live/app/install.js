import { install } from 'crypto-diag';

install();
