// What the package's main entry and its light one export. Every export goes to the page's one capture, also where two copies of this package are loaded.

import { capture, claim, shared } from './capture/shared.js';

/** @import * as api from './index.d.ts' */

/** @type {typeof api.install} */
export const install = (options) => claim().install(options);
/** @type {typeof api.uninstall} */
export const uninstall = () => shared().uninstall();
/** @type {typeof api.clear} */
export const clear = () => shared().clear();
/** @type {typeof api.mark} */
export const mark = (label, kind) => shared().mark(label, kind);
/** @type {typeof api.getMarks} */
export const getMarks = () => shared().getMarks();
/** @type {typeof api.getEntries} */
export const getEntries = () => shared().getEntries();
/** @type {typeof api.getCounts} */
export const getCounts = () => shared().getCounts();
/** @type {typeof api.getCaptureStatus} */
export const getCaptureStatus = () => shared().getCaptureStatus();
/** @type {typeof api.subscribe} */
export const subscribe = (listener) => shared().subscribe(listener);
/** @type {typeof api.buildReport} */
export const buildReport = (mx, extra) => shared().buildReport(mx, extra);
/** @type {typeof api.collectReport} */
export const collectReport = (mx, extra) => shared().collectReport(mx, extra);
/** @type {typeof api.downloadReport} */
export const downloadReport = (mx, extra) => shared().downloadReport(mx, extra);
/** @type {typeof api.workerChannel} */
export const workerChannel = () => shared().workerChannel();
// These belong to this copy of the package: a server's rendering has one copy and no capture.
export const { getServerSnapshot, getServerCounts } = capture;

// The names that the runbook gives these functions (docs/runbook.md).
export const installCryptoDiagLog = install;
/** A fresh array each time, as the runbook has it. */
export const getCryptoDiagEntries = () => getEntries().slice();
export const buildCryptoDiagReport = buildReport;
