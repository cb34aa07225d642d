// @ts-check
// Who is measured: the files of this folder, and what each does with a line.

/**
 * @typedef {object} Contender
 * @property {string} id The file's name.
 * @property {string} title
 * @property {string | null} module The npm package whose version is printed.
 * @property {string} does What becomes of a line.
 * @property {boolean} whole Whether it looks at the whole line of each call.
 */

/** @type {Contender[]} */
export const CONTENDERS = [
  {
    id: 'crypto-diag',
    title: 'crypto-diag',
    module: null,
    does: 'tests the whole line; classifies, redacts, counts and keeps those that match',
    whole: true,
  },
  {
    id: 'trivial',
    title: 'trivial wrapper',
    module: null,
    does: "`args.map(String).join(' ')` and eight `includes`; keeps the text of those that match",
    whole: true,
  },
  {
    id: 'storer',
    title: 'string storer',
    module: null,
    does: 'level, time and the text of every line into a list of 200, Errors with their stacks, objects as JSON',
    whole: true,
  },
  {
    id: 'sentry-breadcrumbs',
    title: 'Sentry, breadcrumbs',
    module: '@sentry/browser',
    does: 'a breadcrumb for every line (the default of `init`)',
    whole: true,
  },
  {
    id: 'sentry-capture',
    title: 'Sentry, captureConsole',
    module: '@sentry/browser',
    does: 'an event for every line',
    whole: true,
  },
  {
    id: 'sentry-logs',
    title: 'Sentry, consoleLogging',
    module: '@sentry/browser',
    does: 'a structured log for every line',
    whole: true,
  },
  {
    id: 'datadog',
    title: 'Datadog browser logs',
    module: '@datadog/browser-logs',
    does: 'forwards every line',
    whole: true,
  },
  {
    id: 'faro',
    title: 'Grafana Faro',
    module: '@grafana/faro-web-sdk',
    does: 'forwards every line',
    whole: true,
  },
  {
    id: 'opentelemetry',
    title: 'OpenTelemetry console',
    module: '@opentelemetry/browser-instrumentation',
    does: 'a log record for every line, handed to a processor that counts',
    whole: true,
  },
  {
    id: 'posthog',
    title: 'PostHog, console logs',
    module: 'posthog-js',
    does: 'a log record for every line, sent in batches',
    whole: true,
  },
  {
    id: 'rrweb',
    title: 'rrweb console plugin',
    module: '@rrweb/rrweb-plugin-console-record',
    does: 'an event for every line, in a recording of the page',
    whole: true,
  },
  {
    id: 'console-feed',
    title: 'console-feed',
    module: 'console-feed',
    does: 'encodes every line for a console inside the page',
    whole: true,
  },
  {
    id: 'loglevel-remote',
    title: 'loglevel with plugin-remote',
    module: 'loglevel-plugin-remote',
    does: "a logger's own methods, not the console; queues every line for its server",
    whole: true,
  },
  {
    id: 'rollbar',
    title: 'Rollbar',
    module: 'rollbar',
    does: 'telemetry of every line, sent with the next error',
    whole: true,
  },
  {
    id: 'bugsnag',
    title: 'Bugsnag',
    module: '@bugsnag/browser',
    does: 'a breadcrumb of every line, sent with the next error',
    whole: true,
  },
];
