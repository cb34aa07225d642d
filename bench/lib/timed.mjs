// @ts-check
// A program's time and the most memory that it ever held.

import fs from 'node:fs';
import { start } from '../../scripts/lib/process.mjs';
import { Explained } from '../../scripts/lib/project.mjs';

/** Milliseconds between two looks at a program's memory. The system keeps the peak, so only growth at the very end is missed. */
const LOOK_MS = 10;

/** @param {number | undefined} pid */
function peakBytes(pid) {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{good: number[], output?: string}} options Exit codes that are answers; `output`: the file that standard output goes to.
 * @returns {Promise<{ms: number, peak: number | null}>} Milliseconds, and bytes where the system tells.
 */
export async function timed(command, args, { good, output = '/dev/null' }) {
  const begun = performance.now();
  const program = start(command, args, { stdout: output });
  let peak = 0;
  const look = setInterval(() => (peak = Math.max(peak, peakBytes(program.child.pid))), LOOK_MS);
  const { code } = await program.ended;
  const ms = performance.now() - begun;
  clearInterval(look);
  if (code === null || !good.includes(code))
    throw new Explained(`${command} ${args.join(' ')} failed (${code}): ${program.printed()}`);
  return { ms, peak: peak || null };
}
