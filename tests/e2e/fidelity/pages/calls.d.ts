// `/calls.js` of calls.test.mjs.
export function visible(frame: any): Promise<any[]>;
