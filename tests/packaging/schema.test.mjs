// @ts-check
// The report's JSON Schema, which others read reports by: real reports are of its shape, damaged ones are not, and the docs explain
// every field of it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/project.mjs';
import { readSchema, schemaErrors } from '../support/report-schema.mjs';

const bundles = path.join(root, 'tests/fixtures/bundles');

/** Fields that came after the recordings were made, as a report has them in which nothing of them happened. */
const LATER = { call: null, marks: [], requests: null, earlierPages: [] };
const LATER_IN_CLOCK = { serverMinusPage: null };
const LATER_IN_CAPTURE = { keepsPage: null };

/** A recorded report as it would be made today. @param {any} report */
const today = (report) => ({
  ...LATER,
  ...report,
  clock: report.clock && { ...LATER_IN_CLOCK, ...report.clock },
  capture: { ...LATER_IN_CAPTURE, ...report.capture },
});

/** The recorded reports of all sides. @type {[string, any][]} */
const reports = readdirSync(bundles, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) =>
    readdirSync(path.join(bundles, name))
      .filter((file) => file.endsWith('.report.json'))
      .map(
        (file) =>
          /** @type {[string, any]} */ ([
            `${name}/${file}`,
            today(JSON.parse(readFileSync(path.join(bundles, name, file), 'utf8'))),
          ]),
      ),
  );

/**
 * Each object in a report, by its place.
 * @returns {Generator<[string, any]>}
 */
function* objects(/** @type {any} */ value, place = '') {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* objects(item, `${place}/${i}`);
  } else if (value !== null && typeof value === 'object') {
    yield /** @type {[string, any]} */ ([place || '/', value]);
    for (const [name, field] of Object.entries(value)) yield* objects(field, `${place}/${name}`);
  }
}

test('every recorded report is of the shape that the schema states, and has no field that it does not know', () => {
  assert.ok(reports.length >= 20, `${reports.length} reports`);
  for (const [name, report] of reports) assert.deepEqual(schemaErrors(report), [], name);
});

test('recorded reports have every field, but for those of what happened to none of them', () => {
  const used = new Set(
    reports.flatMap(([, report]) => [...objects(report)].flatMap(([, of]) => Object.keys(of))),
  );
  const schema = readSchema();
  const {
    EarlierPage,
    Failure,
    FrameState,
    Mark,
    PageEvent,
    Request,
    Requests,
    ServerMinusPage,
    Unanswered,
  } = schema.$defs;
  const { CallFacts, CallFact, CallMembership, CallSession, MediaStream, StreamSample } = schema.$defs;
  const ofCalls = [CallFacts, CallFact, CallMembership, CallSession, MediaStream, StreamSample];
  const ofRequests = [Request, Requests, ServerMinusPage];
  const rare = [
    EarlierPage,
    Failure,
    FrameState,
    Mark,
    PageEvent,
    Unanswered,
    ...ofCalls,
    ...ofRequests,
  ].flatMap(({ properties }) => Object.keys(properties));
  const unused = propertiesOf(schema).filter((name) => !used.has(name) && !rare.includes(name));
  assert.deepEqual(unused, []);
});

test('a report that lacks a required field, has one of another type or one too many is refused', () => {
  const [name, report] = reports.find(([, { crypto, entries }]) => crypto && entries.length > 0) ?? [];
  assert.ok(name);
  for (const field of readSchema().required) {
    const { [field]: _, ...rest } = report;
    assert.notDeepEqual(schemaErrors(rest), [], `without ${field}`);
  }
  for (const [field, value] of Object.entries(report)) {
    const other = Array.isArray(value) || typeof value === 'object' ? 'a text' : { an: 'object' };
    assert.notDeepEqual(schemaErrors({ ...report, [field]: other }), [], `${field} of another type`);
  }
  for (const [place] of objects(report)) {
    const copy = structuredClone(report);
    const [, at] = [...objects(copy)].find(([other]) => other === place) ?? [];
    at.notOfThisVersion = 1;
    assert.notDeepEqual(schemaErrors(copy), [], `one field too many at ${place}`);
  }
});

test('docs/report.md explains every field, every word of a list, and nothing that is gone', () => {
  const page = readFileSync(path.join(root, 'docs/report.md'), 'utf8');
  const explained = new Set([...page.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code));
  const schema = readSchema();
  const [fields, words] = [propertiesOf(schema), wordsOf(schema)];
  assert.deepEqual(
    [...fields, ...words].filter((name) => !explained.has(name)),
    [],
    'not explained',
  );
  // Fields stand first in their row.
  const rows = [...page.matchAll(/^\| `([^`\n]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(
    rows.filter((name) => ![...fields, ...words].includes(name)),
    [],
    'explained, but not in the schema',
  );
});

/** The names of all properties, of whatever type. @returns {string[]} */
function propertiesOf(/** @type {any} */ schema) {
  const types = [schema, ...Object.values(schema.$defs)];
  return [...new Set(types.flatMap(({ properties = {} }) => Object.keys(properties)))];
}

/** The values of all enumerations. @returns {string[]} */
function wordsOf(/** @type {any} */ schema) {
  return [
    ...new Set(
      Object.values(schema.$defs).flatMap(({ enum: values = [], oneOf = [] }) => [
        ...values,
        ...oneOf.flatMap((/** @type {any} */ one) => [one.const, ...(one.enum ?? [])]),
      ]),
    ),
  ].filter((word) => typeof word === 'string');
}
