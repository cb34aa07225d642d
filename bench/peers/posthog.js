// @ts-check
import posthog from 'posthog-js/dist/module.no-external';
// What it would load from its server when console logs are asked for.
import 'posthog-js/dist/logs';

let records = 0;

export function start() {
  const extensions = /** @type {any} */ (globalThis).__PosthogExtensions__;
  extensions.loadExternalDependency = (/** @type {any[]} */ ...[, , loaded]) => loaded();
  posthog.init('phc_bench', {
    api_host: '/nowhere',
    advanced_disable_flags: true,
    // It would take a browser under test for a robot.
    opt_out_useragent_filter: true,
    autocapture: false,
    capture_pageview: false,
    disable_session_recording: true,
    persistence: 'memory',
    logs: {
      captureConsoleLogs: true,
      beforeSend: (/** @type {any} */ record) => {
        records++;
        return record;
      },
    },
  });
}
export const kept = () => records;
