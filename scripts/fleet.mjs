// @ts-check
// `npm run test:fleet`: the Python package in fleet/, on DuckDB and on an Apache Spark of a master and two workers. Its engines are
// 600 MB, so that `npm test` does not install them.

import fs from 'node:fs';
import path from 'node:path';
import { commandLine } from './lib/host-program.mjs';
import { outcome, quietly, run } from './lib/process.mjs';
import { Explained, cache, main, root, step } from './lib/project.mjs';

/** What the virtual environment holds. */
const PACKAGES = ['duckdb==2.0.1', 'mypy==2.4.1', 'pyspark==4.3.0', 'pytest==9.2.0', 'ruff==0.17.6'];

const fleet = path.join(root, 'fleet');

/** Installs the packages unless they are there. @returns {string} the folder of their programs */
function ensurePackages() {
  const venv = path.join(cache, 'fleet');
  const bin = path.join(venv, 'bin');
  // Written last: an interrupted installation has none.
  const marker = path.join(venv, '.crypto-diag-ready');
  const wanted = PACKAGES.join('\n');
  if (fs.existsSync(marker) && fs.readFileSync(marker, 'utf8') === wanted) return bin;
  fs.rmSync(venv, { recursive: true, force: true });
  quietly('python3', ['-m', 'venv', venv]);
  quietly(path.join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', ...PACKAGES]);
  fs.writeFileSync(marker, wanted);
  return bin;
}

main(async () => {
  if (outcome('java', ['-version']).code !== 0) {
    throw new Explained('Spark needs Java 17 or newer: apt-get install -y openjdk-17-jre-headless');
  }
  const bin = await step('DuckDB, Spark and the checks', ensurePackages);
  const program = await step('crypto-diag', () => commandLine());
  const inFleet = { cwd: fleet, env: { CRYPTO_DIAG: program, PYTHONPATH: path.join(fleet, 'src') } };
  run(path.join(bin, 'ruff'), ['format', '--check', '.'], inFleet);
  run(path.join(bin, 'ruff'), ['check', '.'], inFleet);
  run(path.join(bin, 'mypy'), ['src'], inFleet);
  run(path.join(bin, 'pytest'), ['-q', ...process.argv.slice(2)], inFleet);
});
