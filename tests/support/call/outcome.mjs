// @ts-check
// What an answer says of one direction of a call, in the words of docs/calls.md; and the table of what was told by whose report.

/**
 * @typedef {'healthy' | 'muted' | 'never sent' | 'no target' | 'refused or swallowed' | 'not delivered' | 'not opened' | 'wrong or old index'
 *   | 'encryption off on one side' | 'other SFU or membership' | 'network' | 'unknown'} Name
 */

/** @type {Record<string, Name>} What a silence follows from. */
const BY_CAUSE = {
  'media-not-sent': 'muted',
  'never-sent': 'never sent',
  'no-one-time-key': 'no target',
  'stale-device-list': 'no target',
  'batch-dropped': 'refused or swallowed',
  backlog: 'not delivered',
  'stale-target': 'not delivered',
  'conflict-lost-media-key': 'not opened',
  'lost-key-lost-media-key': 'not opened',
};

/**
 * The outcome that an answer names for what somebody's page sends to others.
 * @param {any} answer of `crypto-diag triage --format json`
 * @param {string} speaker the user's id
 * @returns {Name}
 */
export function outcomeOf({ verdicts, story, mediaKeys }, speaker) {
  const isProven = (/** @type {any} */ { is }) => is === 'proven';
  const heard = (/** @type {string} */ claim) =>
    verdicts.find(
      (/** @type {any} */ one) =>
        one.claim === claim && isProven(one) && one.about.includes(` from ${speaker}/`),
    );
  const cause = (/** @type {any} */ effect) => {
    const link = story.links.find((/** @type {any} */ { effect: at }) => verdicts[at] === effect);
    return link && nameOf(verdicts[link.cause]);
  };
  // What a page says of itself: others need not have given theirs.
  const own = (/** @type {string} */ claim) =>
    verdicts.find(
      (/** @type {any} */ one) =>
        one.claim === claim && isProven(one) && one.subject.device?.userId === speaker,
    );
  const silent = own('media-not-sent');
  // Pictures and silence are decoded as well.
  if (heard('media-decoded')) return silent ? nameOf(silent) : 'healthy';
  if (heard('encryption-one-sided')) return 'encryption off on one side';
  const undecrypted = heard('media-not-decrypted');
  if (undecrypted) {
    const unseen = undecrypted.how.some((/** @type {string} */ how) => how.includes('sees no membership of'));
    if (unseen) return 'other SFU or membership';
    return cause(undecrypted) ?? (isOfIndex(undecrypted, mediaKeys) ? 'wrong or old index' : 'unknown');
  }
  const missing = heard('media-not-arriving');
  const source = missing && cause(missing);
  if (source) return source;
  const why = missing?.how.join(' ') ?? '';
  if (/names another SFU/.test(why)) return 'other SFU or membership';
  if (/speaks for the network/.test(why)) return 'network';
  const found = silent ?? own('batch-dropped');
  return found ? nameOf(found) : 'unknown';
}

/** The outcome that a proven cause is; how it came about is said beside it. @param {any} verdict @returns {Name} */
function nameOf({ claim, how }) {
  const says = (/** @type {string} */ words) =>
    how.some((/** @type {string} */ sentence) => sentence.includes(words));
  if (claim === 'never-sent' && says('sees this device in the call')) return 'no target';
  // LiveKit drops what it cannot encrypt.
  if (claim === 'media-not-sent' && says('lacked its own media key')) return 'refused or swallowed';
  return BY_CAUSE[claim] ?? 'unknown';
}

/** Whether frames meet a key that does not open them, or one that is there at another index alone. @param {any} verdict @param {any} mediaKeys */
function isOfIndex({ statement, subject }, mediaKeys) {
  const isSet = (/** @type {any} */ path) =>
    path.subject.participant === subject.participant &&
    path.subject.report === subject.report &&
    path.steps.some((/** @type {any} */ { hop, is }) => hop === 'set' && is === 'proven');
  return statement.includes('no key that is there opens them') || mediaKeys.paths.some(isSet);
}

/** Where the newest key of somebody stopped, of those that a page lacks; null if nothing shows it. @param {any} answer @param {string} speaker */
export function stoppedAt({ mediaKeys }, speaker) {
  const isOf = (/** @type {any} */ { peer, participant }) =>
    peer?.userId === speaker || participant?.startsWith(`${speaker}:`);
  const path = mediaKeys.paths.find(
    (/** @type {any} */ { subject, stoppedAt }) => isOf(subject) && stoppedAt,
  );
  return path?.stoppedAt ?? null;
}

/** The table of a closing note, as Markdown. */
export class Told {
  /** @type {{name: string, is: Name, both: Name, listener: Name, speaker: Name}[]} */
  #rows = [];

  /** @param {string} name of the scenario @param {Name} is @param {{both: Name, listener: Name, speaker: Name}} told */
  add(name, is, told) {
    this.#rows.push({ name, is, ...told });
  }

  toString() {
    const rows = this.#rows.map(
      ({ name, is, both, listener, speaker }) => `| ${name} | ${is} | ${both} | ${listener} | ${speaker} |`,
    );
    const settled = this.#rows.filter(
      ({ is, listener, speaker }) => is !== 'unknown' && [listener, speaker].includes(is),
    );
    const share = Math.round((100 * settled.length) / this.#rows.length);
    return [
      '| scenario | what is the case | both reports | the listener’s alone | the speaker’s alone |',
      '|---|---|---|---|---|',
      ...rows,
      `${settled.length} of ${this.#rows.length} (${share} %) are settled by one report.`,
    ].join('\n');
  }
}
