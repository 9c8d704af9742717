import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import { platform } from 'node:process';
import type { ProgramCall } from './run-program.ts';

/** Within its own network the program still reaches what it starts itself on 127.0.0.1. */
const start = 'ip link set lo up 2>/dev/null || ifconfig lo up 2>/dev/null; exec "$@"';

/** The call of a program in a network of its own that leads nowhere; undefined where this system makes none. */
export function withoutNetwork(call: ProgramCall): ProgramCall | undefined {
  if (!canCutNetwork(call.env)) return undefined;
  // One that is missing is named by the start itself.
  if (!isFound(call)) return call;
  return { ...call, argv: ['unshare', '-rn', 'sh', '-c', start, 'sh', ...call.argv] };
}

/** Where the system looks for programs if no PATH says it. */
const defaultPath = '/bin:/usr/bin';

const known = new Map<string, boolean>();

/** True on Linux where a user may make namespaces, which many containers forbid. */
export function canCutNetwork({ PATH = defaultPath }: Readonly<Record<string, string | undefined>>): boolean {
  if (platform !== 'linux') return false;
  const found = known.get(PATH) ?? spawnSync('unshare', ['-rn', 'true'], { env: { PATH } }).status === 0;
  known.set(PATH, found);
  return found;
}

function isFound({ argv: [program = ''], cwd, env }: ProgramCall): boolean {
  if (program.includes('/')) return isExecutable(resolve(cwd, program));
  return (env['PATH'] ?? defaultPath).split(':').some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
