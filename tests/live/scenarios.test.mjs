// @ts-check
// One injected cause after another on one homeserver; of each, what the consoles and the reports say is what was injected.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { judge, judgeAnalysis, recordBundle } from './bundle.mjs';
import { startRig } from './rig.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const modules = readdirSync(path.join(here, 'scenarios')).filter((file) => file.endsWith('.mjs'));
/** @type {import('./bundle.mjs').Scenario[]} */
const scenarios = await Promise.all(modules.map((file) => import(`./scenarios/${file}`)));

/** Git-ignored; the bundles of the last run stay for a person to look at. */
const out = path.join(here, '.run');

/** @type {import('./rig.mjs').Rig} */
let rig;
/** @type {string[][]} */
const table = [['scenario', 'expected', 'found', 'missed', 'false']];

before(async () => {
  rig = await startRig();
});

after(async () => {
  await rig?.stop();
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  for (const row of table) console.log(row.map((cell, i) => cell.padEnd(widths[i])).join('  '));
});

for (const scenario of scenarios) {
  test(`${scenario.name}: ${scenario.cause}`, async () => {
    const row = [scenario.name, '-', '-', '-', '-'];
    table.push(row);
    try {
      const bundle = await recordBundle(rig, scenario, out);
      scenario.check(bundle);
      const [lines, proofs] = [judge(bundle), await judgeAnalysis(bundle)];
      const expected = lines.expected + proofs.expected;
      const missed = [...lines.missed, ...proofs.missed];
      const wrong = [...lines.wrong, ...proofs.wrong];
      row.splice(1, 4, ...[expected, expected - missed.length, missed.length, wrong.length].map(String));
      assert.deepEqual({ missed, wrong }, { missed: [], wrong: [] });
    } finally {
      // Clients that go on syncing would slow down the next scenario and write into its slice of the log.
      await rig.leave();
    }
  });
}
