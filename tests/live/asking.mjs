// @ts-check
/** What `serverQueries` writes down, run as an operator would run it: SQL by psql, greps by bash. */
import { serverQueries } from '../../pkg/dist/analysis.js';
import { start } from '../../scripts/lib/process.mjs';
import { factOf } from './bundle.mjs';

/** Where the queries look for the log, unless told otherwise: the place of Synapse's Debian package. */
export const LOG = '/var/log/matrix-synapse/homeserver.log';

/** psql, as the queries' preamble says it is to be used, and with a sign for what is not there. */
const READ_ONLY = "\\pset null '∅'\nSET default_transaction_read_only = on;\n";

/**
 * Asks everything that a report makes one ask of the log and the database. Prometheus is not among the servers.
 *
 * @param {string} report its JSON
 * @param {import('./servers.mjs').Servers} servers
 * @returns {Promise<Record<string, string>>} by the query's name: what came out, empty if nothing was found
 * @throws {Error} naming the query that psql or bash did not take
 */
export async function askAll(report, servers) {
  const { queries } = await serverQueries(report);
  /** @type {Record<string, string>} */
  const answers = {};
  // The others are asked of hosts that are not there.
  const asked = queries.filter(({ runsOn }) => runsOn === 'databaseHost' || runsOn === 'logHost');
  for (const { name, runsOn, text } of asked) {
    try {
      answers[name] =
        runsOn === 'databaseHost'
          ? withoutEmpty(await servers.database.psql(READ_ONLY + text))
          : await bash(text.replaceAll(LOG, servers.logPath));
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : error}\n${text}`, {
        cause: error,
      });
    }
  }
  return answers;
}

/** An answer without rows is one row that says what was asked, and nothing else. */
const withoutEmpty = (/** @type {string} */ printed) => (isEmpty(printed) ? '' : printed);

/** Whether what psql printed, with `\pset null '∅'`, holds no row of the asked table. @param {string} printed */
export const isEmpty = (printed) => /^ [a-z0-9-]+ \d+ \[[^|]*\|(?: *∅ *(?:\||$))+$/m.test(printed);

/**
 * Runs commands in an interactive bash, where `!` has a meaning, too.
 *
 * @param {string} script
 * @returns {Promise<string>} what it printed; that grep found nothing is no error
 */
export async function bash(script) {
  const program = start('bash', ['--norc', '--noprofile', '-i'], {
    env: { HISTFILE: '/dev/null', PS1: '', PS2: '' },
    input: `set -H\n${script}\ncase $? in 0|1) echo ${DONE};; esac\nexit 0\n`,
  });
  const { code, out, err } = await program.ended;
  // A shell that was ended early, or did not understand a line, did not get to the last one.
  if (code === 0 && out.endsWith(`${DONE}\n`)) return out.slice(0, -DONE.length - 1);
  throw new Error(`bash ended with ${code}: ${err.slice(0, 2000)}`);
}

const DONE = 'asked-and-answered';

/**
 * Runs every query of every side's report and lays the answers beside what the scenario says that they hold.
 *
 * @param {import('./bundle.mjs').Bundle} bundle
 * @param {import('./servers.mjs').Servers} servers
 * @returns {Promise<{expected: number, missed: string[]}>}
 */
export async function judgeQueries({ scenario, facts, sides }, servers) {
  /** @type {string[]} */
  const missed = [];
  let expected = 0;
  for (const [role, { text }] of Object.entries(sides)) {
    const answers = await askAll(text, servers);
    for (const [name, names] of Object.entries(scenario.finds?.[role] ?? {})) {
      expected += 1;
      if (!(name in answers)) missed.push(`${role}: ${name} is not asked`);
      else if (answers[name] === '') missed.push(`${role}: ${name} finds nothing`);
      else
        for (const wanted of names.flatMap((fact) => factOf(facts, fact)))
          if (!answers[name].includes(wanted)) missed.push(`${role}: ${name} does not find ${wanted}`);
    }
  }
  return { expected, missed };
}
