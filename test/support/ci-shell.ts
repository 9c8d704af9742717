import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { delimiter } from 'node:path';
import { startShellCli } from './shell-cli.ts';
import type { TempProject } from './temp-project.ts';

export interface ShellResult {
  readonly code: number;
  readonly log: string;
}

/**
 * Programs that a job finds on its machine. Each package manager writes its arguments to `bin/log`, and starts llmcheck where
 * that is wanted.
 */
export async function installPrograms(project: TempProject, startsCli = true): Promise<string> {
  // Where no job finds it by its name.
  const program = 'bin/own/llmcheck';
  const cli = startsCli ? `exec "${project.path(program)}" "$@"` : 'exit 0';
  const log = `echo "$(basename "$0") $*" >> "${project.path('bin/log')}"`;
  /** `npx llmcheck …`, `pnpm exec llmcheck …`; everything else is only noted. */
  const run = `${log}\n[ "$1" != exec ] || shift\n[ "$1" != x ] || shift\n[ "$1" = llmcheck ] || exit 0\nshift\n${cli}`;
  const programs = { npx: run, pnpm: run, yarn: run, bun: run, npm: log, corepack: log };
  for (const [name, script] of Object.entries(programs)) project.write(`bin/${name}`, `#!/bin/sh\n${script}\n`);
  project.write(program, await startShellCli());
  for (const path of [...Object.keys(programs).map((name) => `bin/${name}`), program])
    chmodSync(project.path(path), 0o755);
  return [project.path('bin'), process.env['PATH'] ?? ''].join(delimiter);
}

/** Runs the lines of one step as CI systems do: the first that fails ends it. */
export function runShell(
  lines: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly shell?: 'bash' | 'sh' },
): Promise<ShellResult> {
  return new Promise((resolve) => {
    const child = spawn(options.shell ?? 'bash', ['-e', '-c', lines.join('\n')], {
      cwd: options.cwd,
      env: options.env,
    });
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
    child.on('close', (code) => resolve({ code: code ?? -1, log }));
  });
}
