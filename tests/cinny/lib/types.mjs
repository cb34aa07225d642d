// @ts-check
// What a TypeScript compiler says of the files that a maintainer has copied.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outcome } from '../../../scripts/lib/process.mjs';

const OURS = /^src\/app\/(utils\/cryptoDiagLog|features\/settings\/developer\/CryptoDiagnostics)\.tsx?\(/;

/** Asks the compiler what the client is, by an error whose text names the type. */
const QUESTION = `import { useMatrixClient } from './hooks/useMatrixClient';
import { buildCryptoDiagReport } from './utils/cryptoDiagLog';
// Whatever a client is, the report takes it.
export const report: string = buildCryptoDiagReport(useMatrixClient());
export const answer: 'not a client' = useMatrixClient();
`;

/**
 * @param {string} app
 * @param {string} compiler its folder in node_modules
 * @param {string} version the version that it must be
 * @returns {{ ours: string[], sdk: string | undefined }} errors in the two copied files and in the use of them, and the name
 *   of the client's type, where it is one
 */
export function problemsIn(app, compiler, version) {
  const home = join(app, 'node_modules', compiler);
  const found = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).version;
  if (found !== version) throw new Error(`${compiler} is ${found}, not ${version}`);
  const question = join(app, 'src/app/question.ts');
  writeFileSync(question, QUESTION);
  const args = [join(home, 'bin/tsc'), '-p', app, '--pretty', 'false', '--listFiles'];
  const { stdout } = outcome(process.execPath, args, { cwd: app });
  rmSync(question);
  const lines = stdout.split('\n');
  for (const file of ['utils/cryptoDiagLog.ts', 'settings/developer/CryptoDiagnostics.tsx']) {
    if (!lines.some((line) => line.endsWith(file))) throw new Error(`${file} was not looked at\n${stdout}`);
  }
  const asked = lines.filter((line) => line.startsWith('src/app/question.ts('));
  const ours = lines.filter((line) => OURS.test(line) && line.includes('error TS'));
  return {
    ours: [...ours, ...asked.filter((line) => !line.includes('\'"not a client"\''))],
    sdk: /Type '(\w+)' is not assignable/.exec(asked.join('\n'))?.[1],
  };
}
