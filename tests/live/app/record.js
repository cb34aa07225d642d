// @ts-check
// Keeps the whole console, every level, as the raw backup that the runbook asks for beside the report. It stands in for the
// developer tools, hence a classic script ahead of the app's modules: the app itself begins with crypto-diag.
(() => {
  /** @type {{ts: number, level: string, types: string[], args: string[]}[]} */
  const lines = [];

  /** An argument as text: what a person reads in the console. */
  function show(/** @type {unknown} */ value) {
    if (typeof value === 'string') return value;
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    try {
      return JSON.stringify(value) ?? String(value);
    } catch {
      return String(value);
    }
  }

  const typeOf = (/** @type {unknown} */ value) => (value instanceof Error ? value.name : typeof value);

  for (const level of /** @type {const} */ (['debug', 'log', 'info', 'warn', 'error'])) {
    const original = console[level];
    console[level] = function (...args) {
      lines.push({ ts: Date.now(), level, types: args.map(typeOf), args: args.map(show) });
      return original.apply(this, args);
    };
  }

  Object.assign(window, { liveConsole: lines });
})();
