// @ts-check
import { getIsolationScope, init } from '@sentry/browser';
import { DSN, transport } from './sentry-transport.js';

export const start = () => init({ dsn: DSN, transport });
export const kept = () => getIsolationScope().getScopeData().breadcrumbs.length;
