// @ts-check
/**
 * Runs one scenario and writes its bundle: everything that an operator would have collected, and a label that says what was
 * really done. One folder per scenario:
 *
 *     label.json                the injected cause, its facts, versions, times
 *     <role>.report.json        the report, as the browser saved it
 *     <role>.console.jsonl      the whole console of that side's first tab
 *     <role>.har                its requests, without secrets
 *     homeserver.log            the server's log from the scenario's begin to its end
 *     queries.json              what the database said afterwards
 */
import { readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { analyse } from '../../pkg/dist/analysis.js';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { outcome } from '../../scripts/lib/process.mjs';
import { pause } from '../../scripts/lib/wait.mjs';
import { toHar } from './har.mjs';
import { askServer } from './queries.mjs';
import { redactText } from './redact.mjs';

/** @typedef {import('./rig.mjs').Profile} Profile */
/** @typedef {import('./rig.mjs').Rig} Rig */

/**
 * What is expected to stand in one side's console, and in its report.
 *
 * @typedef {object} ExpectedLine
 * @property {string} text a part of the line, verbatim
 * @property {string[]} [facts] names of facts whose values stand in the same line
 * @property {string} [ke] what the report files it under, if it is an entry
 * @property {string} [meaning]
 */

/**
 * @typedef {object} Scenario
 * @property {string} name also the folder's name
 * @property {string} cause what is injected, in a sentence
 * @property {Record<string, {lines: ExpectedLine[], failures: boolean}>} expected by role: lines that must be there; whether the report
 *   holds any entry that means a failure
 * @property {Proofs} [proofs] what the analysis must find proven; without it: nothing
 * @property {Record<string, Record<string, string[]>>} [finds] by role: which server queries of that side's report find something, and
 *   which facts stand in the answer: names, `name.field`, of a list each
 * @property {{wholeLog?: boolean, goesOnMs?: number, looksApartMs?: number}} [recording] of a bundle that is kept: whether its log
 *   begins with the server's start, for how long it goes on behind the scenario, and whether the server is asked twice, before the
 *   reports are made
 * @property {boolean} [everywhere] whether every run of the tests has it in the opposite combination of browser and SDK, too
 * @property {boolean} [onDemand] whether it is left to `npm run test:matrix`
 * @property {boolean} [once] whether one combination of browser and SDK is enough there, since it waits for a minute or more
 * @property {(rig: Rig) => Promise<Outcome>} run
 * @property {(bundle: Bundle) => void} check asserts that the cause was really injected, by the database, the proxy and the peer
 */

/**
 * What the analysis must find proven, no more and no less, by conclusions.
 *
 * @typedef {object} Proofs
 * @property {Record<string, string[]>} [alone] by role: from that side's report alone
 * @property {string[]} together from all sides' reports
 * @property {Record<string, string[]>} [withServer] by the program `crypto-diag`, from all artefacts: beside each conclusion the names of
 *   facts that it must be about. Without it the program is not asked: most logs of a run end too soon to show what was not there
 * @property {string[]} [perhaps] conclusions that are true and may be found or not, such as one that depends on how often something
 *   happened to fail in a row
 */

/**
 * @typedef {object} Outcome
 * @property {Record<string, Profile>} sides by role: `victim`, `peer`, …; signed in, so that they can make a report
 * @property {Record<string, any>} facts ids, keys and times, told by the side that caused them
 */

/**
 * @typedef {object} Bundle
 * @property {Scenario} scenario
 * @property {string} dir
 * @property {Record<string, any>} label
 * @property {Record<string, any>} facts
 * @property {Record<string, {report: any, text: string, console: {level: string, args: string[]}[]}>} sides
 * @property {Awaited<ReturnType<typeof askServer>>} queries
 * @property {string} log
 */

/**
 * @param {Rig} rig
 * @param {Scenario} scenario
 * @param {string} parent the folder that gets the bundle's folder
 * @param {Scenario['recording']} [recording]
 * @returns {Promise<Bundle>}
 */
export async function recordBundle(rig, scenario, parent, recording) {
  const dir = path.join(parent, scenario.name);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });

  const mark = recording?.wholeLog ? 0 : await rig.servers.logEnd();
  const from = Date.now();
  const { sides, facts } = await scenario.run(rig);
  const profiles = Object.values(sides);

  const ask = () =>
    askServer(rig.servers.database, {
      userIds: [...new Set(profiles.map(({ userId }) => userId))],
      eventIds: typeof facts.eventId === 'string' ? [facts.eventId] : [],
    });
  /** @type {Bundle['queries']} */
  const queries = [];
  if (recording?.looksApartMs) {
    queries.push(...(await ask()));
    await pause(recording.looksApartMs);
    queries.push(...(await ask()));
  }

  /** @type {Bundle['sides']} */
  const seen = {};
  /** @type {Record<string, string>} */
  const files = {};
  for (const [role, profile] of Object.entries(sides)) {
    const { text, report } = await profile.tab.downloadReport();
    const lines = await profile.tab.console();
    seen[role] = { report, text, console: lines };
    files[`${role}.report.json`] = text;
    files[`${role}.console.jsonl`] = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    files[`${role}.har`] = pretty(toHar(profile.proxy, { from, browser: rig.engine }));
  }
  if (queries.length === 0) queries.push(...(await ask()));
  // The clients stay and sync, so that the log shows that the server was there.
  await pause(recording?.goesOnMs ?? 0);
  const to = Date.now();
  const log = redactText(await rig.servers.logSince(mark));
  const label = {
    scenario: scenario.name,
    cause: scenario.cause,
    facts,
    from,
    to,
    sides: Object.fromEntries(
      Object.entries(seen).map(([role, { report }]) => [
        role,
        { userId: report.userId, deviceId: report.deviceId },
      ]),
    ),
    versions: {
      synapse: rig.servers.synapseVersion,
      sdk: rig.app.sdkVersion,
      cryptoWasm: rig.app.cryptoWasmVersion,
      engine: rig.engine,
    },
  };
  Object.assign(files, {
    'label.json': pretty(label),
    'queries.json': pretty(queries),
    'homeserver.log': log,
  });

  refuseSecrets(files, profiles);
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(dir, name), text);
  return { scenario, dir, label, facts, sides: seen, queries, log };
}

/**
 * @param {Bundle} bundle
 * @returns {{expected: number, missed: string[], wrong: string[]}} `missed`: expected and not there; `wrong`: there and not expected
 */
export function judge({ scenario, facts, sides }) {
  /** @type {string[]} */
  const missed = [];
  /** @type {string[]} */
  const wrong = [];
  let expected = 0;
  for (const [role, { lines, failures }] of Object.entries(scenario.expected)) {
    const { report, console: printed } = sides[role];
    for (const { text, facts: names = [], ke, meaning } of lines) {
      expected += 1;
      const parts = [text, ...names.flatMap((name) => factOf(facts, name))];
      const has = (/** @type {string} */ line) => parts.every((part) => line.includes(part));
      if (!printed.some(({ args }) => has(args.join(' '))))
        missed.push(`${role}: no line with ${parts.join(' and ')}`);
      else if (ke) {
        const entries = report.entries.filter((/** @type {any} */ entry) => has(entry.message));
        const right = entries.some(
          (/** @type {any} */ entry) => entry.ke === ke && entry.meaning === (meaning ?? 'failure'),
        );
        if (!right)
          missed.push(`${role}: no entry ${ke} ${meaning ?? 'failure'} with ${parts.join(' and ')}`);
      }
    }
    const failed = report.entries.filter((/** @type {any} */ entry) => entry.meaning === 'failure');
    if (!failures)
      for (const { ke, message } of failed) wrong.push(`${role}: ${ke} ${message.slice(0, 200)}`);
    else if (failed.length === 0) missed.push(`${role}: no failure at all`);
  }
  return { expected, missed, wrong };
}

/**
 * Lays the analysis of the downloaded reports beside what was injected. A "proven" that was not is the worst that can happen.
 *
 * @param {Bundle} bundle
 * @returns {Promise<{expected: number, missed: string[], wrong: string[]}>}
 */
export async function judgeAnalysis({ scenario, sides }) {
  const { alone = {}, together = [], perhaps = [] } = scenario.proofs ?? {};
  const texts = Object.values(sides).map(({ text }) => text);
  const cases = [
    ...Object.entries(sides).map(([role, { text }]) => ({
      who: `${role} alone`,
      texts: [text],
      wanted: alone[role] ?? [],
    })),
    { who: 'together', texts, wanted: together },
  ];
  const missed = [];
  const wrong = [];
  let expected = 0;
  for (const { who, texts: given, wanted } of cases) {
    const { verdicts } = await analyse(given);
    // That a page saw failures is told by the expected lines.
    const told = verdicts.filter(({ is, claim }) => is === 'proven' && !claim.endsWith('-seen'));
    const proven = new Set(told.map(({ claim }) => String(claim)));
    expected += wanted.length;
    for (const claim of wanted) if (!proven.has(claim)) missed.push(`${who}: ${claim} is not proven`);
    for (const claim of proven)
      if (!wanted.includes(claim) && !perhaps.includes(claim))
        wrong.push(`${who}: ${claim} is called proven`);
  }
  return { expected, missed, wrong };
}

/**
 * Lays what the program says of all artefacts beside what was injected.
 *
 * @param {Bundle} bundle
 * @returns {{expected: number, missed: string[], wrong: string[]}}
 */
export function judgeTriage({ scenario, facts, dir }) {
  const { withServer, perhaps = [] } = scenario.proofs ?? {};
  if (!withServer) return { expected: 0, missed: [], wrong: [] };
  const files = readdirSync(dir).filter((file) => ARTEFACT.test(file));
  const paths = files.map((file) => path.join(dir, file));
  const { stdout, stderr } = outcome(commandLine(), ['triage', '--format', 'json', ...paths]);
  if (!stdout.startsWith('{')) throw new Error(`crypto-diag says nothing of ${dir}: ${stderr}`);
  /** @type {any[]} */
  const verdicts = JSON.parse(stdout).verdicts;
  const proven = verdicts.filter(({ is, claim }) => is === 'proven' && !claim.endsWith('-seen'));
  const missed = [];
  for (const [claim, names] of Object.entries(withServer)) {
    const about = names.flatMap((name) => factOf(facts, name));
    const is = (/** @type {any} */ one) =>
      one.claim === claim && about.every((part) => one.about.includes(part));
    if (!proven.some(is)) {
      const said = verdicts.filter((one) => one.claim === claim).map((one) => `${one.is}: ${one.statement}`);
      missed.push(
        `with the server: ${claim} of ${about} is not proven. ${said.join(' ') || 'It is not asked.'}`,
      );
    }
  }
  const wrong = proven.filter(({ claim }) => !(claim in withServer) && !perhaps.includes(claim));
  return {
    expected: Object.keys(withServer).length,
    missed,
    wrong: wrong.map(({ claim, statement }) => `with the server: ${claim} is called proven: ${statement}`),
  };
}

/** What an operator would give to the program: no label, and no console that says again what the report says. */
const ARTEFACT = /(\.report\.json|\.har|\.log|^queries\.json)$/;

/**
 * A fact's value as text, or each of its values; of `name.field` that field's.
 *
 * @param {Record<string, any>} facts
 * @param {string} fact
 * @returns {string[]}
 */
export function factOf(facts, fact) {
  const value = fact.split('.').reduce((/** @type {any} */ of, name) => of?.[name], facts);
  if (value === undefined) throw new Error(`the scenario tells no fact ${fact}`);
  return [value].flat().map(String);
}

/** Stops before a secret that is known to this run gets into a file. */
function refuseSecrets(/** @type {Record<string, string>} */ files, /** @type {Profile[]} */ profiles) {
  const secrets = profiles.flatMap(({ user, proxy }) => [
    user.password,
    ...proxy.exchanges.flatMap(({ requestHeaders }) =>
      String(requestHeaders.authorization ?? '')
        .split(' ')
        .slice(1),
    ),
  ]);
  for (const [name, text] of Object.entries(files)) {
    for (const secret of new Set(secrets)) {
      if (text.includes(secret)) throw new Error(`${name} would hold a password or an access token`);
    }
  }
}

const pretty = (/** @type {unknown} */ value) => `${JSON.stringify(value, null, 2)}\n`;
