import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import type { CliResult } from './run-cli.ts';
import { bundleFolder } from './temp-folder.ts';

const root = join(import.meta.dirname, '../..');

interface SpawnedCli {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult & { readonly signal: NodeJS.Signals | null }>;
}

interface SpawnOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Blocks of 512 bytes that a file may hold; writing more fails as on a disk that is full. */
  readonly maxFileBlocks?: number;
  /** Runs as somebody whom permissions hold back, where the tests run as root. */
  readonly isUnprivileged?: boolean;
  /** A file that stdout goes to. */
  readonly stdout?: string;
}

export type SpawnCli = (argv: readonly string[], options: SpawnOptions) => SpawnedCli;

/** For what only a real process can show: kills, signals, pipes. */
export function prepareSpawn(): SpawnCli {
  return (argv, { cwd, env = {}, maxFileBlocks, isUnprivileged = false, stdout: target }) => {
    const command = [process.execPath, bundleCli(), ...argv];
    const [program = '', ...args] =
      maxFileBlocks === undefined
        ? command
        : ['sh', '-c', `trap '' XFSZ; ulimit -f ${maxFileBlocks}; exec "$@"`, 'sh', ...command];
    const user = isUnprivileged && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
    const out = target === undefined ? 'pipe' : openSync(target, 'w');
    const child = spawn(program, args, {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['pipe', out, 'pipe'],
      ...user,
    });
    if (typeof out === 'number') closeSync(out);
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    const ended = new Promise<CliResult & { readonly signal: NodeJS.Signals | null }>((resolve) => {
      child.on('close', (code, signal) => resolve({ code: code ?? -1, signal, stdout, stderr }));
    });
    return { child, ended };
  };
}

const nobody = 65_534;

/** The program, made once for all workers of a run: bundled from the source, so that no build has to be fresh. */
export function bundleCli(): string {
  const folder = join(tmpdir(), bundleFolder);
  if (!existsSync(folder)) buildBundle(folder);
  // As esbuild names what it is given as a text.
  return join(folder, 'stdin.mjs');
}

/** A package `llmcheck` with what imported suites call, for the `node_modules` of a project: no child takes its types out then. */
export function linkOwnPackage(project: string): void {
  const folder = join(project, 'node_modules');
  mkdirSync(folder, { recursive: true });
  symlinkSync(dirname(bundleCli()), join(folder, 'llmcheck'));
}

/** Another worker never sees half a bundle: it is renamed to its place when it is whole. */
function buildBundle(place: string): void {
  const folder = mkdtempSync(`${place}-`);
  chmodSync(folder, 0o755);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  buildSync({
    stdin: {
      contents: `import { main, processIo } from './src/cli/main.ts';
process.exitCode = await main(process.argv.slice(2), processIo());`,
      resolveDir: root,
      loader: 'ts',
    },
    entryPoints: { promptfoo: join(root, 'src/promptfoo/promptfoo.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // As in the built package, a start reads what its command needs: that is a third faster than one file.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['vitest'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
    },
    alias: { 'virtual:page': join(root, 'test/support/empty-page.mjs') },
    logLevel: 'error',
  });
  const exported = { './promptfoo': './promptfoo.mjs' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'llmcheck', exports: exported }));
  try {
    renameSync(folder, place);
  } catch (error) {
    // Another worker was first.
    if (!existsSync(place)) throw error;
  }
}
