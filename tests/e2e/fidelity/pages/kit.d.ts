// KIT of harness.mjs, as the pages of these tests find it at `/kit.js`.
import type * as CryptoDiag from '../../../../pkg/src/index.js';

type Diag = typeof CryptoDiag;
type Call = { method: 'warn' | 'error' | 'info'; self: unknown; args: any[] };

export const MATCH: Record<'KE-1' | 'KE-2' | 'KE-3' | 'KE-4', string>;
export const calls: Call[];
export function silence(target?: Console): void;
export function load(copy?: string): Promise<Diag>;
export function start(options?: object): Promise<{ diag: Diag; calls: Call[]; report: () => any }>;
export function kept(diag: Pick<Diag, 'getEntries'>): string[];
export function until<T>(condition: () => T | Promise<T>, what?: string): Promise<T>;
export function add(name: string, attributes: Record<string, string>, parent?: Node): Promise<any>;

declare global {
  /** Firefox has it where a preference turns it on. */
  const TestUtils: { gc(): Promise<void> } | undefined;
  /** What frames.test.mjs keeps in its page between two calls. */
  const leak: any;
}
