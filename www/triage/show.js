// @ts-check
// The answer on the page: the verdict first, then the evidence, the keys, the options, the picture. Its words come from Rust.

import { button, html, table } from './dom.js';
import { picture } from './picture.js';
import { copyButton, saveButton } from './save.js';

/** What an exit code means, and how it looks. */
const OUTCOMES = /** @type {const} */ ([
  { word: 'Nothing wrong', look: 'refuted' },
  { word: 'Proven', look: 'proven' },
  { word: 'Unknown', look: 'unknown' },
  { word: 'Unusable', look: 'proven' },
]);

const badge = (/** @type {string} */ word, look = word) => html('span', { class: `badge ${look}` }, word);

/**
 * @param {import('./run.js').Answer} answer
 * @param {(text: string) => void} announce says something to who cannot see it
 * @returns {HTMLElement[]} what to show, the heading first
 */
export function show(answer, announce) {
  const view = JSON.parse(answer.view);
  return [
    headline(view, answer),
    causes(view),
    next(view, announce),
    ...view.questions.map((/** @type {any} */ asked, /** @type {number} */ number) =>
      question(asked, number, announce),
    ),
    ...view.keys.map(keyTable),
    options(view),
    course(view),
    picture(view.timeline),
    versions(view),
  ].filter((part) => part !== null);
}

/** @param {any} view @param {import('./run.js').Answer} answer */
function headline(view, answer) {
  const { word, look } = OUTCOMES[view.exitCode];
  const verdicts = view.questions.flatMap((/** @type {any} */ { verdicts }, /** @type {number} */ number) =>
    verdicts.map((/** @type {any} */ verdict, /** @type {number} */ at) => ({
      ...verdict,
      id: idOf(number, at),
    })),
  );
  const count = (/** @type {string} */ word) =>
    verdicts.filter((/** @type {any} */ { answer }) => answer === word).length;
  const lines = verdicts
    .filter((/** @type {any} */ verdict) => verdict.answer !== 'refuted')
    .map((/** @type {any} */ verdict) =>
      html(
        'li',
        {},
        badge(verdict.answer),
        html(
          'div',
          {},
          html('a', { href: `#${verdict.id}` }, verdict.title),
          html('p', {}, verdict.statement),
        ),
      ),
    );
  return html(
    'section',
    { class: `panel headline ${look}`, 'aria-labelledby': 'verdict' },
    html('p', { class: 'outcome' }, word),
    html('h2', { id: 'verdict', tabindex: -1 }, ...unbroken(view.story.sentence)),
    html(
      'p',
      { class: 'quiet' },
      `${count('proven')} proven, ${count('unknown')} unknown, ${count('refuted')} refuted`,
    ),
    lines.length > 0 && html('ul', { class: 'overview', role: 'list' }, ...lines),
    html(
      'div',
      { class: 'actions', role: 'group', 'aria-label': 'Save the answer' },
      saveButton('Save as HTML', 'triage.html', 'text/html', answer.html),
      saveButton('Save as Markdown', 'triage.md', 'text/markdown', answer.markdown),
      saveButton('Save as JSON', 'triage.json', 'application/json', answer.json),
      saveButton('Save as SARIF', 'triage.sarif', 'application/sarif+json', answer.sarif),
      saveButton('Save the timeline', 'timeline.svg', 'image/svg+xml', answer.svg),
      button('Print', {}, () => print()),
    ),
  );
}

/** Cause and effect, as nested lists, so that they read the same aloud. @param {any} view */
function causes(view) {
  if (view.tree.length === 0) return null;
  const top = html('ul', { class: 'causes', role: 'list' });
  /** @type {Element[]} The open list at each depth. */
  const lists = [top];
  for (const { depth, text, place } of view.tree) {
    while (lists.length <= depth) {
      const list = html('ul', { role: 'list' });
      const parent = lists[lists.length - 1];
      (parent.lastElementChild ?? parent).append(list);
      lists.push(list);
    }
    lists.length = depth + 1;
    lists[depth].append(
      html(
        'li',
        {},
        html('bdi', {}, ...unbroken(text)),
        place && html('span', { class: 'place' }, html('bdi', {}, place)),
      ),
    );
  }
  return html(
    'section',
    { class: 'panel', 'aria-labelledby': 'causes-title' },
    html('h2', { id: 'causes-title' }, 'Cause and effect'),
    top,
    html('p', { class: 'quiet' }, 'Affected: ', html('bdi', {}, view.story.affected.join(', '))),
  );
}

/** The one thing to fetch next. @param {any} view @param {(text: string) => void} announce */
function next(view, announce) {
  const wanted = view.story.next;
  if (!wanted) return null;
  const count = wanted.settles.length;
  return html(
    'section',
    { class: 'panel', 'aria-labelledby': 'next-title' },
    html('h2', { id: 'next-title' }, 'What to fetch next'),
    html(
      'p',
      { class: 'quiet' },
      `It can settle most of what is unknown: ${count} ${count === 1 ? 'verdict asks' : 'verdicts ask'} for it.`,
    ),
    toFetch(wanted, view.nextKind, announce),
  );
}

/** A sentence whose KE-1 and so on do not break at their hyphen. @param {string} text */
const unbroken = (text) =>
  text.split(/(KE-\d)/).map((part, at) => (at % 2 ? html('span', { class: 'name-of-family' }, part) : part));

const idOf = (/** @type {number} */ question, /** @type {number} */ verdict) =>
  `verdict-${question + 1}-${verdict + 1}`;

/** @param {any} asked @param {number} number @param {(text: string) => void} announce */
function question(asked, number, announce) {
  const cards = asked.verdicts.map((/** @type {any} */ said, /** @type {number} */ at) =>
    verdictCard(said, idOf(number, at), announce),
  );
  const isRefuted = (/** @type {number} */ at) => asked.verdicts[at].answer === 'refuted';
  const open = cards.filter((/** @type {any} */ _, /** @type {number} */ at) => !isRefuted(at));
  const refuted = cards.filter((/** @type {any} */ _, /** @type {number} */ at) => isRefuted(at));
  const id = `question-${number + 1}`;
  const looked = asked.lookedAt.map((/** @type {string} */ text) =>
    html(
      'p',
      { class: asked.covered ? 'quiet' : 'quiet uncovered' },
      html('b', {}, asked.covered ? 'Looked at: ' : 'Not fully covered: '),
      html('bdi', {}, text),
    ),
  );
  return html(
    'section',
    { class: 'panel', 'aria-labelledby': id },
    html('h2', { id }, asked.text),
    asked.standsAlone && html('p', { class: 'quiet' }, asked.standsAlone),
    ...looked,
    ...open,
    refuted.length > 0 &&
      html('details', { class: 'fold' }, html('summary', {}, `${refuted.length} refuted`), ...refuted),
  );
}

/** @param {any} said @param {string} id @param {(text: string) => void} announce */
function verdictCard(said, id, announce) {
  const evidence = said.evidence.map((/** @type {any} */ piece, /** @type {number} */ at) =>
    html(
      'figure',
      {},
      html(
        'figcaption',
        {},
        html('span', { class: 'place' }, html('bdi', {}, said.places[at])),
        html('span', {}, piece.says),
      ),
      html('blockquote', {}, html('bdi', {}, piece.quote)),
    ),
  );
  const notes = [
    ...said.ruledOut.map((/** @type {string} */ text) => ['Ruled out', text]),
    ...said.otherwise.map((/** @type {string} */ text) => ['Or else', text]),
    ...said.how.map((/** @type {string} */ text) => ['Still open', text]),
    ...said.wouldRefute.map((/** @type {string} */ text) => [
      said.answer === 'proven' ? 'Would refute it' : 'Would change it',
      text,
    ]),
  ];
  return html(
    'article',
    { class: `verdict ${said.answer}`, id, 'aria-labelledby': `${id}-title` },
    html('div', { class: 'verdict-head' }, badge(said.answer), html('h3', { id: `${id}-title` }, said.title)),
    html('p', { class: 'statement' }, html('bdi', {}, said.statement)),
    ...(said.fetch ?? []).map((/** @type {any} */ fetch, /** @type {number} */ at) =>
      toFetch(fetch, said.wanted[at], announce),
    ),
    evidence.length > 0 && html('div', { class: 'evidence' }, ...evidence),
    notes.length > 0 && terms(notes),
  );
}

/** @param {string[][]} pairs */
const terms = (pairs) =>
  html(
    'dl',
    {},
    ...pairs.map(([name, text]) =>
      html('div', {}, html('dt', {}, name), html('dd', {}, html('bdi', {}, text))),
    ),
  );

/** @param {any} fetch @param {string} kind @param {(text: string) => void} announce */
function toFetch(fetch, kind, announce) {
  const command = html('pre', { tabindex: 0, role: 'group', 'aria-label': 'What to run or do' }, fetch.how);
  return html(
    'div',
    { class: 'fetch' },
    html('p', {}, html('b', {}, `To find out, get the ${kind}: `), fetch.what),
    html('div', { class: 'command' }, command, copyButton(command, fetch.what, announce)),
  );
}

/** How far keys came, hop by hop; one that stopped stands open. @param {any} keys @param {number} number */
function keyTable({ title, paths, leftOut }, number) {
  const id = `keys-${number + 1}`;
  const path = (/** @type {any} */ { about, standing, stopped, hops }) =>
    html(
      'details',
      { class: 'fold key', open: stopped },
      html('summary', {}, html('bdi', {}, about), `: ${standing}`),
      table(
        about,
        ['Hop', 'Is', 'Why'],
        hops.map((/** @type {any} */ { hop, is, why }) => [hop, badge(is), html('bdi', {}, why)]),
      ),
    );
  return html(
    'section',
    { class: 'panel', 'aria-labelledby': id },
    html('h2', { id }, title),
    ...paths.map(path),
    leftOut && html('p', { class: 'quiet' }, leftOut),
  );
}

/** Storms that heal or loop, and the server's latency. @param {any} view */
function course(view) {
  if (view.course.length === 0) return null;
  return html(
    'section',
    { class: 'panel', 'aria-labelledby': 'course-title' },
    html('h2', { id: 'course-title' }, 'How it went on'),
    ...view.course.map((/** @type {string} */ sentence) =>
      html('p', {}, html('bdi', {}, ...unbroken(sentence))),
    ),
  );
}

/** The software that took part. @param {any} view */
function versions(view) {
  if (view.versions.length === 0) return null;
  return html(
    'section',
    { class: 'panel', 'aria-labelledby': 'versions-title' },
    html('h2', { id: 'versions-title' }, 'Versions'),
    ...view.versions.map((/** @type {any} */ { of, part, version }) =>
      html('p', { class: 'quiet' }, html('bdi', {}, of), `: ${part} `, html('bdi', {}, version)),
    ),
  );
}

/** @param {any} view */
function options(view) {
  if (view.remedies.length === 0) return null;
  return html(
    'section',
    { class: 'panel', 'aria-labelledby': 'options-title' },
    html('h2', { id: 'options-title' }, 'Options'),
    html('p', { class: 'note' }, view.note),
    ...view.remedies.map((/** @type {any} */ remedy) =>
      html(
        'article',
        { class: 'option' },
        html('h3', {}, `${remedy.rank}. ${remedy.title}`),
        html('p', {}, remedy.what),
        terms([
          ['Touches', remedy.blastRadius],
          ['Costs', remedy.cost],
          ...remedy.warnings.map((/** @type {string} */ text) => ['Careful', text]),
          ...remedy.facts.map((/** @type {string} */ text) => ['Known', text]),
          ...remedy.because.map((/** @type {string} */ text) => ['Because', text]),
        ]),
      ),
    ),
  );
}
