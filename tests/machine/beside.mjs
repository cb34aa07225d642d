// @ts-check
// Compares the model of crates/world with real clients: a program of that crate says what to do, and the clients do it.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { hostProgram } from '../../scripts/lib/host-program.mjs';
import { adopt } from '../../scripts/lib/process.mjs';
import { Machines, ready } from './machine.mjs';

/**
 * Runs histories by chance in the model and on real clients.
 * @param {string[]} args such as `--seed 7 --histories 30` or `--minutes 5`
 * @param {{ answer: Machines['answer'] }} [machines]
 * @returns {Promise<{ alike?: Record<string, number>, differs?: string }>} what was compared, or a history in which the two differ
 */
export async function beside(args, machines = new Machines()) {
  await ready();
  const child = spawn(hostProgram('beside-machine'), args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  adopt(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line);
    if (!said.do) return said;
    const answer = await machines.answer(said).catch((error) => ({ error: String(error?.stack ?? error) }));
    child.stdin.write(`${JSON.stringify(answer)}\n`);
  }
  throw new Error('the model ended without a word');
}
