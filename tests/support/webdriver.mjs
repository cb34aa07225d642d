// @ts-check
// A WebDriver session, as far as the tests need one: https://www.w3.org/TR/webdriver2/

/** Keys that are not characters: https://www.w3.org/TR/webdriver2/#keyboard-actions */
const KEYS = new Map([
  ['Backspace', '\ue003'],
  ['Tab', '\ue004'],
  ['Enter', '\ue007'],
  ['Shift', '\ue008'],
  ['Control', '\ue009'],
  ['Alt', '\ue00a'],
  ['Escape', '\ue00c'],
  ['PageUp', '\ue00e'],
  ['PageDown', '\ue00f'],
  ['End', '\ue010'],
  ['Home', '\ue011'],
  ['ArrowLeft', '\ue012'],
  ['ArrowUp', '\ue013'],
  ['ArrowRight', '\ue014'],
  ['ArrowDown', '\ue015'],
  ['Insert', '\ue016'],
  ['Delete', '\ue017'],
  ['Meta', '\ue03d'],
]);

/** @param {string} key */
function keyValue(key) {
  const value = [...key].length === 1 ? key : KEYS.get(key);
  if (value === undefined) throw new Error(`press: no key is named "${key}"`);
  return value;
}

/** The key actions of some strokes. @param {import('./browser.mjs').Stroke[]} strokes */
export function keyActions(strokes) {
  const actions = strokes.flatMap(({ hold, key }) => [
    ...hold.map((held) => ({ type: 'keyDown', value: keyValue(held) })),
    { type: 'keyDown', value: keyValue(key) },
    { type: 'keyUp', value: keyValue(key) },
    ...[...hold].reverse().map((held) => ({ type: 'keyUp', value: keyValue(held) })),
  ]);
  return [{ type: 'key', id: 'keyboard', actions }];
}

/** A left click at a point of the viewport, in CSS pixels. @param {number} x @param {number} y */
export function clickActions(x, y) {
  const actions = [
    { type: 'pointerMove', duration: 0, origin: 'viewport', x: Math.floor(x), y: Math.floor(y) },
    { type: 'pointerDown', button: 0 },
    { type: 'pointerUp', button: 0 },
  ];
  return [{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions }];
}

/**
 * One command to a driver.
 * @param {string} origin where the driver listens, such as `http://127.0.0.1:4444`
 * @param {'GET' | 'POST' | 'DELETE'} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} the `value` of the answer
 * @throws {Error} with the driver's own message; `cause` is the WebDriver error code
 */
export async function command(origin, method, path, body) {
  const response = await fetch(origin + path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined,
  });
  const { value } = await response.json();
  if (!response.ok) {
    throw new Error(value?.message || value?.error || `WebDriver answers ${response.status}`, {
      cause: value?.error,
    });
  }
  return value;
}
