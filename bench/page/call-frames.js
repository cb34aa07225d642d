// @ts-check
// What a frame pays in which a call could be, and what a page pays that is kept.
import { median } from '../lib/stats.mjs';
import { load } from './contender.js';
import { goOffline } from './offline.js';

const FRAMES = 30;
const CONNECTIONS = 100;
const LINES = 500;
const NODES = 10_000;
const WRITES = 40;

/** Adds a frame and waits until it has loaded. @returns {Promise<HTMLIFrameElement>} */
const frame = () =>
  new Promise((resolve) => {
    const added = document.createElement('iframe');
    added.srcdoc = '<!doctype html><body>A frame</body>';
    added.addEventListener('load', () => resolve(added), { once: true });
    document.body.append(added);
  });

/** @param {number} count @param {(at: number) => unknown} work @returns {number} Milliseconds of one. */
function each(count, work) {
  const begun = performance.now();
  for (let at = 0; at < count; at++) work(at);
  return (performance.now() - begun) / count;
}

/** @param {string} id */
export async function measureCallFrames(id) {
  goOffline();
  await load(id);
  const loads = [];
  for (let at = 0; at < FRAMES; at++) {
    const begun = performance.now();
    const added = await frame();
    loads.push(performance.now() - begun);
    added.remove();
  }
  const window = /** @type {any} */ ((await frame()).contentWindow);
  const connect = () => new window.RTCPeerConnection().close();
  each(CONNECTIONS, connect);
  const connection = each(CONNECTIONS, connect);
  const say = (/** @type {number} */ at) => window.console.info('A line of a call, number', at);
  each(LINES, say);
  return { load: median(loads), connection, info: each(LINES, say) };
}

/** Milliseconds that the page stands still for each time that it is stored. @param {string} id */
export async function measureKept(id) {
  goOffline();
  for (let at = 0; at < NODES; at++) document.body.append(document.createElement('div'));
  const { peer } = await load(id);
  console.error = console.warn = () => {};
  const spent = [];
  for (let at = 0; at < WRITES; at++) {
    console.error(`One time key signed_curve25519:AAAAAAAAA${at} already exists. Old key: {}`);
    // It is looked at and counted, so that the time is that of the write alone.
    peer.kept();
    const begun = performance.now();
    window.dispatchEvent(new Event('pagehide'));
    spent.push(performance.now() - begun);
  }
  return { write: median(spent) };
}
