// @ts-check
import { logs } from '@opentelemetry/api-logs';
import { ConsoleInstrumentation } from '@opentelemetry/browser-instrumentation/experimental/console';
import { LoggerProvider } from '@opentelemetry/sdk-logs';

let records = 0;

/** Counts what an exporter would be given, and sends nothing. */
const counter = {
  onEmit: () => void records++,
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

export function start() {
  logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [counter] }));
  new ConsoleInstrumentation({ logMethods: ['warn', 'error'] }).enable();
}
export const kept = () => records;
