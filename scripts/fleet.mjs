// @ts-check
// `npm run test:fleet` tests the Python package in fleet/, on DuckDB and on an Apache Spark cluster of a master and two workers. `npm test`
// does not run it, since the engines are 600 MB.

import path from 'node:path';
import { commandLine } from './lib/host-program.mjs';
import { ensureFleet, fleet } from './lib/fleet.mjs';
import { outcome, run } from './lib/process.mjs';
import { Explained, main, step } from './lib/project.mjs';

main(async () => {
  if (outcome('java', ['-version']).code !== 0) {
    throw new Explained('Spark needs Java 17 or newer: apt-get install -y openjdk-17-jre-headless');
  }
  const bin = await step('DuckDB, Spark and the checks', ensureFleet);
  const program = await step('crypto-diag', () => commandLine());
  const inFleet = { cwd: fleet, env: { CRYPTO_DIAG: program, PYTHONPATH: path.join(fleet, 'src') } };
  run(path.join(bin, 'ruff'), ['format', '--check', '.'], inFleet);
  run(path.join(bin, 'ruff'), ['check', '.'], inFleet);
  run(path.join(bin, 'mypy'), ['src'], inFleet);
  run(path.join(bin, 'pytest'), ['-q', ...process.argv.slice(2)], inFleet);
});
