// @ts-check
import {
  BrowserClient,
  consoleLoggingIntegration,
  defaultStackParser,
  getCurrentScope,
} from '@sentry/browser';
import { DSN, transport } from './sentry-transport.js';

let logs = 0;

export function start() {
  const client = new BrowserClient({
    dsn: DSN,
    transport,
    stackParser: defaultStackParser,
    enableLogs: true,
    integrations: [consoleLoggingIntegration({ levels: ['warn', 'error'] })],
    beforeSendLog: (/** @type {any} */ log) => {
      logs++;
      return log;
    },
  });
  getCurrentScope().setClient(client);
  client.init();
}
export const kept = () => logs;
