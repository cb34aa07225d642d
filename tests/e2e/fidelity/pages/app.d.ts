// APP of devtools.test.mjs.
export function warn(): void;
export function match(): void;
