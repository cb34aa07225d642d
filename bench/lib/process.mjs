// @ts-check
// A program's time and the most memory that it ever held.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { Explained } from '../../scripts/lib/run.mjs';

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
export function timed(command, args, { good, output }) {
  return new Promise((resolve, reject) => {
    const sink = fs.openSync(output ?? '/dev/null', 'w');
    const begun = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', sink, 'pipe'] });
    let peak = 0;
    const look = setInterval(() => (peak = Math.max(peak, peakBytes(child.pid))), LOOK_MS);
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (complaint = (complaint + text).slice(-2000)));
    const end = (/** @type {() => void} */ answer) => {
      clearInterval(look);
      fs.closeSync(sink);
      answer();
    };
    child.on('error', (error) =>
      end(() => reject(new Explained(`Could not start ${command}: ${error.message}`))),
    );
    child.on('close', (code, signal) => {
      const ms = performance.now() - begun;
      end(() => {
        if (code !== null && good.includes(code)) resolve({ ms, peak: peak || null });
        else
          reject(
            new Explained(`${command} ${args.join(' ')} failed (${signal ?? code}): ${complaint.trim()}`),
          );
      });
    });
  });
}
