// @ts-check
/** The eight words that a first try looks for. */
export const NEEDLES = [
  'already exists',
  'missing key at index',
  'MissingKey',
  'key set not found',
  'DecryptionError',
  'io.element.call.encryption_keys',
  'update_delayed_event',
  'delayed event',
];

/** Lines that the simple capturers keep. */
export const KEPT_MAX = 200;
