import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { runCli } from './run-cli.ts';

let startedPrograms = 0;

/**
 * A script that stands for the program: it runs llmcheck in this process, with the arguments, folder and variables that it
 * was started with. A process of its own takes half a second to start. Ends with the test.
 */
export async function startShellCli(): Promise<string> {
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, Buffer.from(chunk)]);
      const start = parseStart(received.toString('utf8'));
      if (start !== undefined) void answer(socket, start);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `#!/usr/bin/env bash
exec 3<>/dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port} || exit 1
{ printf '%s\\0' "$PWD" "$#" "$@"; env -0; printf '\\0'; } >&3
read -r code stdout stderr <&3
head -c "$stdout" <&3
head -c "$stderr" <&3 >&2
exit "$code"
`;
}

interface Start {
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Folder, number of arguments, arguments, variables, and an empty text; undefined where it is not whole yet. */
function parseStart(text: string): Start | undefined {
  const [cwd = '', count, ...rest] = text.split('\0').slice(0, -1);
  const argv = rest.slice(0, Number(count));
  const variables = rest.slice(Number(count));
  if (count === undefined || variables.at(-1) !== '') return undefined;
  const env = variables
    .slice(0, -1)
    .map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]);
  return { cwd, argv, env: Object.fromEntries(env) };
}

async function answer(socket: Socket, { argv, ...start }: Start): Promise<void> {
  startedPrograms += 1;
  const { code, stdout, stderr } = await runCli(argv, { ...start, randomSeed: startedPrograms });
  socket.end(`${code} ${Buffer.byteLength(stdout)} ${Buffer.byteLength(stderr)}\n${stdout}${stderr}`);
}
