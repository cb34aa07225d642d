// @ts-check
// Silent calls with real media: two pages with the capture, in each a call's frame with LiveKit's own end-to-end encryption worker, joined
// back to back. The reports are made by the product in the pages, and judged by the command. There is no SFU: what one does by itself (pausing
// pictures, two of them in one call) is not in here.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { commandLine } from '../../scripts/lib/host-program.mjs';
import { outcome } from '../../scripts/lib/process.mjs';
import { root } from '../../scripts/lib/project.mjs';
import { folder, serve } from '../../scripts/lib/server.mjs';
import { everything } from '../support/matrix.mjs';
import { schemaErrors } from '../support/report-schema.mjs';
import { Told, outcomeOf, stoppedAt } from '../support/call/outcome.mjs';
import { startRelay, through } from '../support/call/relay.mjs';
import { launch } from '../support/browser.mjs';

const require = createRequire(import.meta.url);

const html = (/** @type {string} */ script) => `<!doctype html><meta charset="utf-8"><body>${script}`;

/** A page that has the capture, and a call in a frame. */
const SIDE = `
  import * as diag from '/pkg/index.js';
  diag.install();
  const frame = document.createElement('iframe');
  frame.src = '/call/index.html';
  const loaded = new Promise((done) => frame.addEventListener('load', done));
  document.body.append(frame);
  window.side = { diag, frame, loaded };
`;

/** Who they are, how the media server names them, their sessions there, and where it is. */
const ALICE = {
  user: '@alice:example.org',
  device: 'ALICEDEVCE',
  identity: '@alice:example.org:ALICEDEVCE',
  sid: 'PA_aLiCe8f3kQ2x',
  focus: 'https://sfu.example.org',
};
const BOB = {
  user: '@bob:example.org',
  device: 'BOBDEVCEXX',
  identity: '@bob:example.org:BOBDEVCEXX',
  sid: 'PA_b0bXy71mZp4w',
  focus: 'https://sfu.example.org',
};

/** Joins two of them. */
const CALLS = `
  const [ALICE, BOB] = ${JSON.stringify([ALICE, BOB])};
  window.calls = {};
  const loaded = (frame) => new Promise((done) => frame.addEventListener('load', done, { once: true }));
  async function open(members) {
    const page = document.createElement('iframe');
    page.src = '/side.html';
    const there = loaded(page);
    document.body.append(page);
    await there;
    const { diag, frame, loaded: inner } = page.contentWindow.side;
    await inner;
    // What Element Call's own frame has there, as far as a report reads it.
    frame.contentWindow.rtcSession = {
      isJoined: () => true,
      room: { roomId: '!call:example.org' },
      memberships: members.map(({ user, device, identity, focus }) => ({
        userId: user,
        deviceId: device,
        rtcBackendIdentity: identity,
        // Long enough ago that a stream would be there.
        createdTs: () => Date.now() - 120_000,
        getTransport: () => ({ livekit_service_url: focus }),
      })),
    };
    // A message that this page has sent: the homeserver stamped it, and it came back. Memberships have that clock's time.
    const made = Date.now();
    const message = {
      getUnsigned: () => ({ transaction_id: \`m\${made}.0\`, age: 0 }),
      getTs: () => made + 10,
      localTimestamp: made + 20,
    };
    const rooms = [{ getLiveTimeline: () => ({ getEvents: () => [message] }) }];
    return { diag, call: frame.contentWindow.call, rooms };
  }
  window.begin = async (name, plan, members) => {
    const [alice, bob] = await Promise.all([open(members), open(members)]);
    await Promise.all([alice.call.begin(ALICE, BOB, plan.alice), bob.call.begin(BOB, ALICE, plan.bob)]);
    window.calls[name] = { alice, bob };
  };
  window.report = (name, who, userId, deviceId) => window.calls[name][who].diag.collectReport({
    getUserId: () => userId, getDeviceId: () => deviceId, getSyncState: () => 'SYNCING', getCrypto: () => null,
    getRooms: () => window.calls[name][who].rooms,
  });
  window.ready = true;
`;

/** @typedef {import('../support/call/outcome.mjs').Name} Name */
/** @typedef {{encrypts?: boolean, decrypts?: boolean, ownKey?: number, theirKey?: number, isThere?: boolean}} Half */

/** Both sides well: Alice's key is 1, Bob's is 2. */
const WELL = { alice: { ownKey: 1, theirKey: 2 }, bob: { ownKey: 2, theirKey: 1 } };
/** How often reports are made at most, until what is to be said is said: a busy machine starves either direction for seconds. */
const TRIES = 5;
/** Milliseconds after the first error from which on a key that comes late has come. */
const LATE = 11_000;

/**
 * Each: what is done to Alice's media on its way to Bob, and what follows for it.
 *
 * @typedef {object} Outcome
 * @property {string} name
 * @property {{alice: Half, bob: Half}} plan
 * @property {(typeof ALICE)[]} [members] of the call, as both see it
 * @property {boolean} [apart] whether nothing joins their media
 * @property {[side: 'alice' | 'bob' | 'network', step: string, ...args: number[]]} [step] what changes once all is well
 * @property {'lines' | 'quiet' | 'none'} trouble by what it is told that things have become what they are
 * @property {Name} is what is the case, as docs/calls.md has it
 * @property {Name} both what the answer to both reports names
 * @property {Name | Name[]} bob what the answer to his report alone names, or which of these
 * @property {Name} alice what the answer to hers alone names
 * @property {string | null} [stopped] the hop at which a key of hers stopped, by both reports
 * @property {RegExp} says what the answer to both says in a sentence
 * @property {string[]} proven what Bob's report says of Alice's media
 * @property {string[]} never
 * @property {string} [own] what her own report says of it
 * @property {string[]} [back] what hers says of his media, which is well if this is left out
 * @property {boolean} [onDemand] whether it is left to `npm run test:matrix`
 */

/** @type {Outcome[]} */
const OUTCOMES = [
  {
    name: 'nothing is wrong',
    is: 'healthy',
    both: 'healthy',
    bob: 'healthy',
    alice: 'unknown',
    stopped: null,
    says: /if it is not heard then, encryption is not why/,
    plan: WELL,
    trouble: 'none',
    proven: ['media-decoded'],
    never: ['media-not-decrypted', 'media-not-arriving', 'encryption-one-sided'],
  },
  {
    name: 'Alice’s key never comes',
    is: 'unknown',
    both: 'unknown',
    bob: 'unknown',
    alice: 'unknown',
    stopped: 'set',
    says: /[Dd]evice BOBDEVCEXX of @bob:example\.org gets media of @alice:example\.org that it cannot decrypt/,
    plan: { ...WELL, bob: { ownKey: 2 } },
    trouble: 'lines',
    proven: ['media-not-decrypted'],
    never: ['media-decoded', 'media-not-arriving', 'encryption-one-sided'],
  },
  {
    name: 'Bob has another key under the index of Alice’s',
    is: 'wrong or old index',
    both: 'wrong or old index',
    bob: 'wrong or old index',
    alice: 'unknown',
    stopped: 'decrypted',
    says: /[Dd]evice BOBDEVCEXX of @bob:example\.org gets media of @alice:example\.org that it cannot decrypt/,
    plan: { ...WELL, bob: { ownKey: 2, theirKey: 9 } },
    trouble: 'lines',
    proven: ['media-not-decrypted'],
    never: ['media-decoded', 'media-not-arriving', 'encryption-one-sided'],
  },
  {
    name: 'Alice rotates her key, and the new one never comes',
    is: 'wrong or old index',
    both: 'wrong or old index',
    bob: 'wrong or old index',
    alice: 'unknown',
    stopped: 'set',
    says: /[Dd]evice BOBDEVCEXX of @bob:example\.org gets media of @alice:example\.org that it cannot decrypt/,
    plan: WELL,
    step: ['alice', 'rotateOwnKey', 3, 1],
    trouble: 'lines',
    proven: ['media-not-decrypted'],
    never: ['media-decoded', 'media-not-arriving', 'encryption-one-sided'],
  },
  {
    name: 'Alice sends without encryption',
    is: 'encryption off on one side',
    both: 'encryption off on one side',
    bob: 'encryption off on one side',
    alice: 'unknown',
    says: /@alice:example\.org sends media without the encryption that device BOBDEVCEXX of @bob:example\.org expects/,
    plan: { alice: { encrypts: false, theirKey: 2 }, bob: WELL.bob },
    trouble: 'lines',
    proven: ['encryption-one-sided'],
    never: ['media-decoded', 'media-not-arriving'],
  },
  {
    name: 'Bob takes Alice’s media for unencrypted',
    is: 'encryption off on one side',
    both: 'unknown',
    bob: 'unknown',
    alice: 'unknown',
    stopped: null,
    says: /^(?!.*@alice:example\.org (arrives|sends|that))/,
    plan: { ...WELL, bob: { ownKey: 2, theirKey: 1, decrypts: false } },
    trouble: 'none',
    proven: [],
    never: ['media-decoded', 'media-not-arriving', 'media-not-decrypted'],
  },
  {
    name: 'Alice stops sending',
    is: 'muted',
    both: 'muted',
    bob: 'unknown',
    alice: 'muted',
    stopped: null,
    says: /Nothing of @alice:example\.org arrives at device BOBDEVCEXX of @bob:example\.org, since device ALICEDEVCE of @alice:example\.org sends no sound itself/,
    plan: WELL,
    step: ['alice', 'stopSending'],
    trouble: 'quiet',
    proven: ['media-not-arriving'],
    never: ['media-decoded', 'media-not-decrypted', 'encryption-one-sided'],
    own: 'media-not-sent',
  },
  {
    // Pictures come, and silence. An SFU makes such a silence, too, so Bob's report alone leaves it open where his page has printed an error
    // about her frames before; where it has not, what comes out is her own.
    name: 'Alice mutes herself',
    is: 'muted',
    both: 'muted',
    bob: ['unknown', 'healthy'],
    alice: 'muted',
    stopped: null,
    says: /[Dd]evice ALICEDEVCE of @alice:example\.org sends no sound itself/,
    plan: WELL,
    step: ['alice', 'mute'],
    trouble: 'none',
    proven: [],
    never: ['media-not-decrypted', 'media-not-arriving', 'encryption-one-sided'],
    own: 'media-not-sent',
  },
  {
    name: 'Alice mutes her microphone as LiveKit does, and her camera goes on',
    is: 'muted',
    both: 'muted',
    bob: ['unknown', 'healthy'],
    alice: 'muted',
    stopped: null,
    says: /[Dd]evice ALICEDEVCE of @alice:example\.org sends no sound itself/,
    plan: WELL,
    step: ['alice', 'muteMicrophone'],
    trouble: 'none',
    proven: [],
    never: ['media-not-decrypted', 'media-not-arriving', 'encryption-one-sided'],
    own: 'media-not-sent',
    onDemand: true,
  },
  {
    name: 'Alice’s microphone is taken out of the call, and her camera goes on',
    is: 'muted',
    both: 'muted',
    bob: ['unknown', 'healthy'],
    alice: 'muted',
    stopped: null,
    says: /[Dd]evice ALICEDEVCE of @alice:example\.org sends no sound itself/,
    plan: WELL,
    step: ['alice', 'takeMicrophoneOut'],
    trouble: 'none',
    proven: [],
    never: ['media-not-decrypted', 'media-not-arriving', 'encryption-one-sided'],
    own: 'media-not-sent',
    onDemand: true,
  },
  {
    name: 'Alice’s own worker has no key of hers, and drops what she says',
    is: 'refused or swallowed',
    both: 'refused or swallowed',
    bob: 'unknown',
    alice: 'refused or swallowed',
    stopped: null,
    says: /Nothing of @alice:example\.org arrives at device BOBDEVCEXX of @bob:example\.org, since device ALICEDEVCE of @alice:example\.org sends no sound itself/,
    plan: { alice: { theirKey: 2 }, bob: WELL.bob },
    trouble: 'none',
    proven: ['media-not-arriving'],
    never: ['media-decoded', 'media-not-decrypted', 'encryption-one-sided'],
    own: 'media-not-sent',
  },
  {
    name: 'the network between them is cut',
    is: 'network',
    both: 'network',
    bob: 'network',
    alice: 'unknown',
    stopped: null,
    says: /Nothing of @alice:example\.org arrives at device BOBDEVCEXX of @bob:example\.org: its decryption is not why/,
    plan: WELL,
    step: ['network', 'cut'],
    trouble: 'quiet',
    proven: ['media-not-arriving'],
    never: ['media-decoded', 'media-not-decrypted', 'encryption-one-sided'],
    back: ['media-not-arriving'],
  },
  {
    name: 'Alice’s side ends its connection without a word',
    is: 'network',
    both: 'network',
    bob: 'network',
    alice: 'unknown',
    stopped: null,
    says: /Nothing of @alice:example\.org arrives at device BOBDEVCEXX of @bob:example\.org: its decryption is not why/,
    plan: WELL,
    step: ['alice', 'leave'],
    trouble: 'quiet',
    proven: ['media-not-arriving'],
    never: ['media-decoded', 'media-not-decrypted', 'encryption-one-sided'],
    back: [],
    onDemand: true,
  },
  {
    // Which SFU is to blame only the SFUs' logs say.
    name: 'Alice is a member at another SFU, of which nothing comes',
    is: 'other SFU or membership',
    both: 'other SFU or membership',
    bob: 'other SFU or membership',
    alice: 'unknown',
    stopped: null,
    says: /Nothing of @alice:example\.org arrives at device BOBDEVCEXX of @bob:example\.org: its decryption is not why/,
    plan: { alice: { ...WELL.alice, isThere: false }, bob: { ...WELL.bob, isThere: false } },
    members: [{ ...ALICE, focus: 'https://sfu.example.com' }, BOB],
    apart: true,
    trouble: 'none',
    proven: ['media-not-arriving'],
    never: ['media-decoded', 'media-not-decrypted', 'different-sfu'],
    back: ['media-not-arriving'],
  },
  {
    name: 'Alice speaks, and neither sees her as a member of the call',
    is: 'healthy',
    both: 'healthy',
    bob: 'healthy',
    alice: 'unknown',
    stopped: null,
    says: /if it is not heard then, encryption is not why/,
    plan: WELL,
    members: [BOB],
    trouble: 'none',
    proven: ['media-decoded'],
    never: ['media-not-decrypted', 'media-not-arriving', 'encryption-one-sided'],
    onDemand: true,
  },
];
/**
 * Where the calls are: two cores carry no more at once without glitches that are none of encryption's. WebKitGTK has no
 * RTCPeerConnection. `npm test` has most of them in Chromium, and two in Firefox; `npm run test:matrix` all of them in both.
 * @type {{engine: 'chromium' | 'firefox', options: Parameters<typeof launch>[1], atOnce: number, outcomes: Outcome[]}[]}
 */
const PLACES = [
  {
    engine: 'chromium',
    options: { args: ['--autoplay-policy=no-user-gesture-required'] },
    atOnce: 3,
    outcomes: OUTCOMES.filter(({ onDemand }) => !onDemand || everything),
  },
  {
    engine: 'firefox',
    options: {
      preferences: {
        'media.autoplay.default': 0,
        'media.autoplay.blocking_policy': 0,
        'media.navigator.streams.fake': true,
        'media.navigator.permission.disabled': true,
      },
    },
    atOnce: 2,
    outcomes: everything ? OUTCOMES : OUTCOMES.slice(0, 2),
  },
];

/** What the pages have in their window; the functions below run there. @type {any} */
let window;

for (const { engine, options, atOnce, outcomes } of PLACES) {
  describe(`a call with media in ${engine}`, () => {
    const work = fs.mkdtempSync(path.join(os.tmpdir(), 'crypto-diag-media-'));
    const cli = commandLine();
    const told = new Told();
    after(() => console.log(`\nSilent calls in ${engine}\n${told}`));
    /** @type {Awaited<ReturnType<typeof serve>>} */
    let server;
    /** @type {import('../support/browser.mjs').Browser} */
    let browser;
    /** @type {import('../support/browser.mjs').Page} */
    let page;

    before(async () => {
      const { build } = require('esbuild');
      await build({
        entryPoints: [path.join(root, 'tests/support/call/side.js')],
        outfile: path.join(work, 'call.js'),
        bundle: true,
        format: 'esm',
        logLevel: 'error',
      });
      const worker = require.resolve('livekit-client').replace(/[^/]+$/, 'livekit-client.e2ee.worker.mjs');
      server = await serve({
        '/': html(`<script type="module">${CALLS}</script>`),
        '/side.html': html(`<script type="module">${SIDE}</script>`),
        '/call/index.html': html('<script type="module" src="/call.js"></script>'),
        '/call.js': fs.readFileSync(path.join(work, 'call.js'), 'utf8'),
        '/worker.js': fs.readFileSync(worker, 'utf8'),
        '/pkg/': folder(path.join(root, 'pkg/dist')),
      });
      browser = await launch(engine, options);
    });
    after(async () => {
      await browser?.close();
      await server?.close();
      fs.rmSync(work, { recursive: true, force: true });
    });

    /** The verdicts on some reports. @param {Record<string, string>} reports */
    function judged(reports) {
      const files = Object.entries(reports).map(([name, text]) => {
        const file = path.join(work, `${name}.report.json`);
        fs.writeFileSync(file, text);
        return file;
      });
      const { stdout, stderr } = outcome(cli, ['triage', '--format', 'json', ...files]);
      assert.notEqual(stdout, '', stderr);
      return JSON.parse(stdout);
    }

    /** What is proven of one side's media at the other's page. @param {any} answer @param {{user: string}} from */
    const provenFrom = (answer, from) =>
      answer.verdicts
        .filter(
          (/** @type {any} */ { is, about }) => is === 'proven' && about.includes(` from ${from.user}/`),
        )
        .map((/** @type {any} */ { claim }) => claim);

    for (let first = 0; first < outcomes.length; first += atOnce) {
      describe(`calls ${first + 1} to ${first + atOnce}`, () => {
        const some = outcomes.slice(first, first + atOnce);
        /** The networks that can be cut. @type {Map<string, import('../support/call/relay.mjs').Relay>} */
        const relays = new Map();
        /** @param {string} name @param {'alice' | 'bob'} who @param {string} what @param {unknown[]} given */
        const call = (name, who, what, ...given) =>
          page.evaluate(
            (/** @type {string[]} */ [name, who, what], /** @type {unknown[]} */ ...given) =>
              window.calls[name][who].call[what](...given),
            [name, who, what],
            ...given,
          );
        /** Joins the media of two. @param {Outcome} outcome */
        async function join({ name, step }) {
          const relay = step?.[0] === 'network' ? await startRelay() : undefined;
          if (relay) relays.set(name, relay);
          const passed = (/** @type {any} */ description, /** @type {0 | 1} */ to) =>
            relay ? through(description, relay.address, relay.ports[to]) : description;
          const answer = await call(name, 'bob', 'answer', passed(await call(name, 'alice', 'offer'), 1));
          await call(name, 'alice', 'answered', passed(answer, 0));
        }
        before(async () => {
          page = await browser.newPage();
          await page.goto(server.url);
          await page.waitFor(() => window.ready);
          for (const outcome of some) {
            const { name, plan, members = [ALICE, BOB], apart } = outcome;
            await page.evaluate((/** @type {any[]} */ ...args) => window.begin(...args), name, plan, members);
            if (!apart) await join(outcome);
          }
          for (const { name, step } of some) {
            if (!step) continue;
            // What is changed was well before.
            await page.waitFor(async (/** @type {string} */ name) => {
              const { emitted, decoded } = await window.calls[name].bob.call.seen();
              return emitted > 48_000 && decoded > 5;
            }, name);
            if (step[0] === 'network') relays.get(name)?.cut();
            else
              await page.evaluate(
                (
                  /** @type {string} */ name,
                  /** @type {[string, string, ...number[]]} */ [who, what, ...args],
                ) => window.calls[name][who].call.steps[what](...args),
                name,
                step,
              );
          }
        });
        after(async () => {
          await page?.close();
          relays.forEach((relay) => relay.close());
        });

        for (const outcome of some) {
          const { name, trouble, proven, never, own, back = ['media-decoded'], is, stopped, says } = outcome;
          test(`${name}: ${is}`, async () => {
            await page.waitFor(
              async (
                /** @type {string} */ name,
                /** @type {string} */ trouble,
                /** @type {number} */ late,
                /** @type {boolean} */ isWell,
                /** @type {boolean} */ comes,
              ) => {
                const { bob, alice } = window.calls[name];
                const back = await alice.call.seen();
                if (isWell && (back.decoded < 5 || back.emitted < 48_000)) return false;
                const [first] = bob.diag.getEntries();
                const seen = await bob.call.seen();
                if (trouble === 'lines') return first && Date.now() - first.ts > late;
                if (trouble === 'none') return seen.packets > 100 || !comes;
                // Nothing has come for longer than a pause between words.
                const before = window.calls[name].before;
                if (before?.packets !== seen.packets)
                  window.calls[name].before = { packets: seen.packets, at: Date.now() };
                return before?.packets === seen.packets && Date.now() - before.at > late;
              },
              name,
              trouble,
              LATE,
              back.includes('media-decoded'),
              !proven.includes('media-not-arriving'),
            );
            const report = (
              /** @type {string} */ who,
              /** @type {{user: string, device: string}} */ { user, device },
            ) =>
              page.evaluate(
                (/** @type {string[]} */ ...args) => window.report(...args),
                name,
                who,
                user,
                device,
              );
            /** @type {any} */
            let alone, both, hers;
            /** What the answers to both, to his and to hers name. @type {Name[]} */
            let named = [];
            const wanted = [outcome.both, outcome.bob, outcome.alice];
            const isNamed = () => named.every((name, at) => [wanted[at]].flat().includes(name));
            /** What is proven of her media, by his report and by both. @type {string[][]} */
            let said = [];
            for (let tried = 0; tried < TRIES; tried++) {
              // Hers first: what his page lacks from then on is what hers says.
              const alice = await report('alice', ALICE);
              const bob = await report('bob', BOB);
              for (const text of [alice, bob]) assert.deepEqual(schemaErrors(JSON.parse(text)), []);
              [alone, both, hers] = [judged({ bob }), judged({ alice, bob }), judged({ alice })];
              named = [both, alone, hers].map((answer) => outcomeOf(answer, ALICE.user));
              said = [alone, both].map((answer) => provenFrom(answer, ALICE));
              // Whatever starves, nothing false is said.
              for (const claim of never)
                assert.ok(!said.flat().includes(claim), `${claim}: ${alone.summary} ${both.summary}`);
              const isSaid = said.every((claims) => proven.every((claim) => claims.includes(claim)));
              const isWell = isDeepStrictEqual(provenFrom(both, BOB), back);
              if (isSaid && isWell && isNamed()) break;
            }
            for (const claim of proven) {
              assert.ok(said[0].includes(claim), `${said[0]}: ${alone.summary}`);
              assert.ok(said[1].includes(claim), `${said[1]}: ${both.summary}`);
            }
            assert.deepEqual(provenFrom(both, BOB), back, `the other direction: ${both.summary}`);
            // His own, which ends where her side has gone, is not asked about.
            const sent = both.verdicts.filter(
              (/** @type {any} */ { claim, is, about }) =>
                claim === 'media-not-sent' && is === 'proven' && about.startsWith(`${ALICE.user}/`),
            );
            assert.equal(sent.length, own === 'media-not-sent' ? 1 : 0, both.summary);
            told.add(name, is, { both: named[0], listener: named[1], speaker: named[2] });
            assert.ok(isNamed(), `${named} and not ${wanted.join(', ')}: ${both.summary}`);
            assert.match(both.summary, says);
            if (stopped !== undefined)
              assert.equal(stoppedAt(both, ALICE.user), stopped, JSON.stringify(both.mediaKeys.paths));
          });
        }
      });
    }
  });
}
