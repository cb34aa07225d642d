// @ts-check
// One injected cause after another on one homeserver; of each, what the consoles and the reports say is what was injected.
// Most of them in Chromium on the SDK that the runbook names, the leading cause also in the other browser on the other SDK; with
// `npm run test:matrix` everything, in every combination where one is not enough.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { everything } from '../support/matrix.mjs';
import { COMBINATIONS, loadScenarios, runAndJudge, Table } from './matrix.mjs';
import { startRig } from './rig.mjs';
import { startServers } from './servers.mjs';

/** Git-ignored; the bundles of the last run stay for a person to look at. */
const out = path.join(path.dirname(fileURLToPath(import.meta.url)), '.run');

const scenarios = await loadScenarios();
const table = new Table();
/** The combination in which everything runs, and the one that shares neither browser nor SDK with it. */
const first = COMBINATIONS[0];
const opposite = COMBINATIONS.find(({ engine, sdk }) => engine !== first.engine && sdk !== first.sdk);
/** @type {import('./servers.mjs').Servers} */
let servers;

before(async () => {
  servers = await startServers();
});

after(async () => {
  await servers?.stop();
  console.log(table.toString());
});

for (const combination of COMBINATIONS) {
  const { engine, sdk, version, name } = combination;
  const chosen = scenarios.filter(({ everywhere, onDemand, once }) =>
    everything
      ? combination === first || !once
      : !onDemand && (combination === first || (everywhere && combination === opposite)),
  );
  if (chosen.length === 0) continue;

  describe(`${engine} with matrix-js-sdk ${version}`, () => {
    /** @type {import('./rig.mjs').Rig} */
    let rig;
    before(async () => {
      rig = await startRig({ engine, sdk, servers });
    });
    after(() => rig?.stop());

    for (const scenario of chosen) {
      const fill = table.row(scenario, combination);
      test(`${scenario.name}: ${scenario.cause}`, async () => {
        const { expected, missed, wrong } = await runAndJudge(rig, scenario, path.join(out, name));
        fill(expected, expected - missed.length, missed.length, wrong.length);
        assert.deepEqual({ missed, wrong }, { missed: [], wrong: [] });
      });
    }
  });
}
