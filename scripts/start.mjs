// @ts-check
// `npm start`: sets up, builds, and serves the live demo on localhost until it is interrupted.

import path from 'node:path';
import { build } from './build.mjs';
import { Explained, main, root, say } from './lib/project.mjs';
import { serve } from './lib/server.mjs';

const FIRST_PORT = 8088;
const PORTS_TRIED = 20;

main(async () => {
  await build();
  const asked = Number(process.env.PORT);
  const ports = asked ? [asked] : Array.from({ length: PORTS_TRIED }, (_, at) => FIRST_PORT + at);
  for (const port of ports) {
    try {
      await serve(path.join(root, 'www/dist'), { port });
      const address = `http://localhost:${port}`;
      say(`\nThe live demo: ${address}/\nOffline triage: ${address}/triage.html\nPress Ctrl-C to stop.`);
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Explained(`No free port among ${ports.join(', ')}. Name another: PORT=9000 npm start`);
});
