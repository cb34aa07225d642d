// @ts-check
// docs/bench/README.md: what was measured, when, with what.

import { PARTS } from '../parts/index.mjs';

/** @typedef {{at: string, rounds: number, data: any}} Measured One part, and when. */
/** @typedef {{machine: any, versions: Record<string, string>, parts: Record<string, Measured>}} Record_ */

const cell = (/** @type {string} */ text) => text.replaceAll('|', '\\|');
const row = (/** @type {string[]} */ cells) => `| ${cells.map(cell).join(' | ')} |`;

/** @param {string[]} columns @param {string[][]} rows */
export function toTable(columns, rows) {
  const rule = columns.map((_, at) => (at === 0 ? ':--' : '--:'));
  return [row(columns), row(rule), ...rows.map(row)].join('\n');
}

/** @param {import('../parts/index.mjs').Table} table */
const toMarkdown = ({ title, note, columns, rows }) =>
  [`### ${title}`, '', ...(note ? [note, ''] : []), toTable(columns, rows)].join('\n');

/** @param {Record_} record */
export function readme({ machine, versions, parts }) {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const sections = PARTS.filter(({ name }) => name in parts).map(({ name, title, tables }) => {
    const { at, rounds, data } = parts[name];
    const when = `Measured ${at.slice(0, 10)}, \`npm run bench -- --only ${name} --rounds ${rounds}\`.`;
    return [`## ${title}`, '', when, '', ...tables(data).flatMap((table) => [toMarkdown(table), ''])].join(
      '\n',
    );
  });
  return [
    '<!-- Written by `npm run bench`; what people have to say about it stands in notes.md and size.md. -->',
    '',
    '# Measurements',
    '',
    `Made by \`npm run bench\` on ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}. Only ratios ` +
      'within one run mean anything: each run has a browser with a fresh profile and no debugger, rounds are interleaved.',
    '',
    'What the figures say, which goals they miss and why: [notes.md](notes.md). Where the bytes go: [size.md](size.md).',
    '',
    '![Cost per call of crypto-diag and its peers](cost.svg)',
    '',
    `Versions: ${list.join(', ')}.`,
    '',
    ...sections,
  ].join('\n');
}
