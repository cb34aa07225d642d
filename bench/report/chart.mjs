// @ts-check
// docs/bench/cost.svg: what a call costs, as bars. No script; dark where the reader's system is.

import { digits } from '../lib/words.mjs';
import { CONTENDERS } from '../peers/index.mjs';

const WIDTH = 860;
const LEFT = 200;
const RIGHT = 96;
const TOP = 84;
const ROW = 34;
const BAR = 11;

const COLOURS = { chromium: 'a', firefox: 'b' };
const escape = (/** @type {string} */ text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** Nanoseconds as people say them. @param {number} ns */
const duration = (ns) => (ns < 1000 ? `${digits(Math.round(ns))} ns` : `${digits(ns / 1000)} µs`);

/**
 * @param {Record<string, Record<string, any>>} calls The data of the part `calls`.
 * @param {string} caption
 */
export function chart(calls, caption) {
  const engines = Object.keys(COLOURS).filter((engine) => engine in calls);
  const cost = (/** @type {string} */ engine, /** @type {string} */ id) =>
    calls[engine][id].costs.none.ns.median;
  const ids = CONTENDERS.map(({ id }) => id).sort((a, b) => cost(engines[0], a) - cost(engines[0], b));
  const values = engines.flatMap((engine) => ids.map((id) => cost(engine, id)));
  // A logarithmic axis: the dearest costs some hundred times what the cheapest does.
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.ceil(Math.log10(Math.max(...values)));
  const x = (/** @type {number} */ ns) =>
    LEFT + ((Math.log10(ns) - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const height = TOP + ids.length * ROW + 34;
  const parts = [];
  for (let power = first; power <= last; power++) {
    const at = x(10 ** power).toFixed(1);
    parts.push(
      `<line class="grid" x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${height - 30}"/>`,
      `<text class="axis" x="${at}" y="${height - 14}" text-anchor="middle">${duration(10 ** power)}</text>`,
    );
  }
  ids.forEach((id, row) => {
    const { title } = /** @type {{title: string}} */ (CONTENDERS.find((one) => one.id === id));
    const y = TOP + row * ROW;
    const own = id === 'crypto-diag' ? ' own' : '';
    parts.push(
      `<text class="name${own}" x="${LEFT - 10}" y="${y + 15}" text-anchor="end">${escape(title)}</text>`,
    );
    engines.forEach((engine, at) => {
      const ns = cost(engine, id);
      const top = y + at * (BAR + 1);
      parts.push(
        `<rect class="${COLOURS[/** @type {'chromium'} */ (engine)]}" x="${LEFT}" y="${top}" width="${(x(ns) - LEFT).toFixed(1)}" height="${BAR}" rx="2"/>`,
        `<text class="value" x="${(x(ns) + 5).toFixed(1)}" y="${top + 9.5}">${duration(ns)}</text>`,
      );
    });
  });
  const legend = engines.map(
    (engine, at) =>
      `<rect class="${COLOURS[/** @type {'chromium'} */ (engine)]}" x="${LEFT + at * 110}" y="52" width="12" height="12" rx="2"/>` +
      `<text class="axis" x="${LEFT + 17 + at * 110}" y="62">${engine}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title desc">
<title id="title">What a console call costs</title>
<desc id="desc">${escape(ids.map((id) => `${id}: ${engines.map((engine) => `${duration(cost(engine, id))} in ${engine}`).join(', ')}`).join('; '))}.</desc>
<style>
  svg { font-family: system-ui, sans-serif; background: #fff; }
  .head { font-size: 17px; font-weight: 600; fill: #1b1f24; }
  .name, .value, .axis { font-size: 12px; fill: #424a53; }
  .value, .axis { font-size: 11px; }
  .own { font-weight: 700; fill: #1b1f24; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .a { fill: #2f6fb3; }
  .b { fill: #c4622d; }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; }
    .head, .own { fill: #f0f6fc; }
    .name, .value, .axis { fill: #b7bfc8; }
    .grid { stroke: #30363d; }
    .a { fill: #5b9be0; }
    .b { fill: #e08a56; }
  }
</style>
<text class="head" x="16" y="26">A console call of 200 characters that matches nothing</text>
<text class="axis" x="16" y="44">${escape(caption)}</text>
${[...legend, ...parts].join('\n')}
</svg>
`;
}
