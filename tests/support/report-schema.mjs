// @ts-check
/** Whether a report is of the shape that the package's JSON Schema states, by a validator that knows nothing of this project. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

const file = new URL('../../pkg/dist/report.schema.json', import.meta.url);

/** The schema as the package has it. @returns {any} */
export const readSchema = () => JSON.parse(readFileSync(file, 'utf8'));

const whole = (/** @type {number} */ least) => ({
  type: /** @type {const} */ ('number'),
  validate: (/** @type {number} */ value) => Number.isSafeInteger(value) && value >= least,
});
/** Formats that JSON Schema leaves to its users. @type {Record<string, import('ajv').Format>} */
const formats = {
  uint32: whole(0),
  uint64: whole(0),
  uint: whole(0),
  int32: whole(-(2 ** 31)),
  int64: whole(Number.MIN_SAFE_INTEGER),
  double: true,
};

/**
 * The schema with every object closed: a reader must take fields that a newer version adds, but what this version writes must
 * be in its own schema.
 */
function closed() {
  const schema = readSchema();
  for (const type of [schema, ...Object.values(schema.$defs)])
    if (type.properties) type.additionalProperties = false;
  return schema;
}

/** @type {import('ajv').ValidateFunction | undefined} */
let compiled;

/**
 * @param {unknown} report
 * @returns {string[]} what is wrong with it, each with its place
 */
export function schemaErrors(report) {
  compiled ??= new Ajv2020({ allErrors: true, strict: true, strictTypes: false, formats }).compile(closed());
  compiled(report);
  return (compiled.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );
}
