// @ts-check
// `npm test`: sets up and runs every stage; `npm run test:core` and so on run one. Each stage has a time budget, prints its
// time, and counts what really ran. What did not run has failed.
//
// Compilers use every core, so their stages run one after the other. Browsers and servers mostly wait, so their stages run in two
// lanes side by side. What such a stage prints is held back until it ends, or the lanes' lines would mix.

import fs from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { FORMATTED } from './lib/formatted.mjs';
import { HOST_PROFILE } from './lib/host-program.mjs';
import { watch } from './lib/process.mjs';
import { main, root, say, step } from './lib/project.mjs';
import { setUpBuild, setUpTests } from './setup.mjs';

const inTests = (/** @type {string[]} */ ...parts) => path.join(root, 'tests', ...parts);
const binary = (/** @type {string} */ name) => inTests('node_modules/.bin', name);

/** The projects that tsc checks: what is shipped, what runs in other pages, what runs in Node, and what runs in a page under test. */
const PROGRAMS = ['.', 'tsconfig.pages.json', 'tsconfig.tools.json', 'tests/e2e/fidelity'];

/** @param {string} title @param {string} program @param {string[]} args @returns {Command} */
const check = (title, program, args) => ({ title, program, args, counts: 'check' });

/** For each of nine targets, which share the machine's cores: forty seconds in all on two of them. `npm run fuzz` takes longer. */
const FUZZ_SECONDS = 8;

/**
 * @typedef {object} Command
 * @property {string} title
 * @property {string} program
 * @property {string[]} args
 * @property {'cargo' | 'node' | 'check'} counts How to read what ran: a test runner's closing lines, or one check.
 * @property {string} [cwd]
 * @property {Record<string, string>} [env]
 */

/** All test files below a folder, as `node --test` takes them. @param {string} folder @returns {string[]} */
function testFiles(folder) {
  const found = [];
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) found.push(...testFiles(file));
    else if (entry.name.endsWith('.test.mjs')) found.push(file);
  }
  return found.sort();
}

/**
 * @param {string} folder
 * @param {string[]} [names] of files in that folder; all of them if left out
 * @returns {Command}
 */
function nodeTests(folder, names) {
  const files = names ? names.map((name) => inTests(folder, name)) : testFiles(inTests(folder));
  const args = ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files];
  return { title: `tests/${folder}`, program: process.execPath, args, counts: 'node' };
}

/**
 * `onDemand`: not part of `npm test`, only run when it is asked for. `sideBySide`: its commands run all at once, since most use one core.
 * `lane`: which of the two lanes it runs in; left out for a stage that wants the machine for itself.
 * @type {Record<string, {minutes: number, needs: 'nothing' | 'build' | 'tests', onDemand?: boolean, sideBySide?: boolean,
 *   lane?: 'pages' | 'servers', commands: () => Command[]}>}
 */
const stages = {
  format: {
    minutes: 8,
    needs: 'tests',
    sideBySide: true,
    commands: () => [
      check('cargo fmt', 'cargo', ['fmt', '--all', '--check']),
      check('cargo clippy', 'cargo', [
        'clippy',
        '-q',
        // Build scripts, SQLite among them, and macros are then those of the tests.
        '--profile',
        HOST_PROFILE,
        '--workspace',
        '--all-targets',
        '--',
        '-D',
        'warnings',
      ]),
      check('prettier', binary('prettier'), ['--check', '--log-level', 'warn', ...FORMATTED]),
      check('eslint', binary('eslint'), [root]),
      ...PROGRAMS.map((project) => check(`tsc -p ${project}`, binary('tsc'), ['-p', project])),
    ],
  },
  core: {
    minutes: 25,
    needs: 'nothing',
    commands: () => [
      // The same random numbers each time; `npm run fuzz` and `cargo test` take others.
      {
        title: 'cargo test, with broken input',
        program: 'cargo',
        args: ['test', '--profile', HOST_PROFILE, '--workspace', '--no-fail-fast'],
        env: { FUZZ_SECONDS: String(FUZZ_SECONDS), PROPTEST_RNG_SEED: '1' },
        counts: 'cargo',
      },
    ],
  },
  browser: {
    minutes: 15,
    needs: 'tests',
    lane: 'servers',
    commands: () => [
      { title: 'wasm-pack', program: process.execPath, args: [inTests('browser/run.mjs')], counts: 'cargo' },
    ],
  },
  packaging: {
    minutes: 10,
    needs: 'tests',
    lane: 'servers',
    commands: () => [nodeTests('packaging'), nodeTests('machine')],
  },
  cinny: { minutes: 12, needs: 'tests', lane: 'pages', commands: () => [nodeTests('cinny')] },
  e2e: {
    minutes: 30,
    needs: 'tests',
    lane: 'pages',
    commands: () => [
      nodeTests('e2e/fidelity', ['all.mjs']),
      nodeTests(
        'e2e',
        ['card', 'driver', 'media', 'triage', 'www'].map((name) => `${name}.test.mjs`),
      ),
    ],
  },
  storm: {
    minutes: 30,
    needs: 'tests',
    onDemand: true,
    commands: () => [{ ...nodeTests('e2e/fidelity', ['storm.test.mjs']), env: { CRYPTO_DIAG_STORM: '1' } }],
  },
  live: { minutes: 20, needs: 'tests', lane: 'servers', commands: () => [nodeTests('live')] },
  trial: {
    minutes: 10,
    needs: 'tests',
    onDemand: true,
    commands: () => [nodeTests('live', ['trial.mjs'])],
  },
  matrix: {
    minutes: 90,
    needs: 'tests',
    onDemand: true,
    commands: () => {
      const everything = [
        nodeTests('live', ['scenarios.test.mjs', 'calls.test.mjs']),
        nodeTests('e2e', ['media.test.mjs', 'killed.test.mjs', 'triage.test.mjs', 'www.test.mjs']),
      ];
      // Every promise, but for those about kept pages themselves, and about what is loaded and from where.
      const promises = testFiles(inTests('e2e/fidelity'))
        .map((file) => path.basename(file))
        .filter((name) => !/^(devtools|keep|light|promises|start)\./.test(name));
      return [
        ...everything.map((command) => ({ ...command, env: { CRYPTO_DIAG_MATRIX: '1' } })),
        { ...nodeTests('e2e/fidelity', promises), env: { CRYPTO_DIAG_KEEP: '1' } },
      ];
    },
  },
};

/**
 * Adds up the closing lines of a test runner.
 * @param {Command} command
 * @param {Awaited<ReturnType<typeof watch>>} done
 */
function count(command, { code, output, timedOut }) {
  const sum = (/** @type {RegExp} */ pattern) =>
    [...output.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
  let passed;
  let failed;
  if (command.counts === 'check') {
    passed = code === 0 ? 1 : 0;
    failed = 1 - passed;
  } else if (command.counts === 'cargo') {
    passed = sum(/^test result: .*? (\d+) passed/gm);
    // A test that is ignored is one that did not run.
    failed = sum(/^test result: .*? (\d+) failed/gm) + sum(/^test result: .*? (\d+) ignored/gm);
  } else {
    passed = sum(/^ℹ pass (\d+)/gm);
    failed = ['fail', 'cancelled', 'skipped', 'todo'].reduce(
      (total, word) => total + sum(new RegExp(`^ℹ ${word} (\\d+)`, 'gm')),
      0,
    );
  }
  // A runner that broke off, or ran nothing, has failed even if no test says so.
  if (failed === 0 && (code !== 0 || timedOut || passed === 0)) failed = 1;
  return { passed, failed };
}

/** @param {string} name @param {Record<string, string | undefined>} env @param {boolean} held whether others print meanwhile */
async function runStage(name, env, held) {
  const { minutes, commands, sideBySide } = stages[name];
  const start = Date.now();
  const total = { passed: 0, failed: 0 };
  const runCommand = async (/** @type {Command} */ command) => {
    const title = `▸ ${name}: ${command.title}`;
    say(held ? `${title} begins` : `\n${title}`);
    const left = Math.max(1, minutes * 60 - (Date.now() - start) / 1000);
    const done = await watch(command.program, command.args, {
      env: { ...env, ...command.env },
      seconds: left,
      cwd: command.cwd,
      visible: !held,
    });
    if (held) say(`\n${title}\n${done.output}`);
    const counts = count(command, done);
    if (done.timedOut) say(`  ${command.title} was ended: the stage's budget of ${minutes} min is spent.`);
    else if (counts.failed > 0) say(`  ${command.title} failed.`);
    total.passed += counts.passed;
    total.failed += counts.failed;
  };
  if (sideBySide) await Promise.all(commands().map(runCommand));
  else for (const command of commands()) await runCommand(command);
  const seconds = (Date.now() - start) / 1000;
  return { name, ...total, seconds, minutes };
}

/**
 * Runs stages: first those that want the machine for themselves, then the lanes side by side.
 * @param {string[]} names
 * @param {Record<string, string | undefined>} env
 * @param {(result: Awaited<ReturnType<typeof runStage>>) => void} done called as each ends
 */
async function runStages(names, env, done) {
  const inLane = (/** @type {string | undefined} */ lane) =>
    names.filter((name) => stages[name].lane === lane);
  const inTurn = async (/** @type {string[]} */ some, held = false) => {
    for (const name of some) done(await runStage(name, env, held));
  };
  await inTurn(inLane(undefined));
  const lanes = [inLane('pages'), inLane('servers')];
  await Promise.all(
    lanes.map((lane) =>
      inTurn(
        lane,
        lanes.every(({ length }) => length > 0),
      ),
    ),
  );
}

/** What the stages need. @param {string[]} names @returns {Promise<Record<string, string | undefined>>} */
async function prepare(names) {
  const needs = names.map((name) => stages[name].needs);
  if (needs.includes('tests')) {
    const { env } = await setUpTests();
    await step('build', build);
    return env;
  }
  if (needs.includes('build')) return (await setUpBuild()).env;
  return {};
}

main(async () => {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !(name in stages));
  if (unknown.length) {
    say(`Unknown stage: ${unknown.join(', ')}. There are: ${Object.keys(stages).join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  const names = asked.length ? asked : Object.keys(stages).filter((name) => !stages[name].onDemand);
  const start = Date.now();
  /** @type {Awaited<ReturnType<typeof runStage>>[]} */
  const results = [];
  try {
    const env = await prepare(names);
    say(`\nSet-up and build: ${((Date.now() - start) / 1000).toFixed(0)} s`);
    await runStages(names, env, (result) => results.push(result));
  } catch (error) {
    say(`\n${error instanceof Error ? error.message : error}`);
  }
  say('');
  for (const name of names) {
    const result = results.find((one) => one.name === name);
    say(
      result
        ? `${name.padEnd(10)} ${result.passed} passed, ${result.failed} failed, ` +
            `${result.seconds.toFixed(0)} s of ${result.minutes * 60} s`
        : `${name.padEnd(10)} did not run`,
    );
  }
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0) + (names.length - results.length);
  say(`In all ${((Date.now() - start) / 1000).toFixed(0)} s`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
});
