// @ts-check
// `npm run bench`: what crypto-diag costs, beside what people would use instead. Prints tables, and writes them with a chart to
// docs/bench/. Only ratios within one run mean anything.

import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../scripts/build.mjs';
import { ensureNpm } from '../scripts/lib/packages.mjs';
import { Explained, main, root, say, step } from '../scripts/lib/project.mjs';
import { setUpTests } from '../scripts/setup.mjs';
import { PARTS } from './parts/index.mjs';
import { record, write } from './report/record.mjs';
import { toText } from './report/text.mjs';

const HELP = `npm run bench -- [options]
  --only NAME,…   only these parts: ${PARTS.map(({ name }) => name).join(', ')}
  --rounds N      rounds of each measurement (default 3)
  --json          the figures as JSON on standard output, instead of tables
  --no-build      measure what is built already
  --no-write      leave docs/bench as it is`;

function options() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      build: { type: 'boolean', default: true },
      write: { type: 'boolean', default: true },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowNegative: true,
  });
  const names = values.only?.split(',') ?? PARTS.map(({ name }) => name);
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
  const rounds = Number(values.rounds);
  if (unknown.length > 0) throw new Explained(`Unknown part: ${unknown.join(', ')}.\n${HELP}`);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Explained(`--rounds takes a number from 1.\n${HELP}`);
  return { ...values, names, rounds };
}

main(async () => {
  const { names, rounds, ...asked } = options();
  if (asked.help) {
    say(HELP);
    return;
  }
  if (asked.build) {
    await setUpTests();
    await step('build', build);
  }
  await step('peers', () => ensureNpm(path.join(root, 'bench')));
  const parts = PARTS.filter(({ name }) => names.includes(name));
  const host = parts.some(({ pages }) => pages) ? await openPages() : null;
  const failures = [];
  const measured = record();
  try {
    for (const part of parts) {
      try {
        const context = { host: /** @type {any} */ (host), rounds, say };
        const data = await step(part.title, () => part.measure(context));
        measured.parts[part.name] = { at: new Date().toISOString(), rounds, data };
        if (!asked.json) for (const table of part.tables(data)) process.stdout.write(`${toText(table)}\n`);
      } catch (error) {
        if (!(error instanceof Explained)) throw error;
        // The other parts can still be had; in the end the command fails.
        failures.push(`${part.name}: ${error.message}`);
        say(`  ${error.message}`);
      }
    }
  } finally {
    await host?.close();
  }
  if (asked.json) process.stdout.write(`${JSON.stringify(measured, null, 2)}\n`);
  if (asked.write) write(measured);
  if (failures.length > 0) throw new Explained(`Not measured:\n  ${failures.join('\n  ')}`);
});

async function openPages() {
  const { openHost } = await import('./lib/browsers.mjs');
  const { pages } = await import('./lib/pages.mjs');
  return openHost(await pages());
}
