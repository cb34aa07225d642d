// @ts-check
// The answer as a SARIF log, which other tools take: it is of the shape that the standard's own schema states.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, test } from 'node:test';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { outcome, temporaryFolder } from '../../scripts/lib/process.mjs';
import { root } from '../../scripts/lib/project.mjs';

const require = createRequire(import.meta.url);
const { default: Ajv } = require('ajv-draft-04');
const { default: addFormats } = require('ajv-formats');

/**
 * The schema of SARIF 2.1.0 as Microsoft publishes it. It differs from the one of OASIS (erratum 1) by its address, by the pattern of
 * `language`, which is not written here, and in that a region need not say where it begins, which is looked at below.
 */
const SCHEMA = require.resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');

// The pattern of `language` is no pattern of Unicode's kind.
const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false });
addFormats(ajv);
const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

/** @param {unknown} log @returns {string[]} what is wrong with it, each with its place */
function errors(log) {
  validate(log);
  return (validate.errors ?? []).map(
    (/** @type {any} */ { instancePath, message }) => `${instancePath || '/'} ${message}`,
  );
}

const bundles = path.join(root, 'tests/fixtures/bundles');
const program = commandLine();
const scratch = temporaryFolder('sarif');
after(() => scratch.remove());

/** @param {string[]} files @returns {any} */
function logOf(...files) {
  const { stdout, stderr } = outcome(program, ['triage', '--format', 'sarif', ...files]);
  assert.ok(stdout, stderr);
  return JSON.parse(stdout);
}

/** Each region in a log, wherever it stands. @returns {Generator<any>} */
function* regions(/** @type {any} */ value) {
  if (value === null || typeof value !== 'object') return;
  if (value.region) yield value.region;
  for (const field of Object.values(value)) yield* regions(field);
}

test('what every recorded bundle gives is of the schema, and no two of its findings have one fingerprint', () => {
  const kinds = new Set();
  const folders = readdirSync(bundles, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.ok(folders.length > 20, `${folders.length} bundles`);
  for (const { name } of folders) {
    const log = logOf(path.join(bundles, name));
    assert.deepEqual(errors(log), [], name);
    const [{ results, tool }] = log.runs;
    for (const { kind, level, ruleId, ruleIndex } of results) {
      kinds.add(`${kind} ${level}`);
      assert.equal(tool.driver.rules[ruleIndex].id, ruleId);
    }
    const fingerprints = results.map((/** @type {any} */ { partialFingerprints }) =>
      JSON.stringify(partialFingerprints),
    );
    assert.equal(new Set(fingerprints).size, results.length, `${name}: ${fingerprints.sort().join('\n')}`);
    for (const region of regions(log)) assert.ok(region.startLine >= 1, `${name}: ${JSON.stringify(region)}`);
  }
  assert.deepEqual([...kinds].sort(), [
    'fail error',
    'fail warning',
    'informational none',
    'open none',
    'pass none',
  ]);
});

test('a file’s name is an address, whatever it is, and a file that cannot be read is a notification', () => {
  const report = path.join(bundles, 'store-rollback/victim.report.json');
  const names = ['a:b #c?ü.report.json', 'a%2fb.har', '..har'];
  const files = names.map((name) => path.join(scratch.path, name));
  for (const file of files) copyFileSync(report, file);
  const log = logOf(...files, path.join(scratch.path, 'gone.log'));
  assert.deepEqual(errors(log), []);
  const addresses = log.runs[0].artifacts.map((/** @type {any} */ { location }) => location.uri);
  assert.deepEqual(addresses.map(decodeURIComponent).sort(), [...names].sort());
  const [invocation] = log.runs[0].invocations;
  const notified = invocation.toolExecutionNotifications.map(
    (/** @type {any} */ { message }) => message.text,
  );
  assert.ok(
    notified.some((/** @type {string} */ text) => text.startsWith('cannot be opened: ')),
    notified.join('\n'),
  );
});

test('the validator refuses what is not of the schema', () => {
  const log = logOf(path.join(bundles, 'store-rollback'));
  const [run] = log.runs;
  run.results[0].level = 'bad';
  run.artifacts[0].location.uri = 'a b';
  delete run.tool.driver.name;
  assert.deepEqual(
    errors(log).sort(),
    [
      '/runs/0/artifacts/0/location/uri must match format "uri-reference"',
      '/runs/0/results/0/level must be equal to one of the allowed values',
      "/runs/0/tool/driver must have required property 'name'",
    ].sort(),
  );
});
