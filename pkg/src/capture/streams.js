// What the connections of the call frames say of each stream, asked once, when a report is made. Counters and times alone: never
// an address, a candidate, a fingerprint, an SSRC or a key.

import { now, startTimer } from './builtins.js';
import { connectionsOf } from './connections.js';
import { number, text, truth } from './values.js';

/** Streams asked; what comes after is counted. */
const STREAMS_MAX = 64;
/** Milliseconds between the two times that they are asked. */
const APART = 1000;
/** Of a session description no more is looked through: a call with a hundred streams has half of it. */
const SDP_MAX = 1 << 19;
/** Milliseconds that a time may lie ahead of the clock that it is measured by: engines round both. */
const ROUNDED = 100;

/** @typedef {import('crypto-diag/report').MediaStream} Row */
/** @typedef {import('crypto-diag/report').StreamSample} Sample */
/** @typedef {RTCRtpReceiver | RTCRtpSender} End */
/** @typedef {{row: Row, end: End, window: Window}} Asked */

/**
 * A row for each receiver and sender, with two samples a second apart. Without a connection nothing is waited for.
 * @param {import('./questions.js').Ask} ask
 * @param {{window: Window & typeof globalThis, path: string | null}[]} windows
 */
export async function streamFacts(ask, windows) {
  /** @type {Asked[]} */
  const found = [];
  let omitted = 0;
  let connection = 0;
  for (const { window, path } of windows) {
    for (const one of (await ask('RTCPeerConnection', () => connectionsOf(window))) ?? []) {
      const place = { path, connection: connection++ };
      for (const { row, end } of (await ask('getTransceivers', () => endsOf(one, place))) ?? []) {
        if (found.length < STREAMS_MAX) found.push({ row, end, window });
        else omitted++;
      }
    }
  }
  // All are asked at once.
  const look = async () => {
    const samples = found.map(({ row, end, window }) =>
      ask('getStats', async () => sampleOf(row, end, await end.getStats(), window)),
    );
    for (let at = 0; at < found.length; at++) {
      const sample = await samples[at];
      if (sample) found[at].row.samples.push(sample);
    }
  };
  if (found.length > 0) {
    await look();
    // The page's own timers may be none by now.
    await new Promise((resolve) => startTimer(resolve, APART));
    await look();
  }
  return { streams: found.map(({ row }) => row), omitted };
}

/**
 * The receivers and senders of a connection that something may come or go through.
 * @param {RTCPeerConnection} connection
 * @param {Pick<Row, 'path' | 'connection'>} place
 */
function endsOf(connection, place) {
  const sections = (connection.remoteDescription?.sdp ?? '').slice(0, SDP_MAX).split(/^m=/m);
  const first = (/** @type {RegExp} */ line, /** @type {string} */ section) => line.exec(section)?.[1];
  // LiveKit's server names each stream by whose it is: `PA_…|…`.
  const sids = new Map(
    sections.map((one) => [first(/^a=mid:(\S+)/m, one), first(/^a=msid:(PA_\w{1,64})\|/m, one)]),
  );
  /** @type {{row: Row, end: End}[]} */
  const ends = [];
  for (const { mid, currentDirection, receiver, sender } of connection.getTransceivers()) {
    const add = (/** @type {End} */ end, /** @type {Row['direction']} */ direction, sid = '') => {
      const { track } = end;
      if (!track) return;
      const row = {
        ...place,
        connectionState: text(connection.connectionState),
        mid: text(mid),
        direction,
        kind: /** @type {Row['kind']} */ (track.kind === 'video' ? 'video' : 'audio'),
        participantSid: sid || null,
        muted: truth(track.muted),
        enabled: truth(track.enabled),
        samples: [],
      };
      ends.push({ row, end });
    };
    // Each transceiver has a receiver, also where both sides agreed that nothing comes.
    if (currentDirection === 'sendrecv' || currentDirection === 'recvonly')
      add(receiver, 'receiving', sids.get(mid ?? ''));
    add(sender, 'sending');
  }
  return ends;
}

/**
 * @param {Row} row
 * @param {End} end
 * @param {RTCStatsReport} statistics
 * @param {Window} window
 * @returns {Sample}
 */
function sampleOf({ direction, kind }, end, statistics, { performance }) {
  const comes = direction === 'receiving';
  const own = comes ? ['inbound-rtp'] : ['outbound-rtp', 'media-source'];
  /** @type {any[]} */
  const rows = [];
  statistics.forEach((/** @type {any} */ row) => own.includes(row.type) && rows.push(row));
  // A sender has a row for each layer of a picture.
  const sum = (/** @type {string} */ name) =>
    rows.reduce((all, row) => (number(row[name]) === null ? all : all + row[name]), null);
  const steady = performance.now();
  // Nothing has come before the document was there.
  const age = (/** @type {number} */ ms) => (ms >= -ROUNDED && ms <= steady ? Math.max(0, ms) : null);
  /** @type {{timestamp: number}[]} */
  const sources = 'getSynchronizationSources' in end ? end.getSynchronizationSources() : [];
  const played = Math.max(...sources.map(({ timestamp }) => timestamp));
  // Since the epoch, as the standard has it, or since the document began.
  const clock = played > steady + ROUNDED ? performance.timeOrigin + steady : steady;
  return {
    ts: now(),
    packets: sum(comes ? 'packetsReceived' : 'packetsSent'),
    packetAge: age(Math.min(...rows.map((row) => row.timestamp - row.lastPacketReceivedTimestamp))),
    playedAge: age(clock - played),
    // Of a picture it counts pictures.
    emitted: kind === 'audio' ? sum('jitterBufferEmittedCount') : null,
    samples: sum('totalSamplesReceived'),
    concealed: sum('concealedSamples'),
    energy: sum('totalAudioEnergy'),
    frames: sum(comes ? 'framesReceived' : 'framesEncoded'),
    decoded: sum('framesDecoded'),
    dropped: sum('framesDropped'),
    plis: sum('pliCount'),
    freezes: sum('freezeCount'),
  };
}
