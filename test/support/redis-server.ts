import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface RedisServer {
  readonly url: string;
  readonly values: Map<string, string>;
  /** Names of the commands that came. */
  readonly commands: readonly string[];
  /** Ends all connections and takes no further one. */
  kill(): void;
}

export interface RedisServerOptions {
  readonly password?: string;
  /** True: takes connections and commands, and answers none. */
  readonly isSilent?: () => boolean;
}

/** As much of a Redis server as a cache needs, on 127.0.0.1. Closed with the test. */
export async function startRedisServer({
  password,
  isSilent = () => false,
}: RedisServerOptions = {}): Promise<RedisServer> {
  const values = new Map<string, string>();
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let isOpen = password === undefined;
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let parsed = parseCommand(received); parsed !== undefined; parsed = parseCommand(received)) {
        received = received.subarray(parsed.end);
        const [name = '', ...args] = parsed.words;
        commands.push(name.toLowerCase());
        if (isSilent()) continue;
        socket.write(answer(name.toLowerCase(), args));
      }
    });
    function answer(name: string, args: readonly string[]): string {
      if (name === 'auth') {
        isOpen = args.at(-1) === password;
        return isOpen ? '+OK\r\n' : `-WRONGPASS invalid username-password pair: ${args.join(' ')}\r\n`;
      }
      if (!isOpen) return '-NOAUTH Authentication required.\r\n';
      const [key = '', value = ''] = args;
      switch (name) {
        case 'get':
          return bulk(values.get(key));
        case 'set':
          values.set(key, value);
          return '+OK\r\n';
        case 'select':
          return Number(key) < 16 ? '+OK\r\n' : '-ERR DB index is out of range\r\n';
        case 'scan':
          return `*2\r\n${bulk('0')}*${values.size}\r\n${[...values.keys()].map(bulk).join('')}`;
        default:
          return '+OK\r\n';
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const kill = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(kill);
  return { url: `redis://127.0.0.1:${address.port}/0`, values, commands, kill };
}

function bulk(text: string | undefined): string {
  return text === undefined ? '$-1\r\n' : `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** `*2\r\n$3\r\nGET\r\n$1\r\na\r\n`; undefined where it is not whole yet. */
function parseCommand(bytes: Buffer): { readonly words: readonly string[]; readonly end: number } | undefined {
  let at = 0;
  const readNumber = (): number | undefined => {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const number = Number(bytes.toString('latin1', at + 1, end));
    at = end + 2;
    return number;
  };
  const count = readNumber();
  if (count === undefined) return undefined;
  const words: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const length = readNumber();
    if (length === undefined || bytes.length < at + length + 2) return undefined;
    words.push(bytes.toString('utf8', at, at + length));
    at += length + 2;
  }
  return { words, end: at };
}
