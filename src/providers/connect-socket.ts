import http from 'node:http';
import https from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import type { Proxy } from './proxy.ts';
import { TransportError } from './transport-error.ts';

/** Where a connection leads. */
export interface Target {
  readonly hostname: string;
  /** Empty for the scheme's own port. */
  readonly port: string;
  readonly protocol: string;
  /** The name that a certificate must carry, where it is not the host's. */
  readonly servername: string | null;
}

/** Calls back once, with a socket that is ready or with what went wrong. */
export type Connected = (...result: [error: Error, socket: null] | [error: null, socket: Socket]) => void;

/** Makes a function that connects straight to a target and returns a function that gives up. */
export function createConnector(): (target: Target, done: Connected) => () => void {
  // A session that is taken up again saves both sides the costly half of a handshake.
  const sessions = new Map<string, Buffer>();
  return ({ hostname, port, protocol, servername }, done) => {
    const place = { host: hostname, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
    if (protocol !== 'https:') {
      const socket = connectTcp({ ...place, port: Number(port || 80) });
      awaitSocket(socket, 'connect', done);
      return () => socket.destroy();
    }
    const name = `${hostname}:${port}`;
    const session = sessions.get(name);
    const socket = connectTls({
      ...place,
      port: Number(port || 443),
      ALPNProtocols: ['http/1.1'],
      ...nameOf(servername ?? hostname),
      ...(session === undefined ? {} : { session }),
    });
    socket.on('session', (issued: Buffer) => sessions.set(name, issued));
    awaitSocket(socket, 'secureConnect', done);
    return () => socket.destroy();
  };
}

/** Connects to a target by TLS through a proxy's CONNECT. The returned function gives up. */
export function connectThroughProxy(proxy: Proxy, target: Target, done: Connected): () => void {
  const { hostname, port, servername } = target;
  const authority = `${isIP(hostname) === 6 ? `[${hostname}]` : hostname}:${port || 443}`;
  const asked = (proxy.url.protocol === 'https:' ? https : http).request({
    ...urlToHttpOptions(proxy.url),
    auth: null,
    agent: false,
    method: 'CONNECT',
    path: authority,
    headers: { ...proxy.headers, host: authority },
  });
  let tunnel: Socket | undefined;
  asked.once('connect', (response, socket) => {
    if (response.statusCode === 200) {
      tunnel = connectTls({ socket, ALPNProtocols: ['http/1.1'], host: hostname, ...nameOf(servername ?? hostname) });
      awaitSocket(tunnel, 'secureConnect', done);
      return;
    }
    socket.destroy();
    const refusal = `the proxy ${proxy.url.host} refused a tunnel to ${authority} with ${response.statusCode}`;
    done(new TransportError('proxy', refusal), null);
  });
  asked.once('error', (error) => {
    const found = `the proxy ${proxy.url.host} can't be used: ${error.message}`;
    done(new TransportError('proxy', found, { cause: error }), null);
  });
  asked.end();
  return () => (tunnel ?? asked).destroy();
}

function awaitSocket(socket: Socket, ready: 'connect' | 'secureConnect', done: Connected): void {
  const fail = (error: Error): void => done(error, null);
  socket.once('error', fail);
  socket.once(ready, () => {
    socket.off('error', fail);
    done(null, socket);
  });
}

/** The name of the handshake, which Node does not take from the host; an address is none. */
function nameOf(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}
