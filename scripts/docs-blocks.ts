import { execFileSync } from 'node:child_process';
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
      const { code, output } = await runCommand(command.slice(2), cwd, lastCode, startedAt);
      lastCode = code;
      const text = output.replaceAll(cwd, '/project').trimEnd();
      shown.push(command, ...(text === '' ? [] : text.split('\n')));
    }
    return shown;
  });
}

/** The folder of a tutorial: it starts empty, and each block goes on where the block before it ended. */
export interface Session {
  readonly write: (path: string, text: string) => void;
  /** Runs the `$` lines of a block, like `runBlock`. */
  readonly run: (lines: readonly string[]) => Promise<readonly string[]>;
}

/** Opens an empty folder for the blocks of one page, and removes it afterwards. */
export function withSession<T>(use: (session: Session) => Promise<T>): Promise<T> {
  return inFolder((folder) => {
    let cwd = folder;
    let minutes = 0;
    const run = async (lines: readonly string[]): Promise<readonly string[]> => {
      const shown: string[] = [];
      let lastCode = 0;
      for (const line of lines.filter((each) => each.startsWith('$ '))) {
        const command = line.slice(2);
        const [program = '', ...args] = splitWords(command);
        // A run's id holds its minute: two runs of one folder must differ.
        const now = new Date(startedAt.getTime() + 60_000 * minutes++);
        let output = '';
        if (program === 'cd') cwd = join(cwd, args[0] ?? '');
        else if (program === 'mkdir') mkdirSync(join(cwd, args[0] ?? ''));
        else if (program === 'git') output = git(args, cwd, now);
        else ({ code: lastCode, output } = await runCommand(command, cwd, lastCode, now));
        const text = output.replaceAll(folder, '').trimEnd();
        shown.push(line, ...(text === '' ? [] : text.split('\n')));
      }
      return shown;
    };
    return use({ write: (path, text) => writeFile(join(cwd, path), text), run });
  });
}

/** Commits get the same hash on every machine. */
function git(args: readonly string[], cwd: string, now: Date): string {
  const date = now.toISOString();
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
    GIT_COMMITTER_DATE: date,
  };
  return execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function writeFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
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
  if (place === 'init') await llmcheck(['init'], cwd, {}, startedAt);
  if (place !== 'here') return;
  for (const [path, text] of files) writeFile(join(cwd, path), text);
}

/** Knows `[NAME=value …] [npx] llmcheck …`, `cat FILE` and `echo $?`; anything else belongs into a fence of another kind. */
async function runCommand(
  command: string,
  cwd: string,
  lastCode: number,
  now: Date,
): Promise<{ code: number; output: string }> {
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
  const { code, stdout, stderr } = await llmcheck(args, cwd, env, now);
  return { code, output: withoutProgress(stderr) + stdout };
}

function llmcheck(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  now: Date,
): Promise<CliResult> {
  return runCli(args, { cwd, env, now: () => now });
}

/** What a terminal overwrites when the run has ended. */
function withoutProgress(stderr: string): string {
  const isProgress = /^(?:\d+ cells? in \d+ suites?|\d+\/\d+, \d+ passed, .*)$/;
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
