// @ts-check
/** A throw-away SSH server on the loopback interface: OpenSSH's, unpacked and not installed, since its package would start one. */
import { chownSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { quietly, start } from '../../scripts/lib/process.mjs';
import { unpackDebian } from '../../scripts/lib/packages.mjs';
import { freePort } from '../../scripts/lib/server.mjs';
import { START_MS, until } from '../../scripts/lib/wait.mjs';
import { SSH_SERVER } from '../../scripts/setup.mjs';

/**
 * Starts it.
 *
 * @param {string} folder that the account may read
 * @param {{ uid: number, gid: number, name: string } | undefined} account who is logged in as; left out: who runs this
 * @param {import('../../scripts/lib/process.mjs').Program[]} programs gets the server, for the caller to stop
 * @returns {Promise<string>} the command that runs others behind it
 */
export async function startSsh(folder, account, programs) {
  const home = path.join(folder, 'ssh');
  mkdirSync(home, { mode: 0o700 });
  const inHome = (/** @type {string} */ name) => path.join(home, name);
  for (const name of ['host', 'user'])
    quietly('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', inHome(name)]);
  const port = await freePort();
  const settings = {
    Port: port,
    ListenAddress: '127.0.0.1',
    HostKey: inHome('host'),
    AuthorizedKeysFile: inHome('user.pub'),
    StrictModes: 'no',
    UsePAM: 'no',
    PasswordAuthentication: 'no',
    PidFile: 'none',
  };
  const config = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
  writeFileSync(inHome('sshd_config'), config.join(''));
  writeFileSync(inHome('known_hosts'), `[127.0.0.1]:${port} ${readFileSync(inHome('host.pub'), 'utf8')}`);
  if (account) {
    chownSync(home, account.uid, account.gid);
    for (const name of readdirSync(home)) chownSync(inHome(name), account.uid, account.gid);
  }
  const files = unpackDebian(SSH_SERVER);
  // Debian's folder of libraries is named by the machine's architecture.
  const libraries = readdirSync(path.join(files, 'usr/lib')).map((name) => path.join(files, 'usr/lib', name));
  const log = path.join(folder, 'sshd.log');
  const server = start(path.join(files, 'usr/sbin/sshd'), ['-D', '-e', '-f', inHome('sshd_config')], {
    cwd: '/',
    stderr: log,
    env: { LD_LIBRARY_PATH: libraries.join(':') },
    account,
  });
  programs.push(server);
  await until(
    async () => {
      if (!server.running()) throw new Error(`sshd ended at once:\n${readFileSync(log, 'utf8')}`);
      return readFileSync(log, 'utf8').includes('Server listening');
    },
    START_MS,
    () => `sshd did not start:\n${readFileSync(log, 'utf8')}`,
  );
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${inHome('known_hosts')}`,
  ].flatMap((option) => ['-o', option]);
  const name = account?.name ?? os.userInfo().username;
  return [
    'ssh',
    '-F',
    'none',
    ...options,
    '-i',
    inHome('user'),
    '-p',
    String(port),
    `${name}@127.0.0.1`,
  ].join(' ');
}
