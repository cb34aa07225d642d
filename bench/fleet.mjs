// @ts-check
// `npm run bench:fleet` measures ten thousand, a hundred thousand and a million generated reports, and writes docs/bench/fleet.md.
// `npm run bench:fleet -- --sizes 1000,10000` prints the page and writes nothing.

import fs from 'node:fs';
import path from 'node:path';
import { ensureFleet, fleet } from '../scripts/lib/fleet.mjs';
import { commandLine, hostExample } from '../scripts/lib/host-program.mjs';
import { quietly } from '../scripts/lib/process.mjs';
import { main, root, step } from '../scripts/lib/project.mjs';

main(async () => {
  const sizes = process.argv.slice(2);
  const bin = await step('DuckDB', ensureFleet);
  const program = await step('crypto-diag', () => commandLine('release'));
  const parser = await step('the plain parser', () => hostExample('parse', 'release'));
  const bench = path.join(fleet, 'bench/bench.py');
  const page = await step('reports', () =>
    quietly(path.join(bin, 'python'), [bench, ...sizes, program, parser], {
      env: { CRYPTO_DIAG: program, PYTHONPATH: path.join(fleet, 'src') },
    }),
  );
  if (sizes.length > 0) process.stdout.write(page);
  else fs.writeFileSync(path.join(root, 'docs/bench/fleet.md'), page);
});
