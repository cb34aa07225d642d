// Only the bench installs what crypto-diag is measured against; types of it are nobody's concern.
declare module '@bugsnag/browser';
declare module '@datadog/browser-logs';
declare module '@grafana/faro-web-sdk';
declare module '@opentelemetry/api-logs';
declare module '@opentelemetry/browser-instrumentation/experimental/console';
declare module '@opentelemetry/sdk-logs';
declare module '@rrweb/record';
declare module '@rrweb/rrweb-plugin-console-record';
declare module '@sentry/browser';
declare module '@sentry/core';
declare module 'console-feed/lib/Hook';
declare module 'loglevel';
declare module 'loglevel-plugin-remote';
declare module 'posthog-js/dist/logs';
declare module 'posthog-js/dist/module.no-external';
declare module 'rollbar';
