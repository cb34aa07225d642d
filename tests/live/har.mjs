// @ts-check
/** What one client sent and got, as a HAR 1.2 log without secrets. CORS preflights are left out, as the browsers do. */
import { redactBody, redactHeaders, redactPath } from './redact.mjs';

/**
 * @param {import('./proxy.mjs').Proxy} proxy
 * @param {{from: number, browser: string}} options `from`, milliseconds since the epoch: nothing earlier is told
 */
export function toHar({ url, exchanges }, { from, browser }) {
  return {
    log: {
      version: '1.2',
      creator: { name: 'crypto-diag live rig', version: '1' },
      browser: { name: browser, version: '' },
      pages: [],
      entries: exchanges
        .filter(({ method, start }) => method !== 'OPTIONS' && start >= from)
        .map((exchange) => entry(url, exchange)),
    },
  };
}

/**
 * @param {string} base
 * @param {import('./proxy.mjs').Exchange} exchange
 */
function entry(
  base,
  { method, path, start, end, status, requestHeaders, requestBody, responseHeaders, responseBody },
) {
  const cleanPath = redactPath(path);
  const postData = redactBody(path, requestBody);
  const text = redactBody(path, responseBody);
  const wait = (end ?? Date.now()) - start;
  return {
    startedDateTime: new Date(start).toISOString(),
    time: wait,
    request: {
      method,
      url: base + cleanPath,
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: redactHeaders(requestHeaders),
      queryString: [...new URL(cleanPath, base).searchParams].map(([name, value]) => ({ name, value })),
      ...(postData === null ? {} : { postData: { mimeType: 'application/json', text: postData } }),
      headersSize: -1,
      bodySize: requestBody?.length ?? 0,
    },
    response: {
      // 0 is what browsers write for an answer that never came.
      status: status ?? 0,
      statusText: '',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: redactHeaders(responseHeaders),
      content: {
        size: responseBody?.length ?? 0,
        mimeType: String(responseHeaders?.['content-type'] ?? 'x-unknown'),
        ...(text === null ? {} : { text }),
      },
      redirectURL: '',
      headersSize: -1,
      bodySize: responseBody?.length ?? -1,
    },
    cache: {},
    timings: { blocked: -1, dns: -1, connect: -1, ssl: -1, send: 0, wait, receive: 0 },
  };
}
