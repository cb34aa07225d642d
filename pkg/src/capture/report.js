// The report: an empty one, generated from the Rust types, filled with what the client, the page and the core say.

import { EMPTY_REPORT } from 'crypto-diag/facts';
import { assign, max, now, parseJson } from './builtins.js';
import { callLines } from './call-lines.js';
import { clean } from './clean.js';
import { clientFacts } from './client.js';
import * as core from './core.js';
import { inPlace } from './hooks.js';
import { toJson } from './json.js';
import { seen } from './lines.js';
import { getMarks } from './marks.js';
import { listenerErrors } from './notify.js';
import { pageEvents, pageFacts, timeOriginOf } from './page.js';
import { clockFacts, clockOffset, collectFacts } from './questions.js';
import { drain, waited } from './queue.js';
import { requestFacts } from './requests.js';
import { sentBatches } from './sent.js';
import { getCounts, getEntries } from './snapshots.js';
import { noteFailure, reasonOf, state, stateName } from './state.js';
import { unreadable } from './text.js';

/** @typedef {import('../index.js').MatrixClientLike | null | undefined} Client */
/** @typedef {import('../index.js').ReportExtra | undefined} Extra */

/**
 * The report as JSON: two-space indentation, keys in the order of the Rust types. It always answers, also where nothing
 * could be captured: then `capture` says why.
 * @param {Client} [mx] The Matrix client, or null.
 * @param {Extra} [extra]
 * @returns {string}
 */
export function buildReport(mx, extra) {
  return toJson(makeReport(mx, extra));
}

/**
 * The same with what only an asynchronous question can tell: storage, keys, devices. It makes no request and changes
 * nothing; each question has a limit of time.
 * @param {Client} [mx]
 * @param {Extra} [extra]
 * @returns {Promise<string>}
 */
export async function collectReport(mx, extra) {
  /** @type {{facts: Partial<Awaited<ReturnType<typeof collectFacts>>>, closed: number, byCore: boolean}} */
  let asked = { facts: {}, closed: 0, byCore: false };
  try {
    core.start();
    const answers = await collectFacts(mx, getEntries(), sentBatches(), core.started);
    asked = clean(answers);
    // Only with the core: without a redactor too little of the texts would be left to read.
    if (!asked.byCore) asked.facts.call = null;
    // Devices without ids are left out: the type has no null for an id.
    if (asked.facts.crypto) asked.facts.crypto.devices = named(asked.facts.crypto.devices);
  } catch (error) {
    noteFailure('collectReport', error);
  }
  const report = makeReport(mx, extra);
  report.capture.redactions += asked.closed;
  return toJson(assign(report, asked.facts));
}

/** @template {{userId: string | null, deviceId: string | null}} T @param {T[]} devices */
function named(devices) {
  const kept = [];
  for (let at = 0; at < devices.length; at++)
    if (devices[at].userId !== null && devices[at].deviceId !== null) kept[kept.length] = devices[at];
  return kept;
}

/**
 * The report without the facts that take time.
 * @param {Client} mx
 * @param {Extra} extra
 * @returns {import('crypto-diag/report').Report}
 */
function makeReport(mx, extra) {
  drain();
  core.start();
  const report = parseJson(EMPTY_REPORT);
  const host = clean(assign(clientFacts(mx, extra), pageFacts()));
  const frames = framesFacts();
  assign(report, host.facts, {
    generatedAt: now(),
    clock: clockFacts(mx),
    requests: requestFacts(),
    sent: sentBatches(),
    marks: getMarks(),
  });
  assign(report.capture, captureFacts(), { frames: frames.facts });
  if (core.hasMemory()) {
    report.tallies = tallies();
    for (let at = 0; at < report.tallies.length; at++)
      report.counts[report.tallies[at].ke] += report.tallies[at].total;
    assign(report.capture, core.readCounters(), { linesMatched: getCounts().total });
    report.entries = getEntries();
  }
  report.capture.redactions += host.closed + frames.closed;
  state.keeper?.addTo(report);
  return report;
}

/** The client's part of a report, redacted. Needs the core. @param {Client} mx */
export const cleanClient = (mx) => clean(clientFacts(mx)).facts;

/** @typedef {ReturnType<typeof keptPart>} KeptPart */

/** What is stored of a page: its report without the parts whose cost grows with elements, rooms or requests. */
export function keptPart() {
  drain();
  core.start();
  return {
    page: clean(pageFacts()).facts.page,
    timeOrigin: timeOriginOf(globalThis),
    clockOffset: clockOffset(),
    tallies: core.hasMemory() ? tallies() : [],
    marks: getMarks(),
    facts: callLines(),
    sent: sentBatches(),
    entries: core.hasMemory() ? getEntries() : [],
  };
}

/** The core's counts that are not zero. */
function tallies() {
  const all = core.readTallies();
  const some = [];
  for (let at = 0; at < all.length; at++) if (all[at].total > 0) some[some.length] = all[at];
  return some;
}

/** The capture's half of a report, in words and numbers of its own; the core adds those that it keeps. */
function captureFacts() {
  const { installedAt, clearedAt, failures } = state;
  const origin = timeOriginOf(globalThis);
  const hooks = [];
  for (let at = 0; at < state.hooks.length; at++) {
    const { method, reason } = state.hooks[at];
    hooks[at] = { method, inPlace: inPlace(state.hooks[at]), reason };
  }
  return {
    state: stateName(),
    reason: reasonOf(),
    installedAt,
    timeOrigin: origin,
    installedAfter: installedAt !== null && origin !== null ? max(0, installedAt - origin) : null,
    clearedAt,
    hooks,
    linesSeen: seen.lines,
    partlyScanned: seen.partly,
    unreadable: unreadable + seen.failed,
    nested: seen.nested,
    queued: waited.queued,
    queueOverflow: waited.overflow,
    listenerErrors,
    failures,
    pageEvents: pageEvents(),
  };
}

/** The documents inside the page. Only their paths are texts of the page; all other words are our own. */
function framesFacts() {
  const facts = state.frames?.report() ?? { watching: false, documents: [], omitted: 0 };
  const documents = [];
  let closed = 0;
  for (let at = 0; at < facts.documents.length; at++) {
    const path = clean({ path: facts.documents[at].path });
    documents[at] = assign({}, facts.documents[at], path.facts);
    closed += path.closed;
  }
  return { facts: assign({}, facts, { documents }), closed };
}
