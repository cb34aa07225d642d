// The first module that the application imports.
import { install } from 'crypto-diag';

install();
