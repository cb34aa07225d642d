// @ts-check
// The web server of the demo, the tests and the bench, on 127.0.0.1. A second origin is a second call.
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { extname, join, resolve, sep } from 'node:path';

/** Media types by a file's ending; WebAssembly's streaming compilation and module scripts insist on theirs. */
const TYPES = new Map([
  ['.css', 'text/css; charset=utf-8'],
  ['.html', 'text/html; charset=utf-8'],
  ['.ico', 'image/x-icon'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.json', 'application/json'],
  ['.jsonl', 'application/jsonl; charset=utf-8'],
  ['.map', 'application/json'],
  ['.md', 'text/markdown; charset=utf-8'],
  ['.mjs', 'text/javascript; charset=utf-8'],
  ['.mp3', 'audio/mpeg'],
  ['.ogg', 'audio/ogg'],
  ['.png', 'image/png'],
  ['.svg', 'image/svg+xml'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.wasm', 'application/wasm'],
  ['.webmanifest', 'application/manifest+json'],
  ['.woff', 'font/woff'],
  ['.woff2', 'font/woff2'],
]);

/** @param {string} path */
const typeOf = (path) => TYPES.get(extname(path).toLowerCase());

/**
 * @typedef {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => unknown} Respond
 * @typedef {{ folder: string }} Folder
 * @typedef {string | Buffer | Respond | Folder} Handler a body (its type is that of the path's ending, HTML without one),
 *   a function that answers by itself, or a folder
 */

/**
 * A folder of files, for a path that ends with a slash: `{ '/pkg/': folder(dist) }`.
 * @param {string} path
 * @returns {Folder}
 */
export const folder = (path) => ({ folder: resolve(path) });

/**
 * Serves until `close()`. Nothing is cached, and nothing outside the given folders is served.
 * @param {string | Record<string, Handler>} content a folder, or handlers by path; the exact path wins, then the longest folder
 * @param {{ headers?: Record<string, string>, port?: number }} [options] further headers of every answer, such as a content
 *   security policy; `port` is any free one if left out
 */
export async function serve(content, { headers = {}, port = 0 } = {}) {
  const handlers = typeof content === 'string' ? { '/': folder(content) } : content;
  /** @type {{ method: string, path: string }[]} */
  const requests = [];

  const server = createServer(async (request, response) => {
    const [path] = (request.url ?? '/').split('?');
    requests.push({ method: request.method ?? 'GET', path: request.url ?? '/' });
    response.setHeader('cache-control', 'no-store');
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    try {
      await answer(path, request, response);
    } catch (error) {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(String(error));
    }
  });

  /**
   * @param {string} path
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async function answer(path, request, response) {
    const handler = Object.hasOwn(handlers, path) ? handlers[path] : undefined;
    if (typeof handler === 'function') return handler(request, response);
    if (typeof handler === 'string' || Buffer.isBuffer(handler)) {
      response.setHeader('content-type', typeOf(path) ?? 'text/html; charset=utf-8');
      return response.end(handler);
    }
    const prefix = Object.keys(handlers)
      .filter((key) => key.endsWith('/') && path.startsWith(key) && isFolder(handlers[key]))
      .sort((a, b) => b.length - a.length)[0];
    if (prefix !== undefined) {
      const file = await find(/** @type {Folder} */ (handlers[prefix]).folder, path.slice(prefix.length));
      if (file) {
        response.setHeader('content-type', typeOf(file) ?? 'application/octet-stream');
        return createReadStream(file)
          .on('error', (error) => response.destroy(error))
          .pipe(response);
      }
    }
    // Browsers ask for an icon by themselves; an error about it would stand in the console that the tests read.
    response.writeHead(path === '/favicon.ico' ? 204 : 404).end();
  }

  const { url, close } = await listen(server, port);
  return {
    /** The origin, without a slash at its end. */
    url,
    /** What was asked for, in order; a path has its query. */
    requests,
    close,
  };
}

/**
 * Starts a server on 127.0.0.1.
 * @param {import('node:net').Server | import('node:http').Server} server
 * @param {number} [port] any free one if left out
 * @returns {Promise<{ url: string, port: number, close: () => Promise<void> }>} `close` drops open connections as well
 */
export async function listen(server, port = 0) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  server.on('connection', (/** @type {import('node:net').Socket} */ socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, '127.0.0.1', () => done(undefined));
  });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    async close() {
      if (!server.listening) return;
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort() {
  const { port, close } = await listen(createNetServer());
  await close();
  return port;
}

/** @param {Handler} handler @returns {handler is Folder} */
const isFolder = (handler) => typeof handler === 'object' && !Buffer.isBuffer(handler) && 'folder' in handler;

/**
 * The file that a path names, or null. Symbolic links that lead out of the folder, and paths that climb out of it, name none.
 * @param {string} root
 * @param {string} path percent-encoded, without a slash at its start
 */
async function find(root, path) {
  try {
    const top = await realpath(root);
    // A folder's path ends with a slash; relative addresses in its index.html would miss otherwise.
    const name = decodeURIComponent(path === '' || path.endsWith('/') ? `${path}index.html` : path);
    const file = await realpath(join(top, name));
    return file.startsWith(top + sep) && (await stat(file)).isFile() ? file : null;
  } catch {
    // Not there, or not a path: malformed encoding, a null character.
    return null;
  }
}
