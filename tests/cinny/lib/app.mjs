// @ts-check
// A fresh copy of the fixture, which has no card, and what a maintainer does to it.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmCi } from '../../../scripts/lib/packages.mjs';
import { cache, root } from '../../../scripts/lib/project.mjs';
import { quietly } from '../../../scripts/lib/process.mjs';
import { archive } from '../../packaging/lib/consumer.mjs';

const here = join(dirname(fileURLToPath(import.meta.url)), '..');
const workshop = join(cache, 'cinny');

/**
 * A folder's npm packages, installed as its lock file names them and kept for the next run.
 * @param {string} name a folder of tests/cinny
 * @returns {string} the folder that has node_modules
 */
export function packagesOf(name) {
  const files = ['package.json', 'package-lock.json', '.npmrc'];
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(readFileSync(join(here, name, file)));
  const folder = join(workshop, name, hash.digest('hex').slice(0, 12));
  if (existsSync(folder)) return folder;
  // Under another name until it is whole.
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  for (const file of files) cpSync(join(here, name, file), join(unfinished, file));
  npmCi(unfinished, ['--ignore-scripts']);
  renameSync(unfinished, folder);
  return folder;
}

/**
 * A fresh copy of the fixture, in a git repository of its own as every checkout is. It is removed when the process ends.
 * @returns {string} its folder
 */
export function freshCopy() {
  const packages = packagesOf('fixture');
  const app = mkdtempSync(join(workshop, 'app-'));
  process.on('exit', () => rmSync(app, { recursive: true, force: true }));
  cpSync(join(here, 'fixture'), app, { recursive: true });
  // Hard links: 300 MB in a second. npm replaces files and never writes into them.
  quietly('cp', ['-al', join(packages, 'node_modules'), join(app, 'node_modules')], { cwd: app });
  git(app, 'init', '-q');
  git(app, 'add', 'src', 'package.json');
  git(app, '-c', 'user.name=Test', '-c', 'user.email=test@example.org', 'commit', '-q', '-m', 'Begin');
  return app;
}

/** @param {string} app @param {...string} args */
export const git = (app, ...args) => quietly('git', args, { cwd: app });

const guide = readFileSync(join(root, 'docs/cinny.md'), 'utf8');

/** The guide's blocks of one language, in order. @param {string} language */
export const blocks = (language) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text);

/**
 * Runs commands of the guide as a maintainer would, who has put a release's archive into the folder.
 * @param {string} app
 * @param {string} commands
 */
export function follow(app, commands) {
  const placed = join(app, basename(archive.path));
  cpSync(archive.path, placed);
  const env = { npm_config_offline: 'true', npm_config_ignore_scripts: 'true' };
  quietly('sh', ['-euc', commands], { cwd: app, env });
  rmSync(placed);
}

/** Vite's production build. @param {string} app @returns {string} the folder to serve */
export function build(app) {
  quietly('npm', ['run', 'build'], { cwd: app, seconds: 300 });
  return join(app, 'dist');
}
