// @ts-check
// The lines that are logged. Several of each kind, so that no engine learns one text by heart.

const VARIANTS = 32;
const WORDS = 'lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy eirmod tempor '.split(
  ' ',
);

/** A text of that many characters, other ones for each number. */
function text(/** @type {number} */ number, /** @type {string} */ start, /** @type {number} */ length) {
  let line = `[${number}] ${start}`;
  for (let at = number; line.length < length; at += 7) line += ` ${WORDS[at % WORDS.length]}`;
  return line.slice(0, length);
}

const many = (/** @type {(number: number) => unknown[]} */ make) =>
  Array.from({ length: VARIANTS }, (_, number) => make(number));

const MATCH = 'MatrixRTC: missing key at index 3 for participant @user:server.example:DEVICEID';

/** @type {Record<string, {title: string, calls: unknown[][], matches: boolean}>} */
export const LINES = {
  none: {
    title: '200 characters, no match',
    matches: false,
    calls: many((number) => [text(number, 'a line about something else', 200)]),
  },
  match: {
    title: '200 characters, match',
    matches: true,
    calls: many((number) => [text(number, MATCH, 200)]),
  },
  error: {
    title: 'three arguments, an Error last, no match',
    matches: false,
    calls: many((number) => [
      '[FetchHttpApi]',
      `request ${number} to /sync has`,
      new Error('of another kind'),
    ]),
  },
  long: {
    title: '2 KB, no match',
    matches: false,
    calls: many((number) => [text(number, 'a line about something else', 2048)]),
  },
};
