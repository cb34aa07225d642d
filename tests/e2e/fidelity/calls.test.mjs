// @ts-check
// What a report tells of the call in a frame, and what a frame sees of it: nothing but that `connection.constructor` is the browser's
// own, and that the source of its RTCPeerConnection, native code as ever, has no name. WebKitGTK has no RTCPeerConnection as it is shipped: that is asserted, too, so that a change shows.
import assert from 'node:assert/strict';
import { schemaErrors } from '../../support/report-schema.mjs';
import { fidelity } from './harness.mjs';

const html = (/** @type {string} */ script) =>
  `<!doctype html><meta charset="utf-8"><script>${script}</script><body>`;

/** What a frame's own script does with connections. */
const CALL = `
  /** Of this document: a picture that changes. */
  function picture() {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 32;
    const pen = canvas.getContext('2d');
    let turn = 0;
    setInterval(() => { pen.fillStyle = turn++ % 2 ? 'red' : 'blue'; pen.fillRect(0, 0, 32, 32); }, 40);
    return canvas.captureStream(25).getVideoTracks()[0];
  }
  function sound() {
    const context = new AudioContext();
    const source = context.createOscillator();
    const destination = context.createMediaStreamDestination();
    source.connect(destination);
    source.start();
    return destination.stream.getAudioTracks()[0];
  }
  /** A connection that was never negotiated, with so many pictures to send. */
  function idle(count = 1) {
    const connection = new RTCPeerConnection();
    const track = picture();
    for (let at = 0; at < count; at++) connection.addTrack(at ? track.clone() : track);
    return connection;
  }
  /** Two connections of this document; what the first sends has the name that LiveKit's server would give it. */
  async function loop() {
    const from = new RTCPeerConnection();
    const to = new RTCPeerConnection();
    from.onicecandidate = ({ candidate }) => candidate && to.addIceCandidate(candidate);
    to.onicecandidate = ({ candidate }) => candidate && from.addIceCandidate(candidate);
    to.ontrack = ({ track }) => {
      const shown = document.createElement(track.kind);
      shown.autoplay = shown.muted = true;
      shown.srcObject = new MediaStream([track]);
      document.body.append(shown);
    };
    for (const track of [sound(), picture()]) from.addTrack(track, new MediaStream());
    await from.setLocalDescription();
    const sdp = from.localDescription.sdp.replace(/a=msid:\\S+/g, 'a=msid:PA_Xk29dFq8LmNpQ|CS_x');
    await to.setRemoteDescription({ type: 'offer', sdp });
    await to.setLocalDescription();
    await from.setRemoteDescription(to.localDescription);
    const numbers = async (one, name) => {
      const found = [];
      (await one.getStats()).forEach((row) => found.push(row[name] ?? 0));
      return Math.max(0, ...found);
    };
    return { from, to, flows: async () =>
      from.connectionState === 'connected' && to.connectionState === 'connected' &&
      (await numbers(to, 'framesDecoded')) > 0 && (await numbers(to, 'jitterBufferEmittedCount')) > 100 };
  }
`;

const claim = fidelity(
  {
    '/quiet.html': html(''),
    '/call.html': html(CALL),
    // Its connection is made by its very first script.
    '/early.html': html(`${CALL} window.RTCPeerConnection && (window.early = idle());`),
    '/calls.js': `
      /** What a frame's script can see of its own RTCPeerConnection. */
      export async function visible(frame) {
        const window = frame.contentWindow;
        const seen = [];
        for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection']) {
          const { value: Peer, ...flags } = Object.getOwnPropertyDescriptor(window, name) ?? {};
          if (!Peer) { seen.push([name, typeof window[name]]); continue; }
          const error = (work) => { try { work(); return null; } catch (error) {
            return [error.name, error.message, error instanceof window.DOMException, error instanceof window.TypeError];
          } };
          class Mine extends Peer { more() { return 7; } }
          const connection = new Peer({ iceServers: [] });
          const mine = new Mine();
          const bare = window.Object.create(Peer.prototype);
          seen.push([name, flags, {
            ofType: typeof Peer, name: Peer.name, length: Peer.length,
            source: window.Function.prototype.toString.call(Peer).replace(/\\s+/g, ' ').replace(/^function \\w* ?/, ''),
            tag: Object.prototype.toString.call(Peer), keys: Reflect.ownKeys(Peer).map(String).sort(),
            isFunction: Peer instanceof window.Function, parent: Object.getPrototypeOf(Peer) === window.EventTarget,
            prototypeOf: Object.getPrototypeOf(connection) === Peer.prototype,
            instance: connection instanceof Peer, tagOf: Object.prototype.toString.call(connection),
            stranger: bare instanceof Peer, other: {} instanceof Peer,
            mine: [mine instanceof Mine, mine instanceof Peer, mine.more(), mine.signalingState, mine.constructor === Mine],
            certificate: typeof Peer.generateCertificate,
            made: (await Peer.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' })) instanceof window.RTCCertificate,
            reflected: Reflect.construct(Peer, [], Mine) instanceof Mine,
            states: [connection.connectionState, connection.signalingState],
            config: error(() => new Peer({ iceServers: [{ urls: 'nonsense:' }] })),
            type: error(() => new Peer(7)),
            called: error(() => Peer()),
            same: window.webkitRTCPeerConnection === undefined || window.webkitRTCPeerConnection === window.RTCPeerConnection,
          }, connection.constructor === Peer]);
          connection.close();
          mine.close();
        }
        return seen;
      }
    `,
  },
  {
    args: {
      chromium: [
        '--js-flags=--expose-gc',
        '--autoplay-policy=no-user-gesture-required',
        // Connections inside of one machine, also where it has no network.
        '--allow-loopback-in-peer-connection',
        '--disable-features=WebRtcHideLocalIpsWithMdns',
      ],
    },
    preferences: {
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.autoplay.default': 0,
    },
  },
);

/** Whether an engine has such connections at all. */
const has = (/** @type {string} */ engine) => engine !== 'webkit';

/** The text of the report of a frame with a call, and every description of its connections. */
const withCall = async () => {
  const { add, start, until } = await import('/kit.js');
  const { diag } = await start();
  const frame = await add('iframe', { src: '/call.html?token=secret' });
  if (!frame.contentWindow.RTCPeerConnection) return { text: await diag.collectReport(null), sdps: [] };
  const { from, to, flows } = await frame.contentWindow.loop();
  await until(flows, 'sound and a picture come');
  const text = await diag.collectReport(null);
  return { text, sdps: [from, to].flatMap((one) => [one.localDescription.sdp, one.remoteDescription.sdp]) };
};

claim(
  'each stream of a frame’s connections has a row with two samples, but for WebKit, which has no connections',
  async ({ page, engine }) => {
    const { text } = await page.evaluate(withCall);
    const report = JSON.parse(text);
    assert.deepEqual(schemaErrors(report), []);
    if (!has(engine)) {
      assert.equal(await page.evaluate(() => typeof globalThis.RTCPeerConnection), 'undefined');
      assert.equal(report.call, null);
      return;
    }
    const { streams, omitted } = report.call;
    assert.equal(omitted, 0);
    const rows = streams.map((/** @type {any} */ { samples, muted, mid, ...row }) => row);
    const row = { path: '/call.html', connectionState: 'connected', enabled: true };
    const sent = { ...row, connection: 0, direction: 'sending', participantSid: null };
    const received = { ...row, connection: 1, direction: 'receiving', participantSid: 'PA_Xk29dFq8LmNpQ' };
    assert.deepEqual(rows, [
      { ...sent, kind: 'audio' },
      { ...sent, kind: 'video' },
      { ...received, kind: 'audio' },
      { ...received, kind: 'video' },
    ]);
    for (const { mid, muted, samples } of streams) {
      assert.match(mid, /^\S+$/);
      assert.equal(typeof muted, 'boolean');
      assert.equal(samples.length, 2);
      assert.ok(samples[0].packets > 0 && samples[1].packets >= samples[0].packets, JSON.stringify(samples));
      assert.ok(samples[1].ts > samples[0].ts);
    }
    const [sound, picture] = streams.slice(2).map((/** @type {any} */ { samples }) => samples[1]);
    for (const { packetAge, playedAge } of [sound, picture]) {
      assert.ok(packetAge >= 0 && packetAge < 60_000, `${packetAge}`);
      assert.ok(playedAge >= 0 && playedAge < 60_000, `${playedAge}`);
    }
    assert.ok(sound.emitted > 0 && sound.samples > 0 && sound.concealed >= 0 && sound.energy >= 0);
    assert.deepEqual(
      [sound.frames, sound.decoded, picture.emitted, picture.samples],
      [null, null, null, null],
    );
    assert.ok(picture.frames > 0 && picture.decoded > 0 && picture.dropped >= 0 && picture.plis >= 0);
    const [, shown] = streams.map((/** @type {any} */ { samples }) => samples[1]);
    assert.ok(shown.frames > 0 && shown.packetAge === null && shown.playedAge === null);
  },
);

claim(
  'no address, candidate, fingerprint, SSRC or key of a connection is in the report',
  async ({ page, engine }) => {
    const { text, sdps } = await page.evaluate(withCall);
    const secrets = new Set();
    for (const sdp of sdps) {
      for (const [, address] of sdp.matchAll(/^a=candidate:(?:\S+ ){4}(\S+)/gm)) secrets.add(address);
      for (const [, value] of sdp.matchAll(/^a=(?:fingerprint:\S+ |ice-pwd:|ssrc:)(\S+)/gm))
        secrets.add(value);
      for (const [, value] of sdp.matchAll(/^a=candidate:(\S+)/gm)) if (value.length > 4) secrets.add(value);
    }
    if (has(engine)) assert.ok(secrets.size > 6, [...secrets].join());
    const words = new Set(text.split(/[^\w.:-]+/));
    for (const secret of secrets) assert.ok(!words.has(secret), secret);
    assert.doesNotMatch(text, /candidate|fingerprint|ssrc|ufrag|token=secret/i);
  },
);

claim(
  'a frame sees no other difference of its RTCPeerConnection than `constructor` and the name in its source',
  async ({ page, engine }) => {
    const look = async (/** @type {object | null} */ options) => {
      const { add, load, silence } = await import('/kit.js');
      const { visible } = await import('/calls.js');
      silence();
      if (options) (await load()).install(options);
      return visible(await add('iframe', { src: '/call.html' }));
    };
    const bare = await page.evaluate(look, null);
    await page.reload();
    const watched = await page.evaluate(look, {});
    await page.reload();
    const left = await page.evaluate(look, { calls: false });
    const differences = (/** @type {any[]} */ rows) =>
      rows.map((row) => row[3]).filter((own) => own !== undefined);
    assert.deepEqual(left, bare);
    const without = (/** @type {any[]} */ rows) => rows.map((row) => row.slice(0, 3));
    assert.deepEqual(without(watched), without(bare));
    const names = { chromium: 2, firefox: 1, webkit: 0 }[engine];
    assert.deepEqual(differences(bare), Array(names).fill(true));
    assert.deepEqual(differences(watched), Array(names).fill(false));
  },
);

/** What a report says of idle connections: the path of each, and whether it was made. */
const idle = async (/** @type {string} */ address) => {
  const { add, start } = await import('/kit.js');
  const { diag } = await start();
  const frame = await add('iframe', { src: address });
  const paths = async () =>
    (JSON.parse(await diag.collectReport(null)).call?.streams ?? []).map((/** @type {any} */ row) => [
      row.path,
      row.connectionState,
    ]);
  const first = await paths();
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
  frame.src = `${address}?again`;
  await loaded;
  const again = await paths();
  frame.remove();
  return { first, again, removed: await paths() };
};

claim(
  'a connection of a frame’s first script is known, also after it navigates, and not once it is gone',
  async ({ page, engine }) => {
    const seen = await page.evaluate(idle, '/early.html');
    const one = has(engine) ? [['/early.html', 'new']] : [];
    assert.deepEqual(seen, { first: one, again: one, removed: [] });
  },
);

claim('nothing is asked of a connection before a report that may wait', async ({ page, engine }) => {
  const seen = await page.evaluate(async () => {
    const { add, start } = await import('/kit.js');
    const { diag, report } = await start();
    const frame = await add('iframe', { src: '/call.html' });
    const window = frame.contentWindow;
    /** @type {string[]} */
    const asked = [];
    for (const [name, type] of Object.entries({
      RTCPeerConnection: window.RTCPeerConnection,
      RTCRtpSender: window.RTCRtpSender,
      RTCRtpReceiver: window.RTCRtpReceiver,
    })) {
      for (const [key, found] of Object.entries(Object.getOwnPropertyDescriptors(type?.prototype ?? {}))) {
        const part = found.get ? 'get' : 'value';
        const original = found[part];
        if (typeof original !== 'function' || key === 'constructor' || key === 'addTrack') continue;
        found[part] = function (/** @type {any[]} */ ...args) {
          asked.push(`${name}.${key}`);
          return original.apply(this, args);
        };
        Object.defineProperty(type.prototype, key, found);
      }
    }
    const connection = window.RTCPeerConnection && window.idle();
    console.error('missing key at index 1');
    diag.getEntries();
    diag.getCaptureStatus();
    report();
    const before = [...asked];
    const { call } = JSON.parse(await diag.collectReport(null));
    return {
      before,
      after: [...new Set(asked)].sort(),
      made: Boolean(connection),
      streams: call?.streams.length ?? 0,
    };
  });
  assert.deepEqual(seen.before, []);
  if (!has(engine)) return assert.deepEqual([seen.after, seen.made], [[], false]);
  assert.equal(seen.streams, 1);
  assert.deepEqual(seen.after, [
    'RTCPeerConnection.connectionState',
    'RTCPeerConnection.getTransceivers',
    'RTCPeerConnection.remoteDescription',
    'RTCRtpSender.getStats',
    'RTCRtpSender.track',
  ]);
});

claim('a report of a page without a call waits for no timer', async ({ page, engine }) => {
  const seen = await page.evaluate(async () => {
    const { add, start } = await import('/kit.js');
    /** @type {number[]} */
    const timers = [];
    const { setTimeout } = globalThis;
    // The capture takes what it finds as it is loaded.
    globalThis.setTimeout = /** @type {any} */ (
      (/** @type {() => void} */ work, /** @type {number} */ ms) => {
        timers.push(ms);
        return setTimeout(work, ms);
      }
    );
    const { diag } = await start();
    const frame = await add('iframe', { src: '/call.html' });
    await add('iframe', { src: '/quiet.html' });
    if (frame.contentWindow.RTCPeerConnection) frame.contentWindow.idle().close();
    timers.length = 0;
    const { call } = JSON.parse(await diag.collectReport(null));
    return { call, limits: timers.includes(3000), waits: timers.filter((ms) => ms < 3000 && ms > 100) };
  });
  assert.deepEqual(seen, { call: null, limits: true, waits: [] }, engine);
});

claim('a report of a call waits by the browser’s own timer', async ({ page, engine }) => {
  const streams = await page.evaluate(async () => {
    const { add, start } = await import('/kit.js');
    const { diag } = await start();
    await add('iframe', { src: '/early.html' });
    globalThis.setTimeout = /** @type {any} */ (() => 0);
    return JSON.parse(await diag.collectReport(null)).call?.streams.length ?? 0;
  });
  assert.equal(streams, has(engine) ? 1 : 0);
});

claim('the page’s own RTCPeerConnection is never touched', async ({ page, engine }) => {
  const seen = await page.evaluate(async () => {
    const { add, start } = await import('/kit.js');
    const before = Object.getOwnPropertyDescriptor(globalThis, 'RTCPeerConnection')?.value;
    const { diag } = await start();
    await add('iframe', { src: '/quiet.html' });
    const after = Object.getOwnPropertyDescriptor(globalThis, 'RTCPeerConnection')?.value;
    const connection = after && new after();
    connection?.addTransceiver('audio');
    connection?.addTrack(document.createElement('canvas').captureStream().getVideoTracks()[0]);
    const { call } = JSON.parse(await diag.collectReport(null));
    return {
      same: before === after,
      own: !connection || connection.constructor === after,
      has: Boolean(after),
      call,
    };
  });
  assert.deepEqual(seen, { same: true, own: true, has: has(engine), call: null });
});

claim('calls: false leaves a frame’s RTCPeerConnection and its call alone', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { add, start } = await import('/kit.js');
    const { diag } = await start({ calls: false });
    const frame = await add('iframe', { src: '/early.html' });
    const { early, RTCPeerConnection } = frame.contentWindow;
    const { call } = JSON.parse(await diag.collectReport(null));
    return [!early || early.constructor === RTCPeerConnection, call];
  });
  assert.deepEqual(seen, [true, null]);
});

claim(
  'uninstall puts a frame’s RTCPeerConnection back, and what wraps it is a mere passage from then on',
  async ({ page, engine }) => {
    const seen = await page.evaluate(async () => {
      const { add, start } = await import('/kit.js');
      const { diag } = await start();
      const plain = await add('iframe', { src: '/call.html' });
      const wrapped = await add('iframe', { src: '/call.html' });
      const [one, other] = [plain.contentWindow, wrapped.contentWindow];
      if (!one.RTCPeerConnection) return null;
      const ours = other.RTCPeerConnection;
      const theirs = class extends ours {};
      other.RTCPeerConnection = theirs;
      // Nobody holds the hooks but the frames.
      if (typeof gc === 'function') gc();
      diag.uninstall();
      const native = one.idle().constructor;
      const left = Object.getOwnPropertyDescriptor(one, 'RTCPeerConnection');
      const legacy = Object.getOwnPropertyDescriptor(one, 'webkitRTCPeerConnection');
      other.idle();
      const stays = other.RTCPeerConnection === theirs;
      diag.install();
      const { call } = JSON.parse(await diag.collectReport(null));
      return {
        back: left?.value === native && one.RTCPeerConnection !== native,
        flags: [left?.writable, left?.enumerable, left?.configurable],
        legacy: legacy === undefined || legacy.value === native,
        stays,
        call,
      };
    });
    if (!has(engine)) return assert.equal(seen, null);
    assert.deepEqual(seen, { back: true, flags: [true, false, true], legacy: true, stays: true, call: null });
  },
);

claim('the list of streams is bounded, and says how many it left out', async ({ page, engine }) => {
  const seen = await page.evaluate(async () => {
    const { add, start } = await import('/kit.js');
    const { diag } = await start();
    const frame = await add('iframe', { src: '/call.html' });
    frame.contentWindow.RTCPeerConnection && frame.contentWindow.idle(70);
    const { call } = JSON.parse(await diag.collectReport(null));
    return call && [call.streams.length, call.omitted];
  });
  assert.deepEqual(seen, has(engine) ? [64, 6] : null);
});

claim(
  'what a frame breaks of its connections costs that answer, and the report says so',
  async ({ page, engine }) => {
    const report = await page.evaluate(async () => {
      const { add, start } = await import('/kit.js');
      const { diag } = await start();
      const broken = await add('iframe', { src: '/call.html' });
      const whole = await add('iframe', { src: '/early.html' });
      const { RTCRtpSender, RTCPeerConnection, idle } = broken.contentWindow;
      if (RTCPeerConnection) {
        idle();
        const other = idle();
        RTCRtpSender.prototype.getStats = () => Promise.reject(new Error('no statistics'));
        Object.defineProperty(other, 'getTransceivers', {
          get: () => {
            throw new Error('no transceivers');
          },
        });
        Object.defineProperty(broken.contentWindow, 'performance', {
          get: () => {
            throw 7;
          },
        });
        whole.contentWindow.RTCRtpSender.prototype.getStats = () => ({ forEach: 7 });
      }
      return JSON.parse(await diag.collectReport(null));
    });
    assert.deepEqual(schemaErrors(report), []);
    if (!has(engine)) return assert.equal(report.call, null);
    assert.deepEqual(
      report.call.streams.map((/** @type {any} */ { path, samples }) => [path, samples]),
      [
        ['/call.html', []],
        ['/early.html', []],
      ],
    );
    const words = report.unanswered.map((/** @type {any} */ { question }) => question).sort();
    assert.deepEqual(words, ['getStats', 'getStats', 'getStats', 'getStats', 'getTransceivers']);
  },
);

/** A participant's name in newer calls. */
const HASH = 'drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho';

claim('what a frame says at info of participants and their keys is kept as facts', async ({ page }) => {
  const { call, entries, sent, main } = await page.evaluate(async (hash) => {
    const { add, start } = await import('/kit.js');
    const { diag } = await start();
    const frame = await add('iframe', { src: '/quiet.html' });
    const { console: theirs } = frame.contentWindow;
    const prefix = '[Connection https://sfu.example.org/livekit/jwt][RemoteTracks]';
    theirs.info(prefix, 'Participant connected: @bob:example.org:BOBDEVICE1 (PA_Xk29dFq8LmNpQ)');
    theirs.info(prefix, `Subscribed: audio microphone TR_AMx29dFq of ${hash} encrypted=true muted=false`);
    theirs.info('Subscribed: video screen_share TR_VCx of @bob:example.org:B encrypted=false muted=true');
    theirs.info(`set participant sender key ${hash} index 255`, undefined);
    // Nearly such lines, and others.
    theirs.info('Subscribed to something', 'set participant sender key x index y');
    theirs.info('Participant connected: nobody', prefix);
    theirs.info(`set participant sender key ${'x'.repeat(300)} index 1`);
    theirs.info(7, `set participant sender key ${hash} index 1`);
    theirs.info();
    theirs.info('');
    theirs.log(`set participant sender key ${hash} index 1`);
    theirs.warn(`set participant sender key ${hash} index 1`);
    theirs.info('Enqueuing batch of to-device messages. type=x txnid=y', ['@a:b/C (msgid 1)']);
    const text = await diag.collectReport(null);
    // In the page itself they are nobody's.
    diag.clear();
    console.info(`set participant sender key ${hash} index 1`);
    return { ...JSON.parse(text), main: JSON.parse(await diag.collectReport(null)).call };
  }, HASH);
  assert.deepEqual([entries, sent.length, main], [[], 1, null]);
  const none = { participantSid: null, keyIndex: null, encrypted: null, kind: null };
  const bob = '@bob:example.org:BOBDEVICE1';
  assert.deepEqual([call.streams, call.omitted, call.session], [[], 0, null]);
  assert.deepEqual(
    call.facts.map((/** @type {any} */ { ts, ...fact }) => fact),
    [
      { ...none, what: 'connected', participant: bob, participantSid: 'PA_Xk29dFq8LmNpQ' },
      { ...none, what: 'subscribed', participant: HASH, encrypted: true, kind: 'audio' },
      { ...none, what: 'subscribed', participant: '@bob:example.org:B', encrypted: false, kind: 'video' },
      { ...none, what: 'key-set', participant: HASH, keyIndex: 255 },
    ],
  );
});

claim(
  'facts of a call are bounded, the newest stay, clear() forgets them, and secrets in them are closed',
  async ({ page }) => {
    const seen = await page.evaluate(async () => {
      const { add, start } = await import('/kit.js');
      const { diag } = await start();
      const frame = await add('iframe', { src: '/quiet.html' });
      const facts = async () => JSON.parse(await diag.collectReport(null)).call?.facts ?? [];
      for (let at = 0; at < 250; at++)
        frame.contentWindow.console.info(`set participant sender key @a:b:C index ${at}`);
      const indexes = (await facts()).map((/** @type {any} */ { keyIndex }) => keyIndex);
      diag.clear();
      const cleared = await facts();
      frame.contentWindow.console.info(
        'Participant connected: syt_YWxpY2U_kTqWvNzXcBmLpRtYgHjQ_2fG7hK (PA_x)',
      );
      const text = await diag.collectReport(null);
      diag.uninstall();
      diag.clear();
      // What each option leaves of the lines at info.
      const said = async (/** @type {object} */ options) => {
        diag.install(options);
        const other = await add('iframe', { src: '/quiet.html' });
        other.contentWindow.console.info('set participant sender key @a:b:C index 1');
        other.contentWindow.console.info('Enqueuing batch of to-device messages. type=x txnid=y', ['@a:b/C']);
        const { call, sent } = JSON.parse(await diag.collectReport(null));
        diag.uninstall();
        diag.clear();
        return [call?.facts.length ?? 0, sent.length];
      };
      const options = [await said({}), await said({ calls: false }), await said({ sentKeys: false })];
      return { indexes, cleared, text, options };
    });
    assert.deepEqual(
      seen.indexes,
      Array.from({ length: 200 }, (_, at) => at + 50),
    );
    assert.deepEqual(seen.cleared, []);
    assert.doesNotMatch(seen.text, /kTqWvNzX/);
    const [{ participant, participantSid }] = JSON.parse(seen.text).call.facts;
    assert.match(participant, /^\[closed token/);
    assert.equal(participantSid, 'PA_x');
    assert.deepEqual(seen.options, [
      [1, 1],
      [0, 1],
      [1, 0],
    ]);
  },
);

claim(
  'of a MatrixRTC session only what is public is read, and nothing that acts is called',
  async ({ page }) => {
    const seen = await page.evaluate(async (hash) => {
      const { add, start } = await import('/kit.js');
      const { diag } = await start();
      const frame = await add('iframe', { src: '/quiet.html?roomId=!room:example.org' });
      /** @type {Set<string>} */
      const read = new Set();
      /** Notes what is read of an object. */
      const watched = (/** @type {string} */ name, /** @type {any} */ object) =>
        new Proxy(object, {
          get(target, key) {
            read.add(`${name}.${String(key)}`);
            return target[key];
          },
        });
      const member = (/** @type {string} */ user, /** @type {object} */ more = {}) =>
        watched('member', {
          userId: `@${user}:example.org`,
          deviceId: 'ABCDEFGHIJ',
          rtcBackendIdentity: hash,
          createdTs: () => 1795473348000,
          getAbsoluteExpiry: () => undefined,
          getTransport: () => ({
            livekit_service_url: 'https://sfu.example.org:8443/livekit/jwt?token=secret',
          }),
          membershipID: 'secret',
          ...more,
        });
      const odd = {
        createdTs: () => 1.5,
        getAbsoluteExpiry: () => 1795487748000,
        getTransport: () => {
          throw new Error('no transport');
        },
        deviceId: 7,
        rtcBackendIdentity: 'syt_YWxpY2U_kTqWvNzXcBmLpRtYgHjQ_2fG7hK',
      };
      const session = (/** @type {boolean} */ joined, /** @type {object[]} */ memberships) =>
        watched('session', {
          memberships,
          isJoined: () => joined,
          room: { roomId: '!room:example.org' },
          delayId: 'secret',
          encryptionManager: {},
          reemitEncryptionKeys: () => read.add('reemitted'),
        });
      const observed = session(false, [member('alice')]);
      const room = {};
      const mx = watched('mx', {
        getRoom: (/** @type {string} */ id) => (id === '!room:example.org' ? room : null),
        matrixRTC: watched('matrixRTC', {
          getActiveRoomSession: (/** @type {object} */ one) => (one === room ? observed : undefined),
        }),
      });
      const ask = async () => JSON.parse(await diag.collectReport(mx)).call;
      const host = await ask();
      // Whatever else has that name is none.
      const other = [];
      for (const value of [7, null, document.createElement('p'), { memberships: 7 }]) {
        frame.contentWindow.rtcSession = value;
        other.push((await ask()).session.own);
      }
      frame.contentWindow.rtcSession = session(true, [member('alice'), member('bob', odd)]);
      const own = await ask();
      frame.contentWindow.rtcSession = session(true, Array(600).fill(member('alice')));
      const many = await ask();
      return { host, other, own, many: many.session.memberships.length, read: [...read].sort() };
    }, HASH);
    const alice = {
      userId: '@alice:example.org',
      deviceId: 'ABCDEFGHIJ',
      participant: HASH,
      createdAt: 1795473348000,
      expiresAt: null,
      focus: 'https://sfu.example.org:8443',
    };
    const session = { own: false, joined: false, roomId: '!room:example.org', memberships: [alice] };
    assert.deepEqual(seen.host, { streams: [], omitted: 0, session, facts: [] });
    assert.deepEqual(seen.other, Array(4).fill(false));
    const { participant, ...bob } = seen.own.session.memberships[1];
    assert.match(participant, /^\[closed token/);
    assert.deepEqual(bob, {
      userId: '@bob:example.org',
      deviceId: null,
      createdAt: null,
      expiresAt: 1795487748000,
      focus: null,
    });
    assert.deepEqual([seen.own.session.own, seen.own.session.joined, seen.many], [true, true, 500]);
    const asked = seen.read.filter((/** @type {string} */ name) => !/^mx\.(?:get(?!Room)|is)/.test(name));
    assert.deepEqual(asked, [
      'matrixRTC.getActiveRoomSession',
      'member.createdTs',
      'member.deviceId',
      'member.getAbsoluteExpiry',
      'member.getTransport',
      'member.rtcBackendIdentity',
      'member.userId',
      'mx.getRoom',
      'mx.getRooms',
      'mx.matrixRTC',
      'session.isJoined',
      'session.memberships',
      'session.room',
    ]);
  },
);

claim(
  'connections of removed frames are collected (on demand in Chromium)',
  async ({ page, engine, context }) => {
    await page.evaluate(async () => {
      const { add, start } = await import('/kit.js');
      await start();
      /** @type {WeakRef<object>[]} */
      const refs = [];
      for (let at = 0; at < 4; at++) {
        const frame = await add('iframe', { src: '/early.html' });
        const window = frame.contentWindow;
        refs.push(new WeakRef(window.Array), new WeakRef(frame), new WeakRef(window.early ?? frame));
        window.early?.close();
        frame.remove();
      }
      Object.assign(globalThis, { leak: refs });
    });
    const alive = () =>
      page.evaluate(() => leak.filter((/** @type {WeakRef<object>} */ ref) => ref.deref()).length);
    let left = await alive();
    for (let round = 0; round < 20 && left > 0; round++) {
      await page.evaluate(async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (typeof gc === 'function') gc();
        else if (typeof TestUtils === 'object') await TestUtils.gc();
      });
      left = await alive();
    }
    context.diagnostic(`${engine}: of 12 elements, globals and connections of removed frames ${left} live`);
    // Firefox keeps connections that nobody hooked, too; what is hooked of a frame without one: frames.test.mjs.
    if (engine === 'chromium') assert.equal(left, 0);
  },
);
