// @ts-check
/**
 * `npm run record [scenario …]`: runs the scenarios and keeps their reduced bundles in tests/fixtures/bundles, for the tests of
 * the triage. A scenario whose analysis is not what was injected is not kept.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMBINATIONS, loadScenarios, runAndJudge } from './matrix.mjs';
import { reduceBundle } from './reduce.mjs';
import { startRig } from './rig.mjs';
import { startServers } from './servers.mjs';

const kept = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../fixtures/bundles');

const asked = process.argv.slice(2);
const scenarios = await loadScenarios();
const unknown = asked.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length) {
  console.error(
    `Unknown: ${unknown.join(', ')}. There are: ${scenarios.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}

const servers = await startServers();
const scratch = await mkdtemp(path.join(tmpdir(), 'crypto-diag-record-'));
try {
  for (const combination of COMBINATIONS) {
    const first = combination === COMBINATIONS[0];
    const chosen = scenarios.filter(
      ({ name, everywhere }) => (first || everywhere) && (asked.length === 0 || asked.includes(name)),
    );
    if (chosen.length === 0) continue;
    const rig = await startRig({ ...combination, servers });
    try {
      for (const scenario of chosen) {
        const { missed, wrong } = await runAndJudge(rig, scenario, scratch, scenario.recording);
        if (missed.length + wrong.length > 0)
          throw new Error(
            `${scenario.name} in ${combination.name}: ${JSON.stringify({ missed, wrong }, null, 2)}`,
          );
        const name = first ? scenario.name : `${scenario.name}.${combination.name}`;
        const bytes = await reduceBundle(path.join(scratch, scenario.name), path.join(kept, name));
        console.log(`${name}: ${bytes} bytes`);
      }
    } finally {
      await rig.stop();
    }
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
  await servers.stop();
}
