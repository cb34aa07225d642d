// @ts-check
// The network as the contenders see it: everything is taken, counted, and goes nowhere.

/** Bytes that were sent so far. */
export const sent = { requests: 0, bytes: 0 };
const nativeFetch = globalThis.fetch.bind(globalThis);

/** @param {any} body */
function count(body) {
  sent.requests++;
  sent.bytes += typeof body === 'string' ? body.length : (body?.size ?? body?.byteLength ?? 0);
}

class Request extends EventTarget {
  readyState = 0;
  status = 0;
  responseText = '';
  response = '';
  /** @type {any} */ onreadystatechange = null;
  /** @type {any} */ onload = null;
  open() {
    this.readyState = 1;
  }
  setRequestHeader() {}
  getAllResponseHeaders() {
    return '';
  }
  getResponseHeader() {
    return null;
  }
  abort() {}
  /** @param {unknown} body */
  send(body) {
    count(body);
    setTimeout(() => {
      this.readyState = 4;
      this.status = 200;
      this.onreadystatechange?.(new Event('readystatechange'));
      this.onload?.(new Event('load'));
      for (const type of ['load', 'loadend']) this.dispatchEvent(new Event(type));
    });
  }
}

/** Puts it in place; to be called before any contender is loaded. */
export function goOffline() {
  Object.assign(globalThis, {
    XMLHttpRequest: Request,
    fetch: (/** @type {any} */ _, /** @type {any} */ options) => {
      count(options?.body);
      return Promise.resolve(new Response('{}', { status: 200 }));
    },
  });
  navigator.sendBeacon = (_, body) => {
    count(body);
    return true;
  };
}

/** Gives a result to whoever started this page. @param {unknown} result */
export const report = (result) =>
  nativeFetch(`/result${location.search}`, { method: 'POST', body: JSON.stringify(result) });

/** @param {string} path */
export const source = async (path) => (await nativeFetch(path)).text();
