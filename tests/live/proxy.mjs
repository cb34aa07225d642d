// @ts-check
/**
 * The network between one client and the homeserver: a reverse proxy on 127.0.0.1 that does what a bad gateway does.
 *
 * Rules are matched by method and path; the first that matches acts. CORS preflights pass untouched, so that a rule meets
 * the request it was made for. Everything that passes is kept as an {@link Exchange}.
 */
import { createServer, request as httpRequest } from 'node:http';
import { listen } from '../../scripts/lib/server.mjs';
import { WAIT_MS, pause, until } from '../../scripts/lib/wait.mjs';

/** A body longer than this is passed on but not kept. Bytes; the largest /sync here has some 100 KB. */
const KEPT_BODY = 2_000_000;

/**
 * What a rule does; every field that is given is done, in this order.
 *
 * @typedef {object} Action
 * @property {number} [holdRequestMs] wait before the homeserver gets the request
 * @property {'before' | 'after'} [drop] cut the connection before the homeserver sees the request, or after it answered
 * @property {{code: number, body?: unknown, headers?: Record<string, string>}} [answer] answer without asking the homeserver
 * @property {(body: any, exchange: Exchange) => any} [edit] the JSON body of the answer; returns the new one
 * @property {number} [holdResponseMs] wait before the client gets the answer
 */

/**
 * @typedef {object} Match
 * @property {string} [method] any if left out
 * @property {RegExp} path tested against path and query
 * @property {number} [times] how often the rule acts; for ever if left out
 */

/**
 * @typedef {object} Rule
 * @property {() => Exchange[]} hits what it has acted on
 * @property {() => void} remove
 */

/**
 * One request and its answer. Times are milliseconds since the epoch at the client's side of the proxy; `sent` and `answered`
 * are those at the homeserver's side, null if it was never asked or never answered.
 *
 * @typedef {object} Exchange
 * @property {number} id
 * @property {string} method
 * @property {string} path with the query
 * @property {number} start
 * @property {number | null} sent
 * @property {number | null} answered
 * @property {number | null} end null while it runs
 * @property {number | null} status what the client got; null if the connection was cut
 * @property {import('node:http').IncomingHttpHeaders} requestHeaders
 * @property {string | null} requestBody
 * @property {import('node:http').IncomingHttpHeaders | null} responseHeaders
 * @property {string | null} responseBody
 * @property {boolean} touched whether a rule acted
 */

/**
 * @typedef {object} Proxy
 * @property {string} url
 * @property {(match: Match & Action) => Rule} rule
 * @property {() => void} clearRules
 * @property {(what: string, is: (exchange: Exchange) => boolean, count?: number) => Promise<Exchange>} waitFor
 *   the last of the first `count` exchanges (1) for which `is` holds; `what` is for the error message
 * @property {() => Promise<Exchange>} nextSync waits for a /sync that begins after this call
 * @property {Exchange[]} exchanges in the order of their start
 * @property {() => Promise<void>} close
 */

/**
 * @param {string} target of the homeserver, `http://127.0.0.1:port`
 * @returns {Promise<Proxy>}
 */
export async function startProxy(target) {
  const upstream = new URL(target);
  /** @type {Set<Match & Action & {hits: Exchange[]}>} */
  const rules = new Set();
  /** @type {Exchange[]} */
  const exchanges = [];

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async function handle(request, response) {
    const method = request.method ?? 'GET';
    const path = request.url ?? '/';
    /** @type {Exchange} */
    const exchange = {
      id: exchanges.length,
      method,
      path,
      start: Date.now(),
      sent: null,
      answered: null,
      end: null,
      status: null,
      requestHeaders: request.headers,
      requestBody: null,
      responseHeaders: null,
      responseBody: null,
      touched: false,
    };
    exchanges.push(exchange);
    response.on('close', () => (exchange.end = Date.now()));

    const action = method === 'OPTIONS' ? undefined : take(method, path);
    exchange.touched = action !== undefined;
    action?.hits.push(exchange);
    const body = await readAll(request);
    exchange.requestBody = keep(body);

    if (action?.holdRequestMs) await pause(action.holdRequestMs);
    if (action?.drop === 'before') return void response.destroy();

    const answer = action?.answer ? made(action.answer) : await forward(exchange, body, response);
    if (!answer || action?.drop === 'after') return void response.destroy();

    let content = answer.body;
    if (action?.edit && content.length > 0) {
      content = Buffer.from(JSON.stringify(action.edit(JSON.parse(content.toString('utf8')), exchange)));
    }
    if (action?.holdResponseMs) await pause(action.holdResponseMs);
    if (response.destroyed) return;

    /** @type {import('node:http').IncomingHttpHeaders} */
    const headers = { ...answer.headers };
    for (const name of ['transfer-encoding', 'connection', 'keep-alive', 'content-length'])
      delete headers[name];
    exchange.status = answer.status;
    exchange.responseHeaders = headers;
    exchange.responseBody = keep(content);
    response.writeHead(answer.status, { ...headers, 'content-length': content.length });
    response.end(content);
  }

  /** The first rule that matches and still acts. */
  function take(/** @type {string} */ method, /** @type {string} */ path) {
    for (const rule of rules) {
      if (rule.method && rule.method !== method) continue;
      if (!rule.path.test(path)) continue;
      if (rule.times !== undefined && rule.hits.length >= rule.times) continue;
      return rule;
    }
  }

  /**
   * Asks the homeserver.
   *
   * @param {Exchange} exchange
   * @param {Buffer} body
   * @param {import('node:http').ServerResponse} response the client's side: if the client goes away, so does this request
   * @returns {Promise<{status: number, headers: import('node:http').IncomingHttpHeaders, body: Buffer} | undefined>}
   */
  function forward(exchange, body, response) {
    return new Promise((resolve) => {
      if (response.destroyed) return resolve(undefined);
      exchange.sent = Date.now();
      const headers = {
        ...exchange.requestHeaders,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
      };
      // An edited answer has to be readable here.
      delete headers['accept-encoding'];
      const { hostname, port } = upstream;
      const outgoing = httpRequest({ hostname, port, method: exchange.method, path: exchange.path, headers });
      response.on('close', () => outgoing.destroy());
      outgoing.on('error', () => resolve(undefined));
      outgoing.on('response', async (incoming) => {
        try {
          const content = await readAll(incoming);
          exchange.answered = Date.now();
          resolve({ status: incoming.statusCode ?? 502, headers: incoming.headers, body: content });
        } catch {
          resolve(undefined);
        }
      });
      outgoing.end(body);
    });
  }

  /** @type {Proxy['waitFor']} */
  const waitFor = (what, is, count = 1) =>
    until(
      () => exchanges.filter(is)[count - 1],
      WAIT_MS,
      () => `the proxy waited ${WAIT_MS / 1000} s in vain for ${what}`,
    );

  const { url, close } = await listen(server);
  return {
    url,
    exchanges,
    rule(given) {
      /** @type {Match & Action & {hits: Exchange[]}} */
      const rule = { ...given, hits: [] };
      rules.add(rule);
      return { hits: () => rule.hits, remove: () => void rules.delete(rule) };
    },
    clearRules: () => rules.clear(),
    waitFor,
    nextSync() {
      const before = exchanges.length;
      return waitFor('the next /sync', ({ id, path }) => id >= before && path.includes('/sync?'));
    },
    close,
  };
}

/** An answer of the gateway itself, readable by a page of another origin. */
function made(/** @type {NonNullable<Action['answer']>} */ { code, body, headers }) {
  const json = typeof body !== 'string';
  return {
    status: code,
    headers: {
      'content-type': json ? 'application/json' : 'text/html',
      'access-control-allow-origin': '*',
      ...headers,
    },
    body: Buffer.from(json ? JSON.stringify(body ?? {}) : body),
  };
}

function keep(/** @type {Buffer} */ body) {
  return body.length > 0 && body.length <= KEPT_BODY ? body.toString('utf8') : null;
}

async function readAll(/** @type {AsyncIterable<Buffer>} */ stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
