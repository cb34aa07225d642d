// @ts-check
// The timeline: a row for each lane, drawn on one scale of time.

import { html, svg, table } from './dom.js';

/** Width and height of a lane's drawing, in its own units; it is stretched to the room there is. */
const WIDTH = 1200;
const HEIGHT = 24;

/** Marks on the scale of time. */
const TICKS = 5;

/** `20:46:01`. @param {number} at milliseconds since the epoch */
const clock = (at) => new Date(at).toISOString().slice(11, 19);

/**
 * @param {any} timeline the view's `timeline`
 * @returns {HTMLElement | null} null where there is nothing to draw
 */
export function picture(timeline) {
  if (timeline.lanes.length === 0) return null;
  const span = Math.max(1, timeline.to - timeline.from);
  const x = (/** @type {number} */ at) => ((at - timeline.from) / span) * WIDTH;
  const ticks = Array.from({ length: TICKS }, (_, at) => timeline.from + (span * at) / (TICKS - 1));
  const scale = html('div', { class: 'scale', 'aria-hidden': 'true' });
  scale.append(...ticks.map((at) => html('span', {}, isTime(at) ? clock(at) : '')));
  const lanes = timeline.lanes.map((/** @type {any} */ lane) => row(lane, x));
  const listed = timeline.lanes.flatMap((/** @type {any} */ lane) =>
    lane.marks.map((/** @type {any} */ { at, text }, /** @type {number} */ index) => ({
      at,
      cells: [lane.times[index], lane.name, text],
    })),
  );
  listed.sort((/** @type {any} */ a, /** @type {any} */ b) => a.at - b.at);
  return html(
    'section',
    { class: 'panel', 'aria-labelledby': 'timeline-title' },
    html('h2', { id: 'timeline-title' }, 'Timeline'),
    html('p', { class: 'quiet' }, `${timeline.edges[0]} to ${timeline.edges[1]}, by the server’s clock`),
    html('div', { class: 'lanes' }, scale, ...lanes),
    html(
      'p',
      { class: 'quiet' },
      'The darker a column, the more events lie in it; a lane’s number is their count.',
    ),
    ...timeline.notes.map((/** @type {string} */ note) => html('p', { class: 'note' }, note)),
    listed.length > 0 && marksTable(listed),
  );
}

/** @param {number} at */
const isTime = (at) => Math.abs(at) <= 8.64e15;

/** @param {any} lane @param {(at: number) => number} x */
function row(lane, x) {
  const width = WIDTH / lane.density.length;
  const most = Math.max(1, ...lane.density);
  const drawing = svg('svg', {
    role: 'img',
    'aria-label': `${lane.name}: ${lane.total}`,
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
  });
  for (const { from, to, text } of lane.spans) {
    const stretch = { x: x(from), y: 2, width: Math.max(2, x(to) - x(from)), height: HEIGHT - 4 };
    drawing.append(svg('rect', { ...stretch, class: 'span' }, svg('title', {}, text)));
  }
  lane.density.forEach((/** @type {number} */ count, /** @type {number} */ column) => {
    if (count === 0) return;
    // At least this opaque, so that a single event can be seen beside a storm.
    const column_ = { x: column * width, y: 2, width: Math.max(width, 3), height: HEIGHT - 4 };
    const opacity = (0.4 + (0.6 * count) / most).toFixed(2);
    drawing.append(svg('rect', { ...column_, 'fill-opacity': opacity }, svg('title', {}, String(count))));
  });
  lane.marks.forEach((/** @type {any} */ { at, text }, /** @type {number} */ index) => {
    const line = { x1: x(at), x2: x(at), y1: 0, y2: HEIGHT, 'vector-effect': 'non-scaling-stroke' };
    drawing.append(svg('line', line, svg('title', {}, `${lane.times[index]} ${text}`)));
  });
  return html(
    'div',
    { class: lane.trouble ? 'lane trouble' : 'lane' },
    html('div', { class: 'lane-name' }, html('bdi', {}, lane.name), ' ', html('b', {}, String(lane.total))),
    drawing,
  );
}

/** @param {{ cells: string[] }[]} marks */
function marksTable(marks) {
  const rows = marks.map(({ cells }) => cells.map((text) => html('bdi', {}, text)));
  return html(
    'details',
    { class: 'fold' },
    html('summary', {}, `${marks.length} ${marks.length === 1 ? 'mark' : 'marks'} in words`),
    table('The marks in words', ['Time', 'Lane', 'What'], rows),
  );
}
