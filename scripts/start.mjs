// `npm start`: sets up, builds, and serves the live demo on localhost until it is interrupted.

import { createServer } from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { Explained, main, root, say } from './lib/run.mjs';

const FIRST_PORT = 8088;
const PORTS_TRIED = 20;
const site = path.join(root, 'www/dist');

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.jsonl': 'application/jsonl; charset=utf-8',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

function answer(request, response) {
  const wanted = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  const file = path.join(site, wanted.endsWith('/') ? `${wanted}index.html` : wanted);
  // `path.join` has resolved any "..": what lies outside the site is not served.
  if (!file.startsWith(site + path.sep) || !fs.existsSync(file) || !fs.statSync(file).isFile()) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Not here.');
    return;
  }
  const type = types[path.extname(file)] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' });
  fs.createReadStream(file).pipe(response);
}

function listen(port) {
  return new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      try {
        answer(request, response);
      } catch {
        response.writeHead(400).end();
      }
    });
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(port));
  });
}

main(async () => {
  await build();
  const asked = Number(process.env.PORT);
  const ports = asked ? [asked] : Array.from({ length: PORTS_TRIED }, (_, at) => FIRST_PORT + at);
  for (const port of ports) {
    try {
      await listen(port);
      const address = `http://localhost:${port}`;
      say(`\nThe live demo: ${address}/\nOffline triage: ${address}/triage.html\nPress Ctrl-C to stop.`);
      return;
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Explained(`No free port among ${ports.join(', ')}. Name another: PORT=9000 npm start`);
});
