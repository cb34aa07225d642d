// @ts-check
// One side of a call, inside the call's frame: LiveKit's own Room, key provider and worker, and one RTCPeerConnection that is joined back
// to back with the other side's. There is no SFU, so the events of a Room's signalling are emitted by hand, with what LiveKit would
// give them; the stream's name in the session description is the one that an SFU gives.
import {
  BaseKeyProvider,
  LocalAudioTrack,
  LocalVideoTrack,
  ParticipantEvent,
  Room,
  RoomEvent,
  setLogLevel,
} from 'livekit-client';

/**
 * Somebody in the call: how the media server names them, `@user:server:DEVICE`, and their session there, `PA_…`.
 * @typedef {{identity: string, sid: string}} Member
 */

/** How long a browser may take to begin with sound, in milliseconds. */
const SOUND_MS = 2_000;

class Keys extends BaseKeyProvider {
  constructor() {
    // Element Call's options.
    super({ ratchetWindowSize: 10, keyringSize: 256 });
  }

  /** @param {number | Uint8Array<ArrayBuffer>} key a number makes a key of that byte alone @param {string} who @param {number} index */
  async give(key, who, index) {
    const bytes = typeof key === 'number' ? new Uint8Array(16).fill(key) : key;
    const imported = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits', 'deriveKey']);
    this.onSetEncryptionKey(imported, who, index);
  }
}

/** A picture that changes, and a sound. */
async function ownTracks() {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [160, 120];
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  let turn = 0;
  setInterval(() => {
    pen.fillStyle = `hsl(${(turn += 17)} 80% 50%)`;
    pen.fillRect(turn % 160, turn % 120, 40, 40);
  }, 60);
  return [await soundTrack(), canvas.captureStream(15).getVideoTracks()[0]];
}

/** Three seconds of noise, which is played over and over. @param {AudioContext} context */
function noise(context) {
  const source = context.createBufferSource();
  source.buffer = context.createBuffer(1, 3 * context.sampleRate, context.sampleRate);
  const samples = source.buffer.getChannelData(0);
  samples.forEach((_, at) => (samples[at] = 2 * Math.random() - 1));
  source.loop = true;
  return source;
}

/**
 * Noise: like a voice, and unlike a tone, it is coded to other bytes in each frame. It is the tone of a made-up microphone where the
 * browser has no sound card, without which Firefox makes no sound itself.
 */
async function soundTrack() {
  const context = new AudioContext();
  const sound = noise(context);
  const gain = context.createGain();
  const out = context.createMediaStreamDestination();
  gain.gain.value = 0.3;
  sound.connect(gain).connect(out);
  sound.start();
  await Promise.race([context.resume(), new Promise((done) => setTimeout(done, SOUND_MS))]);
  if (context.state === 'running') return out.stream.getAudioTracks()[0];
  return (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0];
}

/**
 * @typedef {{encrypts?: boolean, decrypts?: boolean, ownKey?: number, theirKey?: number, isThere?: boolean}} Plan Keys are numbers: equal
 *   ones fit. What is left out is not there. The other side is, unless `isThere` is false.
 */

/** @param {Member} own @param {Member} other @param {Plan} plan */
async function side(own, other, plan) {
  setLogLevel('info');
  const keyProvider = new Keys();
  const worker = new Worker('/worker.js', { type: 'module' });
  const room = new Room({ e2ee: { keyProvider, worker } });
  const peer = /** @type {any} */ ({ identity: other.identity, trackPublications: new Map() });
  room.localParticipant.identity = own.identity;
  room.remoteParticipants.set(other.identity, peer);
  room.on(RoomEvent.EncryptionError, (error, who) => {
    // The sentence that Element Call prints from this event.
    console.warn(`Encryption error for ${who?.identity ?? 'unknown participant'}:`, error);
  });
  if (plan.isThere !== false) console.info(`Participant connected: ${other.identity} (${other.sid})`);
  if (plan.encrypts !== false) await room.setE2EEEnabled(true);

  const connection = new RTCPeerConnection(/** @type {any} */ ({ encodedInsertableStreams: true }));
  const publication = (/** @type {string} */ kind) => ({
    trackSid: `TR_${kind}`,
    trackInfo: {
      mimeType: kind === 'audio' ? 'audio/opus' : 'video/VP8',
      encryption: plan.decrypts === false ? 0 : 1,
      packetTrailerFeatures: [],
    },
  });
  const emit = /** @type {any} */ (room).emit.bind(room);
  for (const kind of ['audio', 'video']) emit(RoomEvent.TrackPublished, publication(kind), peer);
  connection.ontrack = ({ track, receiver }) => {
    const shown = { receiver, kind: track.kind, mediaStreamID: track.id, mediaStreamTrack: track };
    emit(RoomEvent.TrackSubscribed, shown, publication(track.kind), peer);
    const what = track.kind === 'audio' ? 'audio microphone' : 'video camera';
    const encrypted = plan.decrypts !== false;
    console.info(
      `Subscribed: ${what} TR_${track.kind} of ${other.identity} encrypted=${encrypted} muted=false`,
    );
    const element = document.createElement(/** @type {'audio' | 'video'} */ (track.kind));
    element.autoplay = true;
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
  };
  if (plan.ownKey) await keyProvider.give(plan.ownKey, own.identity, 0);
  if (plan.theirKey) await keyProvider.give(plan.theirKey, other.identity, 0);

  const tracks = await ownTracks();
  const locals = tracks.map((track) =>
    track.kind === 'audio'
      ? new LocalAudioTrack(track, undefined, true)
      : new LocalVideoTrack(track, undefined, true),
  );
  const senders = tracks.map((track, at) => {
    const sender = connection.addTrack(track, new MediaStream());
    room.localParticipant.emit(ParticipantEvent.LocalSenderCreated, sender, /** @type {any} */ (locals[at]));
    return sender;
  });
  return { connection, keyProvider, tracks, senders, locals, own, other };
}

/** Nothing leaves any more. Without a track alone, Firefox goes on with silence. @param {RTCRtpSender} sender */
async function silence(sender) {
  await sender.replaceTrack(null);
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) encoding.active = false;
  await sender.setParameters(parameters);
}

/** @type {Awaited<ReturnType<typeof side>>} */
let made;

/** What the other side's description is to this one: the streams have the name that an SFU gives them. @param {RTCSessionDescriptionInit} description */
const named = ({ type, sdp = '' }) => ({
  type,
  sdp: sdp
    .replace(/^a=msid:\S+/gm, `a=msid:${made.other.sid}|CS_x`)
    .replace(/(a=ssrc:\d+ msid:)\S+/g, `$1${made.other.sid}|CS_x`),
});

/** This side's description with all candidates in it, so that none need be handed across later. */
async function described() {
  const { connection } = made;
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete')
    await new Promise((done) => connection.addEventListener('icegatheringstatechange', done, { once: true }));
  return connection.localDescription?.toJSON();
}

Object.assign(window, {
  call: {
    /** @param {Member} own @param {Member} other @param {Plan} [plan] */
    async begin(own, other, plan = {}) {
      made = await side(own, other, plan);
    },
    /** A key for LiveKit's worker. @param {Uint8Array<ArrayBuffer>} key @param {string} who @param {number} index */
    give: (key, who, index) => made.keyProvider.give(key, who, index),
    offer: () => described(),
    /** @param {RTCSessionDescriptionInit} offer */
    async answer(offer) {
      await made.connection.setRemoteDescription(named(offer));
      return described();
    },
    /** @param {RTCSessionDescriptionInit} answer */
    answered: (answer) => made.connection.setRemoteDescription(named(answer)),
    /** Something of the call changes. */
    steps: {
      /** @param {number} key @param {number} index */
      rotateOwnKey: (key, index) => made.keyProvider.give(key, made.own.identity, index),
      /** @param {number} key @param {number} index */
      getTheirKey: (key, index) => made.keyProvider.give(key, made.other.identity, index),
      stopSending: () => Promise.all(made.senders.map(silence)),
      mute: () => made.tracks.forEach((track) => (track.enabled = false)),
      /** As the button of a client does it: LiveKit switches the track. */
      muteMicrophone: () => made.locals[0].mute(),
      takeMicrophoneOut: () => silence(made.senders[0]),
      leave: () => made.connection.close(),
    },
    /** Counters of what comes, by which a test waits. */
    async seen() {
      const counters = { packets: 0, emitted: 0, decoded: 0 };
      (await made.connection.getStats()).forEach((row) => {
        if (row.type !== 'inbound-rtp') return;
        counters.packets += row.packetsReceived ?? 0;
        counters.emitted += row.jitterBufferEmittedCount ?? 0;
        counters.decoded += row.framesDecoded ?? 0;
      });
      return counters;
    },
  },
});
