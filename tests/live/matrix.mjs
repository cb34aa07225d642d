// @ts-check
/** Which scenario runs in which browser on which SDK, and the table of what came out. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_SDK, sdkVersion } from './app-server.mjs';
import { schemaErrors } from '../support/report-schema.mjs';
import { judgeQueries } from './asking.mjs';
import { judge, judgeAnalysis, judgeTriage, recordBundle } from './bundle.mjs';

/** @typedef {import('./bundle.mjs').Scenario} Scenario */

/**
 * @typedef {object} Combination
 * @property {'chromium' | 'firefox'} engine
 * @property {string} sdk the package's name in tests/node_modules
 * @property {string} version of that SDK
 * @property {string} name for people and for folders
 */

const here = path.dirname(fileURLToPath(import.meta.url));

/** The first is the one that runs everything whenever the tests run. @type {Combination[]} */
export const COMBINATIONS = [DEFAULT_SDK, 'matrix-js-sdk-43'].flatMap((sdk) =>
  /** @type {const} */ (['chromium', 'firefox']).map((engine) => {
    const version = sdkVersion(sdk);
    return { engine, sdk, version, name: `${engine}-${version}` };
  }),
);

/** @returns {Promise<Scenario[]>} by name */
export async function loadScenarios() {
  const folder = path.join(here, 'scenarios');
  const files = readdirSync(folder).filter((file) => file.endsWith('.mjs'));
  return Promise.all(files.sort().map((file) => import(path.join(folder, file))));
}

/** What came out, row by row; a row that was never filled shows that its scenario did not get to its end. */
export class Table {
  /** @type {string[][]} */
  #rows = [['scenario', 'browser', 'matrix-js-sdk', 'expected', 'found', 'missed', 'false']];

  /**
   * @param {Scenario} scenario
   * @param {Combination} combination
   * @returns {(...cells: (string | number)[]) => void} fills the row in
   */
  row(scenario, { engine, version }) {
    const row = [scenario.name, engine, version, '-', '-', '-', '-'];
    this.#rows.push(row);
    return (...cells) => void row.splice(3, 4, ...cells.map(String));
  }

  toString() {
    const widths = this.#rows[0].map((_, i) => Math.max(...this.#rows.map((row) => (row[i] ?? '').length)));
    return this.#rows
      .map((row) =>
        row
          .map((cell, i) => cell.padEnd(widths[i]))
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }
}

/**
 * Runs a scenario and judges it; the profiles are closed whatever happens.
 *
 * @param {import('./rig.mjs').Rig} rig
 * @param {Scenario} scenario
 * @param {string} parent the folder that gets the bundle's folder
 * @param {Scenario['recording']} [recording] for a bundle that is kept, and for one that is judged with the server's side
 */
export async function runAndJudge(
  rig,
  scenario,
  parent,
  recording = scenario.proofs?.withServer && scenario.recording,
) {
  try {
    const bundle = await recordBundle(rig, scenario, parent, recording);
    scenario.check(bundle);
    const [lines, proofs, triage] = [judge(bundle), await judgeAnalysis(bundle), judgeTriage(bundle)];
    const found = await judgeQueries(bundle, rig.servers);
    const misshapen = Object.entries(bundle.sides).flatMap(([role, { report }]) =>
      schemaErrors(report).map((error) => `${role}.report.json: ${error}`),
    );
    return {
      expected: lines.expected + proofs.expected + triage.expected + found.expected,
      missed: [...lines.missed, ...proofs.missed, ...triage.missed, ...found.missed],
      wrong: [...lines.wrong, ...proofs.wrong, ...triage.wrong, ...misshapen],
    };
  } finally {
    // Clients that go on syncing would slow down the next scenario and write into its slice of the log.
    await rig.leave();
  }
}
