// @ts-check
// Tables for a terminal.

/** @param {import('../parts/index.mjs').Table} table */
export function toText({ title, note, columns, rows }) {
  const all = [columns, ...rows];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  const line = (/** @type {string[]} */ row) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join('  ');
  return [
    `\n${title}`,
    ...(note ? [note.replaceAll(/(.{1,110})(\s|$)/g, '  $1\n').trimEnd()] : []),
    line(columns),
    widths.map((width) => '─'.repeat(width)).join('  '),
    ...rows.map(line),
  ].join('\n');
}
