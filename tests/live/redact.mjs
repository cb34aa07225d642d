// @ts-check
/**
 * Secrets out of what a client and a homeserver said to one another, by position (headers, query, field names) and by shape. What
 * a triage needs stays: user, device, room and event ids, public keys, sync tokens, ciphertext.
 */
const GONE = '[redacted]';

/** Headers whose value is a secret. */
const HEADERS = new Set(['authorization', 'cookie', 'set-cookie', 'proxy-authorization']);

/** Fields of a JSON body, and parameters of a query, whose value is a secret. */
const FIELDS = new Set(
  'access_token refresh_token login_token loginToken token id_token password new_password secret client_secret jwt credential code mac'.split(
    ' ',
  ),
);

/** Paths whose whole answer is secret: TURN credentials and OpenID tokens. */
const PATHS = /\/(voip\/turnServer|openid\/request_token)/;

/** Synapse's tokens, those of its authentication service, and JWTs. */
const SHAPES =
  /\b(sy[trl]_[A-Za-z0-9_]+|m[ac][rt]_[A-Za-z0-9_]+|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*)/g;

export const redactText = (/** @type {string} */ text) => text.replace(SHAPES, GONE);

/** @param {import('node:http').IncomingHttpHeaders | null} headers */
export function redactHeaders(headers) {
  return Object.entries(headers ?? {}).map(([name, value]) => ({
    name,
    value: HEADERS.has(name.toLowerCase()) ? GONE : redactText(String(value)),
  }));
}

/** @param {string} path with its query */
export function redactPath(path) {
  const url = new URL(path, 'http://x');
  for (const name of url.searchParams.keys()) if (FIELDS.has(name)) url.searchParams.set(name, GONE);
  return redactText(url.pathname + url.search);
}

/**
 * @param {string} path that was asked for
 * @param {string | null} body
 */
export function redactBody(path, body) {
  if (body === null) return null;
  if (PATHS.test(path)) return GONE;
  try {
    const clean = JSON.parse(body, (name, value) =>
      FIELDS.has(name) && typeof value === 'string' ? GONE : value,
    );
    return redactText(JSON.stringify(clean));
  } catch {
    return redactText(body);
  }
}
