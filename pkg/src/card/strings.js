// @ts-check
/**
 * Every sentence that the card says, in one object, so that an application can translate it.
 *
 * A value is a text with `{name}` placeholders, or an object of such texts by plural category (`Intl.PluralRules`:
 * zero, one, two, few, many, other), chosen by the placeholder `{count}`.
 *
 * @typedef {string | ({ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>)} Text
 */

/** The English texts, which are also the list of keys. */
const ENGLISH = {
  title: 'Crypto diagnostics',
  description:
    'Watches this page’s console for known end-to-end encryption failures. Nothing leaves this browser until you download a report.',

  // The badge, and what is said quietly beside it.
  noFailures: 'No failures',
  failures: { one: '{count} failure', other: '{count} failures' },
  transient: '{count} transient',
  delivered: { one: '{count} delivered key', other: '{count} delivered keys' },
  unrelated: { one: '{count} unrelated line', other: '{count} unrelated lines' },
  announcement: '{failures}. {families}',

  // What each family is; a family that is not named here is shown by its id alone.
  'KE-1': 'One-time key conflicts',
  'KE-2': 'Call media keys',
  'KE-3': 'Undecryptable events',
  'KE-4': 'Delayed events of calls',
  OLM: 'Olm sessions',
  familiesLabel: 'Failures by family',
  familyDetail: '{family}: {what}',
  familyNone: 'none',

  // The state of the capture.
  watching: 'Watching the main window.',
  watchingFrames: {
    one: 'Watching the main window and {count} call frame.',
    other: 'Watching the main window and {count} call frames.',
  },
  blindFrames: {
    one: 'Cannot watch {count} frame.',
    other: 'Cannot watch {count} frames.',
  },
  starting: 'Starting; matching lines wait until the core is ready.',
  stopped: 'Stopped; what was kept before is still here.',
  blind: 'Blind; no line is kept.',
  failed: 'The capture failed; what it had kept is still here.',
  notInstalled: 'Not capturing; install() has not run in this page.',

  // The buttons, and what they answer.
  actionsLabel: 'Report',
  download: 'Download report',
  downloading: 'Preparing the report …',
  downloaded: 'Saved as {name}.',
  downloadFailed: 'The report could not be saved: {reason}',
  preview: 'Preview',
  hidePreview: 'Hide preview',
  copyQueries: 'Copy server queries',
  queriesCopied: 'Server queries copied.',
  queriesFailed: 'The server queries could not be made: {reason}',
  queriesByHand:
    'The clipboard is closed to this page. The queries are selected below; copy them from there.',
  queriesLabel: 'Server queries',
  clear: 'Clear',
  clearConfirm: 'Really clear?',
  clearWarning: {
    one: '{count} line of evidence will be gone. Click again to clear.',
    other: '{count} lines of evidence will be gone. Click again to clear.',
  },
  clearWarningEarlier: 'What was kept of earlier pages of this tab goes, too.',
  cleared: 'Cleared.',
  nothingToClear: 'There is nothing to clear.',

  // A capture session.
  sessionTitle: 'Capture session',
  sessionIdle: 'For a call in trouble: start, mark what goes wrong while it happens, end, download.',
  sessionRunning: 'Running since {time}. Mark what goes wrong when it happens.',
  sessionStart: 'Start session',
  sessionEnd: 'End session',
  sessionSymptoms: 'What goes wrong now',
  sessionAudioCut: 'Audio cut',
  sessionVideoFroze: 'Video froze',
  sessionNoSound: 'No sound from …',
  sessionNoSoundLabel: 'no sound',
  sessionNoSoundFrom: 'no sound from {who}',
  sessionWords: 'From whom, or what else goes wrong',
  sessionWordsHint: 'Who, or what',
  sessionMark: 'Mark',
  sessionMarks: 'Marks',
  sessionStarted: 'Session started',
  sessionEnded: 'Session ended',
  sessionMarked: 'Marked',
  sessionStartedAnswer: 'The session has started. Leave this page open until you have the report.',
  sessionMarkedAnswer: 'Marked at {time}.',
  sessionEndedAnswer: 'The session has ended. Download the report now.',
  sessionAskOther: 'Ask for the other side',
  sessionAskText:
    'We had trouble with encryption in a call between {from} and {to} (UTC). My report tells half of it. Please open the settings of your client, Developer Tools, press “Download report” before you reload or close the page, and send me the file. If you can, start a capture session there before our next call.',
  sessionAskCopied: 'Copied: a message for the other side of the call.',
  sessionAskByHand:
    'The clipboard is closed to this page. The message is selected below; copy it from there.',
  sessionGuide: 'Step by step',
  sessionStep1:
    'Have the other side of the call start a session, too: one report tells half of what happened.',
  sessionStep2: 'Have whoever runs the homeserver keep its log: only the log shows what arrived there.',
  sessionStep3:
    'On a computer, open DevTools (F12), its Network tab, and tick “Preserve log”: the HAR that you can save there shows each request with its answer.',
  sessionStep4:
    'Join the call and wait for the trouble. Do not reload this page: what was kept would be lost.',
  sessionStep5: 'Mark what you hear and see while it happens: the marks say where to look in the logs.',
  sessionStep6: 'End the session and download the report. Save the HAR before you close anything.',

  // The preview.
  previewTitle: 'What the report holds',
  previewMade: 'As of {time}. A download is made anew and holds what has come since.',
  previewUpdate: 'Update',
  previewLoading: 'Making the report …',
  previewFailed: 'The report could not be made: {reason}',
  previewRedactions: {
    zero: 'Nothing had to be closed.',
    one: '{count} thing that could be a secret was closed.',
    other: '{count} things that could be secrets were closed.',
  },
  previewClasses: 'In what is shown here: {classes}.',
  previewEarlier: {
    one: 'It also holds {count} earlier page of this tab.',
    other: 'It also holds {count} earlier pages of this tab.',
  },
  // What a closed stretch looked like, by the words that stand in its mark.
  'closed.named': 'behind a secret’s name',
  'closed.content': 'message text',
  'closed.token': 'access tokens',
  'closed.jwt': 'JSON Web Tokens',
  'closed.base64': 'random letters and digits',
  'closed.hex': 'hexadecimal digits',
  'closed.digits': 'long numbers',
  'closed.uuid': 'UUIDs',
  'closed.bytes': 'lists of bytes',
  'closed.recovery-key': 'recovery keys',
  'closed.pem': 'armoured keys',
  previewFacts: 'About this session',
  // The report's fields, by the names that they have in the file; one that is not named here is shown by that name.
  'field.generatedAt': 'Made at',
  'field.tool': 'Made by',
  'field.sdkVersion': 'matrix-js-sdk',
  'field.cryptoVersion': 'Crypto library',
  'field.deviceId': 'Device id',
  'field.userId': 'User id',
  'field.syncState': 'Sync state',
  'field.cryptoReady': 'Crypto ready',
  'field.userAgent': 'Browser',
  'field.page': 'Page',
  'field.clock': 'Clock',
  'field.storage': 'Storage',
  'field.crypto': 'Crypto',
  'field.call': 'The call: statistics of its streams, its members',
  'field.requests': 'Requests to the homeserver: kind, time and status, no addresses',
  'field.unanswered': 'Questions that got no answer',
  'field.counts': 'Lines by family',
  'field.tallies': 'Counts, times and rates',
  'field.capture': 'The capture itself',
  'field.sent': 'Encrypted messages sent to devices',
  'field.marks': 'What you marked',
  'field.earlierPages': 'Earlier pages of this tab',
  previewUnknown: 'unknown',
  previewYes: 'yes',
  previewNo: 'no',
  previewEmptyList: 'none',
  previewDetails: 'Counts and capture',
  previewEntries: { zero: 'No entries', one: '{count} entry', other: '{count} entries' },
  previewRaw: 'The whole file, as it would be saved',

  // One entry.
  entriesLabel: 'Entries',
  noEntries: 'No matching line yet.',
  entryFailure: 'failure',
  entryTransient: 'transient',
  entryDelivered: 'delivered',
  entryUnrelated: 'unrelated',
  entrySignature: 'Matched',
  entryRealm: 'Written in',
  realmMain: 'main window',
  realmFrame: 'frame {path}',
  realmWorker: 'worker {path}',
  entrySource: 'Came from',
  sourceConsole: 'console.{level}',
  sourceUncaught: 'an uncaught error',
  entryStack: 'Stack',
  entryRedactions: { one: '{count} secret replaced', other: '{count} secrets replaced' },
  entryTruncated: 'shortened from {count} characters',
};

/** @typedef {keyof typeof ENGLISH} StringKey */
/** @typedef {Record<StringKey, Text>} Strings */

/** @type {Readonly<Strings>} */
export const DEFAULT_STRINGS = Object.freeze(ENGLISH);

/**
 * Fills one text in: chooses its plural form by `count` and replaces the placeholders. Numbers are written as the
 * language writes them. A placeholder without a value stays as it is, so that a translator sees it.
 */
export class Speech {
  /** @type {Strings} */ #strings;
  /** @type {Intl.PluralRules} */ #plurals;
  /** @type {Intl.NumberFormat} */ #numbers;
  /** @type {Intl.DateTimeFormat} */ #times;

  /**
   * @param {Partial<Strings>} strings what differs from English
   * @param {string | undefined} language a BCP 47 tag; an invalid one counts as English, like the texts themselves
   */
  constructor(strings, language) {
    this.#strings = { ...DEFAULT_STRINGS, ...strings };
    const locale = supported(language);
    this.#plurals = new Intl.PluralRules(locale);
    this.#numbers = new Intl.NumberFormat(locale);
    this.#times = new Intl.DateTimeFormat(locale, {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    });
  }

  /**
   * @param {StringKey} key
   * @param {Record<string, string | number>} [values]
   * @returns {string}
   */
  say(key, values = {}) {
    return fill(this.#choose(this.#strings[key], values.count), values, this.#numbers);
  }

  /**
   * The text of a key that may not exist, such as a family that a later version adds.
   *
   * @param {string} key
   * @returns {string | null}
   */
  sayIfKnown(key) {
    return Object.hasOwn(this.#strings, key) ? this.say(/** @type {StringKey} */ (key)) : null;
  }

  /**
   * @param {number} count
   * @returns {string}
   */
  number(count) {
    return this.#numbers.format(count);
  }

  /**
   * @param {number} ts milliseconds since the epoch
   * @returns {string} the local time of day, to the second; empty if the time is not one
   */
  time(ts) {
    const date = new Date(ts);
    return Number.isNaN(date.getTime()) ? '' : this.#times.format(date);
  }

  /**
   * @param {Text} text
   * @param {string | number | undefined} count
   * @returns {string}
   */
  #choose(text, count) {
    if (typeof text === 'string') return text;
    if (typeof count !== 'number') return text.other;
    if (count === 0 && text.zero !== undefined) return text.zero;
    return text[this.#plurals.select(count)] ?? text.other;
  }
}

/**
 * @param {string | undefined} language
 * @returns {string}
 */
function supported(language) {
  try {
    return Intl.getCanonicalLocales(language || 'en')[0] ?? 'en';
  } catch {
    return 'en';
  }
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} values
 * @param {Intl.NumberFormat} numbers
 * @returns {string}
 */
function fill(text, values, numbers) {
  return text.replace(/\{(\w+)\}/g, (placeholder, name) => {
    const value = Object.hasOwn(values, name) ? values[name] : placeholder;
    return typeof value === 'number' ? numbers.format(value) : value;
  });
}
