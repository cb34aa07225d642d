// Checks answers of foreign code: a value of the expected type, else null.

export const text = (/** @type {unknown} */ value) => (typeof value === 'string' ? value : null);
export const number = (/** @type {unknown} */ value) =>
  typeof value === 'number' && value - value === 0 ? value : null;
export const truth = (/** @type {unknown} */ value) => (typeof value === 'boolean' ? value : null);
