// @ts-check
// What `npm run bench` measures, in the order in which it is printed; each part can be run alone.

import { callFrames } from './call-frames.mjs';
import { calls } from './calls.mjs';
import { collect } from './collect.mjs';
import { frames } from './frames.mjs';
import { needles } from './needles.mjs';
import { painting } from './painting.mjs';
import { size } from './size.mjs';
import { storm } from './storm.mjs';
import { triage } from './triage.mjs';

/**
 * @typedef {object} Context
 * @property {import('../lib/browsers.mjs').Host} host Serves the measuring pages.
 * @property {number} rounds
 * @property {(text: string) => void} say
 *
 * @typedef {object} Table
 * @property {string} title
 * @property {string} [note] What a reader must know to read it.
 * @property {string[]} columns
 * @property {string[][]} rows
 *
 * @typedef {object} Part
 * @property {string} name As `--only` takes it.
 * @property {string} title
 * @property {boolean} pages Whether it needs browsers.
 * @property {(context: Context) => Promise<any>} measure Gives plain data.
 * @property {(data: any) => Table[]} tables
 */

/** @type {Part[]} */
export const PARTS = [calls, needles, size, storm, painting, frames, callFrames, collect, triage];
