// @ts-check
// Silent calls on the real stack: matrix-js-sdk's own MatrixRTC sessions make the media keys and send them over a real Synapse, and
// LiveKit's own worker encrypts the media with them. The media itself goes back to back, since there is no SFU here: what one does by
// itself, and what two of them do to one call, is not in here.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { outcome } from '../../scripts/lib/process.mjs';
import { Told, outcomeOf, stoppedAt } from '../support/call/outcome.mjs';
import { everything } from '../support/matrix.mjs';
import { toHar } from './har.mjs';
import { startRig } from './rig.mjs';
import { OUTCOMES, begin, settle } from './silent-calls.mjs';

/** @typedef {import('../support/call/outcome.mjs').Name} Name */
/** @typedef {import('./rig.mjs').Profile} Profile */
/** @typedef {import('./rig.mjs').Rig} Rig */

/** How often reports are made at most, until what is to be said is said: a busy machine starves a call for seconds. */
const TRIES = 5;

describe('a call with media over Synapse, in Chromium', () => {
  const cli = commandLine();
  /** @type {Rig} */
  let rig;

  before(async () => {
    rig = await startRig({ args: ['--autoplay-policy=no-user-gesture-required'] });
  });
  afterEach(() => rig?.leave());
  after(() => rig?.stop());

  const told = new Told();
  after(() => console.log(`\nSilent calls over Synapse\n${told}`));

  /** The answer to some artefacts. @param {string} folder @param {Record<string, string>} files */
  function judged(folder, files) {
    const paths = Object.entries(files).map(([name, text]) => {
      const file = path.join(folder, name);
      writeFileSync(file, text);
      return file;
    });
    const { stdout, stderr } = outcome(cli, ['triage', '--format', 'json', ...paths]);
    assert.ok(stdout.startsWith('{'), stderr);
    return JSON.parse(stdout);
  }

  for (const one of OUTCOMES.filter(({ onDemand }) => !onDemand || everything)) {
    const { name, is, alone, all, never, stopped, says, how, speakerSays, back = ['media-decoded'] } = one;
    test(`${name}: ${is}`, async () => {
      const from = Date.now();
      const call = await one.people(rig);
      const { speaker, listener, third } = call;
      await begin(call, one);
      await settle(call, one);
      const report = async (/** @type {Profile} */ of) => JSON.stringify(await of.call('collectReport'));
      const folder = mkdtempSync(path.join(rig.servers.dir, 'call-'));
      const har = (/** @type {Profile} */ { proxy }) =>
        JSON.stringify(toHar(proxy, { from, browser: rig.engine }));
      const proven = (/** @type {any} */ { verdicts }) =>
        verdicts.filter((/** @type {any} */ verdict) => verdict.is === 'proven');
      const heard = (/** @type {any} */ answer, /** @type {Profile} */ { userId }) =>
        proven(answer).filter((/** @type {any} */ { about }) => about.includes(` from ${userId}/`));
      /** What is said of the listener's report, the speaker's, those of both, and all files. @type {any[]} */
      let answers = [];
      /** @type {Name[]} */
      let named = [];
      const wanted = [one.listener, one.speaker, one.both, one.both];
      const claims = (/** @type {any} */ answer) =>
        proven(answer).map((/** @type {any} */ { claim }) => claim);
      const lacks = (/** @type {any} */ answer, /** @type {string[]} */ claimed) =>
        claimed.filter((claim) => !claims(answer).includes(claim));
      const backward = () => heard(answers[3], listener).map((/** @type {any} */ { claim }) => claim);
      const isSaid = () =>
        isDeepStrictEqual(named, wanted) &&
        isDeepStrictEqual(backward(), back) &&
        lacks(answers[0], alone).length + lacks(answers[3], all).length === 0;
      for (let tried = 0; tried < TRIES && !(tried && isSaid()); tried++) {
        const ofListener = { 'listener.report.json': await report(listener) };
        const ofSpeaker = { 'speaker.report.json': await report(speaker) };
        const ofThird = third ? { 'third.report.json': await report(third) } : {};
        const reports = { ...ofListener, ...ofSpeaker, ...ofThird };
        const hars = { 'listener.har': har(listener), 'speaker.har': har(speaker) };
        answers = [ofListener, ofSpeaker, reports, { ...reports, ...hars }].map((files) =>
          judged(folder, files),
        );
        named = answers.map((answer) => outcomeOf(answer, speaker.userId));
        // Whatever starves, nothing false is said.
        for (const answer of answers)
          for (const claim of never) {
            const said = claim.startsWith('media-') ? heard(answer, speaker) : proven(answer);
            assert.ok(
              !said.some((/** @type {any} */ verdict) => verdict.claim === claim),
              `${claim}: ${answer.summary}`,
            );
          }
      }
      const [fromListener, fromSpeaker, fromBoth, fromAll] = answers;
      told.add(name, is, { both: named[2], listener: named[0], speaker: named[1] });
      assert.deepEqual(named, wanted, fromBoth.summary);
      assert.equal(stoppedAt(fromBoth, speaker.userId), stopped, JSON.stringify(fromBoth.mediaKeys.paths));
      assert.match(fromBoth.summary, says);
      const hows = fromBoth.verdicts.map((/** @type {any} */ { how }) => how.join(' '));
      if (how)
        assert.ok(
          hows.some((/** @type {string} */ text) => how.test(text)),
          hows.join('\n'),
        );
      if (speakerSays)
        assert.ok(
          fromSpeaker.verdicts.some((/** @type {any} */ { statement }) => speakerSays.test(statement)),
          fromSpeaker.summary,
        );
      assert.deepEqual(lacks(fromListener, alone), [], `of ${claims(fromListener)}: ${fromListener.summary}`);
      assert.deepEqual(lacks(fromAll, all), [], `of ${claims(fromAll)}: ${fromAll.summary}`);
      assert.deepEqual(backward(), back, `the other direction: ${fromAll.summary}`);
    });
  }
});
