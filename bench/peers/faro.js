// @ts-check
import { ConsoleInstrumentation, initializeFaro } from '@grafana/faro-web-sdk';

let items = 0;

export const start = () =>
  void initializeFaro({
    url: '/nowhere',
    app: { name: 'bench', version: '1' },
    instrumentations: [new ConsoleInstrumentation()],
    dedupe: false,
    beforeSend: (/** @type {any} */ item) => {
      items++;
      return item;
    },
  });
// It hands on in batches: what is counted comes a little later.
export const kept = () => items;
