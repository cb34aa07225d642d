// @ts-check
import {
  BrowserClient,
  captureConsoleIntegration,
  defaultStackParser,
  getCurrentScope,
} from '@sentry/browser';
import { DSN, transport } from './sentry-transport.js';

let events = 0;

export function start() {
  const client = new BrowserClient({
    dsn: DSN,
    transport,
    stackParser: defaultStackParser,
    integrations: [captureConsoleIntegration({ levels: ['warn', 'error'] })],
    beforeSend: (/** @type {any} */ event) => {
      events++;
      return event;
    },
  });
  getCurrentScope().setClient(client);
  client.init();
}
export const kept = () => events;
