// oxlint-disable-next-line typescript/triple-slash-reference -- The declaration is ambient, so nothing can be imported from it.
/// <reference path="./undici-client.d.ts" />
import type { Socket } from 'node:net';
import symbols, { type Parser } from 'undici/lib/core/symbols.js';
import Client from 'undici/lib/dispatcher/client.js';
import { type Connected, connectThroughProxy, type Target } from './connect-socket.ts';
import type { Proxy } from './proxy.ts';

/** One connection and its place: it carries one request at a time and connects again where its socket was closed. */
export interface Line {
  readonly client: Client;
  /** True where the present socket carried a request before. To be asked when a request is about to be written. */
  isUsed(): boolean;
  /** True where the server sent anything since `isUsed` was asked. */
  hasHeard(): boolean;
  /** Makes it idle. */
  giveBack(): void;
  /** Ends it with all that it carries, also while it still connects. */
  drop(): void;
}

/** As many lines to one origin as requests are under way: the engine owns concurrency. */
export interface Lines {
  take(): Line;
  /** Closes the lines that carry nothing. */
  dropIdle(): void;
  close(): void;
}

type Connect = (target: Target, done: Connected) => () => void;

export function openLines(origin: string, connect: Connect, proxy: Proxy | undefined): Lines {
  const all = new Set<Line>();
  const idle: Line[] = [];

  function open(): Line {
    let socket: Socket | undefined;
    let sentBefore = 0;
    let heardBefore = 0;
    let giveUp = (): void => undefined;
    const client = new Client(origin, {
      // The engine owns deadlines.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect(target, callback) {
        const done: Connected = (...result) => {
          socket = result[1] ?? undefined;
          sentBefore = 0;
          callback(...result);
        };
        const { hostname, port, protocol, servername } = target;
        const place = { hostname, port, protocol, servername: servername || null };
        giveUp = proxy === undefined ? connect(place, done) : connectThroughProxy(proxy, place, done);
      },
    });
    client.on('connect', () => acceptContinue(socket));
    const line: Line = {
      client,
      isUsed() {
        heardBefore = socket?.bytesRead ?? 0;
        sentBefore += 1;
        return sentBefore > 1;
      },
      hasHeard: () => (socket?.bytesRead ?? 0) > heardBefore,
      giveBack: () => idle.push(line),
      drop() {
        all.delete(line);
        // What it carries has been told already, or is told by this.
        client.destroy(() => undefined);
        giveUp();
      },
    };
    all.add(line);
    return line;
  }

  return {
    take: () => idle.pop() ?? open(),
    dropIdle() {
      for (const line of idle.splice(0)) line.drop();
    },
    close() {
      idle.length = 0;
      for (const line of all) line.drop();
    },
  };
}

/**
 * undici breaks off at a `100 Continue` that it did not ask for, which a client must be able to read (RFC 9110 15.2).
 * It passes over the other informational answers, so this one is shown to it as one of them.
 */
function acceptContinue(socket: (Socket & { [symbols.kParser]?: Parser | null }) | undefined): void {
  const parser = socket?.[symbols.kParser];
  if (parser === undefined || parser === null) return;
  const read = parser.onHeadersComplete.bind(parser);
  parser.onHeadersComplete = (status, ...rest) => read(status === 100 ? 102 : status, ...rest);
}
