// @ts-check
// What inserting nodes costs, with whatever the contender watches.
import { load } from './contender.js';
import { goOffline } from './offline.js';

const NODES = 10_000;
const SAMPLES = 5;

/** Milliseconds until the nodes stand there and observers have run. */
async function insert() {
  const host = document.createElement('div');
  document.body.append(host);
  const begun = performance.now();
  for (let at = 0; at < NODES; at++) {
    const node = document.createElement('div');
    node.append(document.createElement('span'), 'text');
    host.append(node);
  }
  // Observers run before a promise's continuation.
  await Promise.resolve();
  const spent = performance.now() - begun;
  host.remove();
  await new Promise((resolve) => setTimeout(resolve, 20));
  return spent;
}

async function samples() {
  const spent = [];
  for (let sample = 0; sample < SAMPLES; sample++) spent.push(await insert());
  return spent.sort((a, b) => a - b)[SAMPLES >> 1];
}

/** @param {string} id */
export async function measureFrames(id) {
  goOffline();
  await samples();
  const before = await samples();
  await load(id);
  await samples();
  return { nodes: NODES, without: before, with: await samples() };
}
