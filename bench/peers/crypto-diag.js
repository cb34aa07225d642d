// @ts-check
import { buildReport, install } from '../../pkg/dist/index.js';

export const start = () => install();
export const kept = () => /** @type {number} */ (JSON.parse(buildReport(null)).capture.linesSeen);
