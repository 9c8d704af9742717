import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CliResult, runCli } from '../test/support/run-cli.ts';

/** Where the commands of a block run: a copy of the project's evals, a folder after `init`, or the files that the page shows. */
export type BlockPlace = 'evals' | 'init' | 'here';

export interface ConsoleBlock {
  readonly place: BlockPlace;
  /** Files for `here`, by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly lines: readonly string[];
}

const startedAt = new Date('2026-11-24T09:30:00Z');

/** Runs the `$` lines of a block in this process and returns its lines with what the commands print today. */
export async function runBlock({ place, files, lines }: ConsoleBlock, root: string): Promise<readonly string[]> {
  return inFolder(async (cwd) => {
    await prepare(cwd, place, files, root);
    const shown: string[] = [];
    let lastCode = 0;
    for (const command of lines.filter((line) => line.startsWith('$ '))) {
      const { code, output } = await runCommand(command.slice(2), cwd, lastCode);
      lastCode = code;
      const text = output.replaceAll(cwd, '/project').trimEnd();
      shown.push(command, ...(text === '' ? [] : text.split('\n')));
    }
    return shown;
  });
}

/** Hands out a copy of the project's evals, and the clock of the documentation. */
export function runInCopy<T>(root: string, run: (cwd: string, now: () => Date) => Promise<T>): Promise<T> {
  return inFolder(async (cwd) => {
    await prepare(cwd, 'evals', new Map(), root);
    return run(cwd, () => startedAt);
  });
}

async function inFolder<T>(run: (cwd: string) => Promise<T>): Promise<T> {
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'llmcheck-docs-')));
  try {
    return await run(cwd);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

async function prepare(
  cwd: string,
  place: BlockPlace,
  files: ReadonlyMap<string, string>,
  root: string,
): Promise<void> {
  if (place === 'evals') {
    for (const folder of ['evals', 'fixtures/recordings'])
      cpSync(join(root, folder), join(cwd, folder), { recursive: true });
  }
  if (place === 'init') await llmcheck(['init'], cwd, {});
  if (place !== 'here') return;
  for (const [path, text] of files) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  }
}

/** Knows `[NAME=value …] [npx] llmcheck …`, `cat FILE` and `echo $?`; anything else belongs into a fence of another kind. */
async function runCommand(command: string, cwd: string, lastCode: number): Promise<{ code: number; output: string }> {
  if (command === 'echo $?') return { code: 0, output: `${lastCode}\n` };
  const words = splitWords(command);
  const env: Record<string, string> = {};
  while (/^[A-Z_]+=/.test(words[0] ?? '')) {
    const [name = '', ...value] = (words.shift() ?? '').split('=');
    env[name] = value.join('=');
  }
  if (words[0] === 'npx') words.shift();
  const [program, ...args] = words;
  if (program === 'cat') return { code: 0, output: readFileSync(join(cwd, args[0] ?? ''), 'utf8') };
  if (program !== 'llmcheck') throw new Error(`a console block can't run "${command}": use a sh fence`);
  const { code, stdout, stderr } = await llmcheck(args, cwd, env);
  return { code, output: withoutProgress(stderr) + stdout };
}

function llmcheck(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<CliResult> {
  return runCli(args, { cwd, env, now: () => startedAt });
}

/** What a terminal overwrites when the run has ended. */
function withoutProgress(stderr: string): string {
  const isProgress = /^(?:\d+ cells in \d+ suites?|\d+\/\d+, \d+ passed, .*)$/;
  const kept = stderr.split('\n').filter((line) => !isProgress.test(line));
  return kept.join('\n');
}

function splitWords(command: string): string[] {
  return [...command.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double: string | undefined, single: string | undefined) =>
      double === undefined ? (single ?? '') : double,
    ),
  );
}
