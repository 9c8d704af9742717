import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { parseJson } from '../json/parse-json.ts';
import { lastWords, quote } from '../text/shorten.ts';

/** A program that exchanges lines. */
export interface LinePeer {
  write(line: string): void;
  stderr(): string;
  close(): Promise<void>;
}

export type StartPeer = (on: {
  readonly onLine: (line: string) => void;
  readonly onEnd: (why: string) => void;
}) => LinePeer;

export interface LineTransport extends Transport {
  protocolVersion?: string;
  /** Why the program can't go on, or what it wrote that it must not. */
  fault(): string | undefined;
}

/** Some servers print a banner; one that goes on writes no messages at all. */
const maxStrayLines = 20;

/**
 * Messages as lines over a program's stdin and stdout. The SDK's own transport bounds neither what the server starts nor
 * lines without a message, and says nothing of why a server has ended.
 */
export function createLineTransport(start: StartPeer): LineTransport {
  let peer: LinePeer | undefined;
  let fault: string | undefined;
  let strayLines = 0;
  let stray: string | undefined;

  function end(why: string): void {
    fault ??= why;
    transport.onclose?.();
  }

  function read(line: string): void {
    const parsed = parseJson(line);
    if (parsed.ok && isMessage(parsed.value)) {
      transport.onmessage?.(JSON.parse(line) as JSONRPCMessage);
      return;
    }
    stray ??= line;
    strayLines += 1;
    if (strayLines < maxStrayLines) return;
    end(describeStray(stray));
    void peer?.close();
  }

  const transport: LineTransport = {
    start() {
      peer = start({ onLine: read, onEnd: end });
      return Promise.resolve();
    },
    send(message) {
      peer?.write(JSON.stringify(message));
      return Promise.resolve();
    },
    async close() {
      await peer?.close();
      transport.onclose?.();
    },
    setProtocolVersion(version) {
      transport.protocolVersion = version;
    },
    fault() {
      const stderr = lastWords((peer?.stderr() ?? '').trim(), 300);
      const why = fault ?? (stray === undefined ? undefined : describeStray(stray));
      if (stderr === '') return why;
      return `${why ?? 'gave no answer'}; on stderr it wrote ${quote(stderr, 300)}`;
    },
  };
  return transport;
}

function describeStray(line: string): string {
  return `wrote to stdout what is no message of the protocol: ${quote(line, 120)}`;
}

function isMessage(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Reflect.get(value, 'jsonrpc') === '2.0';
}
