// @ts-check
// `npm run worlds -- --depth 6 --minutes 30 --seed 7 --mutants`: looks for histories of which the triage says something false.
// docs/soundness.md says what is searched. `--export`, `--answer` and `--score` make a benchmark of it (docs/benchmark.md).

import { watch } from './lib/process.mjs';
import { main, say } from './lib/project.mjs';

const COMPILING_SECONDS = 1_800;

main(async () => {
  const given = process.argv.slice(2);
  const at = given.indexOf('--minutes');
  const minutes = at < 0 ? 2 : Number(given[at + 1]);
  if (!(minutes > 0)) {
    say(
      `Not a number of minutes: ${given[at + 1]}. Usage: npm run worlds -- [--model keys|delayed|delivery|events|media] [--depth N] [--minutes M] [--seed S] [--mutants]`,
    );
    process.exitCode = 2;
    return;
  }
  const { code } = await watch(
    'cargo',
    ['run', '-q', '--profile', 'worlds', '-p', 'crypto-diag-world', '--bin', 'worlds', '--', ...given],
    // What is found is shrunk after the search, and mutants take as long again.
    { seconds: COMPILING_SECONDS + minutes * 60 * 6 },
  );
  process.exitCode = code ?? 1;
});
