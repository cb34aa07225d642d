// @ts-check
// A network that can be cut between two pages, without root: UDP between them passes through this process. Each gets one port as the
// other's address, and is answered at the address from which it speaks, so that nobody needs to know where they are.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';

/**
 * @typedef {object} Relay
 * @property {[number, number]} ports what stands for the second page to the first one, and the other way round
 * @property {string} address
 * @property {() => void} cut nothing passes any more
 * @property {() => void} close
 */

/** An address of this machine that browsers speak to: they leave its loopback out. */
const address = () =>
  Object.values(networkInterfaces())
    .flatMap((some) => some ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';

/** @returns {Promise<Relay>} */
export async function startRelay() {
  const sockets = [createSocket('udp4'), createSocket('udp4')];
  /** @type {(import('node:dgram').RemoteInfo | undefined)[]} */
  const pages = [];
  let passes = true;
  for (const [at, socket] of sockets.entries()) {
    socket.on('message', (packet, from) => {
      pages[at] ??= from;
      const to = pages[1 - at];
      if (passes && to && pages[at]?.port === from.port) sockets[1 - at].send(packet, to.port, to.address);
    });
    socket.bind(0);
    await once(socket, 'listening');
  }
  const [first, second] = sockets.map((socket) => socket.address().port);
  return {
    ports: [first, second],
    address: address(),
    cut: () => (passes = false),
    close: () => sockets.forEach((socket) => socket.close()),
  };
}

/** A page's description with the relay in the place of its own addresses. @param {{type: string, sdp: string}} description @param {string} address @param {number} port */
export function through({ type, sdp }, address, port) {
  const lines = sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:'));
  const only = `a=candidate:1 1 udp 2122260223 ${address} ${port} typ host generation 0`;
  const at = lines.flatMap((line) => (line.startsWith('a=ice-pwd:') ? [line, only] : [line]));
  return { type, sdp: at.join('\r\n') };
}
