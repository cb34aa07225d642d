// @ts-check
// What was measured, kept in docs/bench/results.json: a part that is measured alone leaves the others as they were.

import fs from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/lib/project.mjs';
import { browserVersion, engines } from '../lib/browsers.mjs';
import { machine, ourVersion, versionOf } from '../lib/versions.mjs';
import { CONTENDERS } from '../peers/index.mjs';
import { chart } from './chart.mjs';
import { readme } from './markdown.mjs';
import { summarised } from './summary.mjs';

const FOLDER = path.join(root, 'docs/bench');
const README = path.join(root, 'README.md');
const RESULTS = path.join(FOLDER, 'results.json');

/** An empty record of this machine. @returns {import('./markdown.mjs').Record_} */
export function record() {
  const modules = [...new Set(CONTENDERS.map(({ module }) => module))].filter((module) => module !== null);
  return {
    machine: machine(),
    versions: {
      'crypto-diag': ourVersion(),
      ...Object.fromEntries(engines.map((engine) => [engine, browserVersion(engine)])),
      ...Object.fromEntries(modules.map((module) => [module, versionOf(module)])),
    },
    parts: {},
  };
}

/** Adds a record to those of docs/bench, and draws tables and chart anew, those of the project's README too. @param {import('./markdown.mjs').Record_} measured */
export function write(measured) {
  fs.mkdirSync(FOLDER, { recursive: true });
  const before = fs.existsSync(RESULTS) ? JSON.parse(fs.readFileSync(RESULTS, 'utf8')) : { parts: {} };
  const all = { ...measured, parts: { ...before.parts, ...measured.parts } };
  fs.writeFileSync(RESULTS, `${JSON.stringify(all, null, 1)}\n`);
  fs.writeFileSync(path.join(FOLDER, 'README.md'), readme(all));
  const { calls, size } = all.parts;
  if (!calls || !size) return;
  fs.writeFileSync(README, summarised(fs.readFileSync(README, 'utf8'), all));
  const { chromium, firefox } = all.versions;
  const caption = `The original does nothing; median of ${calls.rounds} rounds, ${calls.at.slice(0, 10)}. Chromium ${chromium}, Firefox ${firefox}. Logarithmic.`;
  fs.writeFileSync(path.join(FOLDER, 'cost.svg'), chart(calls.data, caption));
}
