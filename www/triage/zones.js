// @ts-check
// Choices for the server's zone. Synapse's own log form prints local time and does not say whose.

/** Every offset from UTC that is in use, in minutes. */
const OFFSETS = [
  -720, -660, -600, -570, -540, -480, -420, -360, -300, -240, -210, -180, -150, -120, -60, 0, 60, 120, 180,
  210, 240, 270, 300, 330, 345, 360, 390, 420, 480, 525, 540, 570, 600, 630, 660, 720, 765, 780, 825, 840,
];

/** `UTC+5:45`. @param {number} minutes */
export function zoneName(minutes) {
  if (minutes === 0) return 'UTC';
  const hours = Math.trunc(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
}

/**
 * Fills a select; the first choice, with an empty value, leaves it to the log.
 * @param {HTMLSelectElement} select
 */
export function fillZones(select) {
  const here = -new Date().getTimezoneOffset();
  for (const minutes of OFFSETS) {
    const note = minutes === here ? ' (this computer today)' : '';
    select.add(new Option(zoneName(minutes) + note, String(minutes)));
  }
}

/** The chosen minutes. @param {HTMLSelectElement} select */
export const zoneOf = (select) => (select.value === '' ? undefined : Number(select.value));
