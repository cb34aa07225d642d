// @ts-check
import './crypto-diag/card.js';
import { showRecordings } from './console-list.js';
import { DEMO_SDK_VERSION, demoClient } from './demo-client.js';

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);

const card = byId('card');
card.client = demoClient;
card.sdkVersion = DEMO_SDK_VERSION;
// The analysis is a module of its own, loaded when the card first has something to ask it.
const analysis = () => import('./crypto-diag/analysis.js');
card.analysis = {
  sentence: async (/** @type {string} */ report) => (await (await analysis()).analyse(report)).summary,
  serverQueries: async (/** @type {string} */ report) =>
    (await (await analysis()).serverQueries(report)).text,
};
byId('demo-user').textContent = demoClient.getUserId?.();
byId('demo-device').textContent = demoClient.getDeviceId?.();

byId('write').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  const level = /** @type {'log'} */ (byId('level').value);
  console[level](byId('line').value);
  byId('write-answer').textContent = `Written by console.${level}.`;
});

try {
  const answer = await fetch('consoles.json');
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  showRecordings(byId('consoles'), await answer.json());
} catch (error) {
  const problem = byId('consoles-problem');
  problem.hidden = false;
  problem.textContent = `The list of consoles could not be loaded: ${error instanceof Error ? error.message : error}`;
}
