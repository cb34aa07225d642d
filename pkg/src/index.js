// crypto-diag: watches a page's console for known failures of Matrix end-to-end encryption and gives the user a report.
//
// Every export goes to the page's one capture, also where two copies of this package are loaded.

import { capture, claim, shared } from '../../crates/wasm/js/shared.js';

export const install = (options) => claim().install(options);
export const uninstall = () => shared().uninstall();
export const clear = () => shared().clear();
export const getEntries = () => shared().getEntries();
export const getCounts = () => shared().getCounts();
export const getCaptureStatus = () => shared().getCaptureStatus();
export const subscribe = (listener) => shared().subscribe(listener);
export const buildReport = (mx, extra) => shared().buildReport(mx, extra);
export const collectReport = (mx, extra) => shared().collectReport(mx, extra);
export const downloadReport = (mx, extra) => shared().downloadReport(mx, extra);
export const workerChannel = () => shared().workerChannel();
// Constants of this copy: a server has one copy, and no capture.
export const { getServerSnapshot, getServerCounts } = capture;

// The runbook's names (§5).
export const installCryptoDiagLog = install;
/** A fresh array each time, as the runbook has it. */
export const getCryptoDiagEntries = () => getEntries().slice();
export const buildCryptoDiagReport = buildReport;
