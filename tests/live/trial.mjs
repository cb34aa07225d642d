// @ts-check
// `npm run trial` goes from a silent call to the answer, as three people would. The user and the peer each have the card in a browser. The
// operator has ssh and the two reports. The trial counts what they press and type, and keeps pictures of the answer to be looked at.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { outcome } from '../../scripts/lib/process.mjs';
import { root, target } from '../../scripts/lib/project.mjs';
import { launch } from '../support/browser.mjs';
import { unprivileged } from './postgres.mjs';
import { startRig } from './rig.mjs';
import { OUTCOMES, begin, settle } from './silent-calls.mjs';
import { startSsh } from './ssh.mjs';

/** @typedef {import('./rig.mjs').Profile} Profile */

/** The silent call of which it is the trial, by its name in {@link OUTCOMES}. */
const CALL = process.env.CRYPTO_DIAG_TRIAL ?? 'the homeserver refuses the key';

/** Where everything is kept. */
const KEPT = path.join(target, 'trial');

/** How wide a column has to be for the words of the answer's tables, in CSS pixels. */
const WORD_PX = 70;

const card = (/** @type {string} */ part) => `crypto-diag-card >>> [part~="${part}"]`;

/** One of the three, and what it took. */
class Person {
  /** @type {string[]} what was pressed, typed or run, in this order */
  did = [];
  #seconds = 0;

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  /**
   * @template T
   * @param {string} what
   * @param {() => T | Promise<T>} task
   * @returns {Promise<T>}
   */
  async does(what, task) {
    const from = Date.now();
    const result = await task();
    this.#seconds += (Date.now() - from) / 1000;
    this.did.push(what);
    return result;
  }

  toString() {
    const steps = this.did.map((what) => `    ${what}`).join('\n');
    return `${this.name}: ${this.did.length} steps, ${(this.#seconds / 60).toFixed(1)} minutes\n${steps}`;
  }
}

const [user, peer, operator] = ['user', 'peer', 'operator'].map((name) => new Person(name));

/** @type {import('./rig.mjs').Rig} */
let rig;
/** @type {import('../../scripts/lib/process.mjs').Program[]} */
const programs = [];
/** The message that the user sends to the peer. */
let asked = '';
/** The user's marks, as the report has them. @type {{ ts: number, kind: string, label: string }[]} */
let marks;
/** The hand-off. */
let folder = '';
/** @type {{ code: number | null, stdout: string, stderr: string }} */
let ran;
/** @type {{ code: number | null, stdout: string, stderr: string }} */
let verified;
/** @type {any} */
let answer;
/** Minutes from the first error of the silent call to the verified answer, as this machine goes. */
let minutes = 0;

const outcomeOfCall = OUTCOMES.find(({ name }) => name === CALL);

before(async () => {
  if (!outcomeOfCall) throw new Error(`no silent call is named “${CALL}”`);
  rmSync(KEPT, { recursive: true, force: true });
  mkdirSync(KEPT, { recursive: true });
  rig = await startRig({ args: ['--autoplay-policy=no-user-gesture-required'] });
  const call = await outcomeOfCall.people(rig);
  const { speaker, listener } = call;
  for (const one of [speaker, listener]) await one.call('showCard');

  // The user hears nothing of the peer.
  const page = listener.tab.page;
  await user.does('press “Start session”', () => page.click(card('sessionStart-button')));
  await begin(call, outcomeOfCall);
  const error = await listener.tab.waitForEntry(
    'the first media key that is missing',
    ({ ke }) => ke === 'KE-2',
  );
  await user.does('type who it is', () => page.type(card('session-words'), 'Alice'));
  await user.does('press “No sound from …”', () => page.click(card('sessionNoSound-button')));
  await user.does('press Alt+Shift+2 for “Video froze”', () => page.press('Alt+Shift+2'));
  await settle(call, outcomeOfCall);
  await user.does('press “End session”', () => page.click(card('sessionEnd-button')));
  // A browser without a screen has no clipboard.
  await page.evaluate(() => {
    const writeText = async (/** @type {string} */ text) => void Object.assign(window, { asked: text });
    Object.defineProperty(navigator, 'clipboard', { value: { writeText } });
  });
  await user.does('press “Ask for the other side”', () => page.click(card('sessionAskOther-button')));
  asked = await page.waitFor(() => /** @type {any} */ (window).asked);
  const reports = [await download(user, listener), await download(peer, speaker)];
  marks = JSON.parse(readFileSync(reports[0], 'utf8')).marks;

  // The browsers can be closed, since the reports have what was in their memory. The operator comes after the call.
  const { dir, logPath } = rig.servers;
  await rig.leave();
  const via = await startSsh(dir, unprivileged(), programs);
  const binary = commandLine();
  const types = (/** @type {string[]} */ words) =>
    operator.does(`crypto-diag ${words[0]}`, () => outcome(binary, words));
  const profile = path.join(KEPT, 'crypto-diag.toml');
  // The configuration is named, since other Synapses may run on this machine.
  const config = path.join(path.dirname(logPath), 'homeserver.yaml');
  const init = await types(['init', '--via', via, '--synapse-config', config, '--output', profile]);
  assert.equal(init.code, 0, init.stderr);
  const check = await types(['check', '--profile', profile]);
  assert.equal(check.code, 0, `${check.stdout}${check.stderr}`);
  ran = await types(['run', ...reports, '--profile', profile, '--out', KEPT, '--zip']);
  folder = ran.stdout.split('\n')[0];
  verified = await types(['verify', folder]);
  minutes = (Date.now() - error.ts) / 60_000;
  answer = JSON.parse(readFileSync(path.join(folder, 'answer.json'), 'utf8'));
});

after(async () => {
  for (const program of programs) await program.stop();
  await rig?.stop();
});

test('the answer says in a sentence why the call was silent', () => {
  assert.equal(ran.code, 1, ran.stderr);
  assert.match(answer.summary, /** @type {import('./silent-calls.mjs').Outcome} */ (outcomeOfCall).says);
  assert.equal(ran.stdout.split('\n')[1], answer.summary);
  assert.deepEqual(answer.problems, []);
});

test('the report, README.txt and the timeline have what the user marked', () => {
  assert.deepEqual(
    marks.map(({ kind, label }) => [kind, label]),
    [
      ['start', ''],
      ['symptom', 'no sound from Alice'],
      ['symptom', 'Video froze'],
      ['end', ''],
    ],
  );
  const page = readFileSync(path.join(folder, 'README.txt'), 'utf8').replace(/\s+/g, ' ');
  const shown = JSON.stringify(answer.timeline);
  for (const { label } of marks.filter(({ kind }) => kind === 'symptom')) {
    assert.ok(page.includes(label), page);
    assert.ok(shown.includes(label), shown);
  }
});

test('the message to the peer names the time that its report has to cover', () => {
  const minute = (/** @type {number} */ ts) => new Date(ts).toISOString().slice(0, 16).replace('T', ' ');
  const [start, end] = [marks[0], marks[marks.length - 1]];
  assert.ok(asked.includes(`between ${minute(start.ts)} and ${minute(end.ts)} (UTC)`), asked);
});

test('the operator’s log and database came over ssh, and whoever is handed the folder can verify it', () => {
  const { coverage, refused } = JSON.parse(readFileSync(path.join(folder, 'data/manifest.json'), 'utf8'));
  assert.equal(coverage.database.connection, 'psql on its host');
  assert.ok(coverage.logs.length > 0);
  assert.deepEqual(refused, []);
  assert.equal(verified.code, 0, `${verified.stdout}${verified.stderr}`);
});

test('the page of the answer can be read in light and dark, on a phone, and on paper', async () => {
  const browser = await launch('chromium');
  const url = pathToFileURL(path.join(folder, 'answer.html')).href;
  /** @type {[string, number, 'light' | 'dark'][]} */
  const ways = [
    ['light', 1100, 'light'],
    ['dark', 1100, 'dark'],
    ['phone', 360, 'light'],
  ];
  try {
    for (const [name, width, colorScheme] of ways) {
      // As high as the page is, so that the picture has all of it.
      let height = 900;
      for (const _ of ['to measure', 'to draw']) {
        const page = await browser.newPage({ viewport: { width, height }, colorScheme });
        await page.goto(url);
        const size = await page.evaluate(() => {
          const { scrollWidth, scrollHeight } = document.documentElement;
          const cells = [...document.querySelectorAll('td')].map(({ clientWidth }) => clientWidth);
          return { scrollWidth, scrollHeight, narrowest: Math.min(...cells) };
        });
        assert.equal(size.scrollWidth, width, `${name}: nothing stands beside the page`);
        assert.ok(size.narrowest >= WORD_PX, `${name}: a column of ${size.narrowest} px breaks words`);
        height = size.scrollHeight;
        await page.screenshot(path.join(KEPT, `answer-${name}.png`));
        if (name === 'dark') await page.print(path.join(KEPT, 'answer-print.pdf'));
        await page.close();
      }
    }
  } finally {
    await browser.close();
  }
  console.log(told());
});

/** Presses “Download report” and keeps the file. @param {Person} person @param {Profile} profile */
async function download(person, { tab }) {
  const press = () => tab.page.download(() => tab.page.click(card('download-button')));
  const { text } = await person.does('press “Download report”', press);
  const file = path.join(KEPT, `${person.name}.json`);
  writeFileSync(file, text);
  return file;
}

/** What it took, in words. */
function told() {
  const kb = (/** @type {number} */ bytes) => `${Math.round(bytes / 1000).toLocaleString('en')} KB`;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const sizes = files.map(({ parentPath, name }) => statSync(path.join(parentPath, name)).size);
  const zipped = (/** @type {string} */ name) =>
    gzipSync(readFileSync(path.join(root, 'pkg/dist', name)), { level: 9 }).length;
  return [
    `\nFrom a silent call (${CALL}) to the answer\n`,
    ...[user, peer, operator].map(String),
    `from the first error to the verified answer: ${minutes.toFixed(1)} minutes of this machine`,
    `hand-off: ${sizes.length} files, ${kb(sizes.reduce((sum, size) => sum + size, 0))}, ${kb(statSync(`${folder}.zip`).size)} as a zip`,
    `binary: ${kb(statSync(commandLine()).size)} (${commandLine()})`,
    `card: ${kb(zipped('card.js'))} gzipped, beside ${kb(zipped('index.js'))} of the capture`,
    `pictures: ${KEPT}/answer-*`,
    `\n${answer.summary}`,
  ].join('\n');
}
