// @ts-check
import { datadogLogs } from '@datadog/browser-logs';

let logs = 0;

export const start = () =>
  datadogLogs.init({
    clientToken: 'pub0123456789abcdef0123456789abcdef',
    site: 'datadoghq.eu',
    forwardConsoleLogs: ['warn', 'error'],
    telemetrySampleRate: 0,
    beforeSend: () => {
      logs++;
      return true;
    },
  });
export const kept = () => logs;
