import { lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { systemErrorCode } from '../files/write-files.ts';
import { UserError } from '../model/problem.ts';
import { findNearest } from '../text/did-you-mean.ts';
import { quote } from '../text/shorten.ts';

/** What `--baseline` or a side of `compare` names. */
export type RecordSource =
  | { readonly kind: 'git'; readonly ref: string }
  /** The path is absolute. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'run'; readonly id: string }
  | { readonly kind: 'prompt'; readonly id: string };

export interface SourceChoices {
  readonly cwd: string;
  /** The stored runs, the latest first. */
  readonly runs: readonly { readonly id: string }[];
  isPromptId(id: string): boolean;
  /** What prompts there are, for a suggestion. */
  readonly promptIds?: Iterable<string>;
}

/** Decides what a text names: `git:REF`, a file, a run id or a prompt id, in this order. */
export function classifySource(text: string, choices: SourceChoices): RecordSource {
  const { cwd, runs } = choices;
  if (text === '') {
    const hint = 'write `git:` and a ref, a file, a run id or a prompt id';
    throw new UserError({ code: 'usage', message: 'There is nothing to compare with: the name is empty.', hint });
  }
  if (text.startsWith(gitScheme)) return { kind: 'git', ref: text.slice(gitScheme.length) };
  const path = resolve(cwd, text);
  const place = lookAt(path);
  if (place === 'file') return { kind: 'file', path };
  if (runs.some(({ id }) => id === text)) return { kind: 'run', id: text };
  if (choices.isPromptId(text)) return { kind: 'prompt', id: text };
  // Shorthands come last, so that they never hide what has exactly that name.
  const starting = text === 'latest' ? runs.slice(0, 1) : runs.filter(({ id }) => id.startsWith(text));
  const [run, second] = starting;
  if (run === undefined) throw unknownSource(text, path, place, choices);
  if (second === undefined) return { kind: 'run', id: run.id };
  const ids = starting.slice(0, maxListed).map(({ id }) => id);
  const message = `${quote(text)} is the start of ${starting.length} runs: ${ids.join(', ')}${starting.length > maxListed ? ' …' : ''}.`;
  throw new UserError({ code: 'unknown-id', message, hint: 'write more of the id' });
}

const gitScheme = 'git:';

const maxListed = 5;

/** `file`, `folder`, `missing`, `dangling` for a link to nothing, or the system's error code. */
function lookAt(path: string): string {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return lstatSync(path, { throwIfNoEntry: false }) === undefined ? 'missing' : 'dangling';
    return stats.isDirectory() ? 'folder' : 'file';
  } catch (error) {
    // Such as a name too long, or a folder on the way that may not be entered.
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

function unknownSource(text: string, path: string, place: string, choices: SourceChoices): UserError {
  const files: Readonly<Record<string, string>> = {
    folder: 'a folder, not a file',
    missing: 'no file',
    dangling: 'a link to a file that is not there',
  };
  const file = files[place] ?? `no file (${place})`;
  const message = `${quote(text)} is ${file}, no run id and no prompt id.`;
  return new UserError({ code: 'unknown-id', message, hint: suggest(text, path, place, choices) });
}

function suggest(text: string, path: string, place: string, { runs, promptIds = [] }: SourceChoices): string {
  const name = basename(path);
  const file = place === 'missing' && text.endsWith(name) ? findNearest(name, filesBeside(path)) : undefined;
  const nearest =
    file === undefined
      ? findNearest(text, [...promptIds, ...runs.map(({ id }) => id)])
      : text.slice(0, text.length - name.length) + file;
  if (nearest !== undefined) return `did you mean ${quote(nearest)}?`;
  return 'write `git:` before a branch, tag or commit; `llmcheck list runs` shows the stored runs';
}

function filesBeside(path: string): string[] {
  try {
    const entries = readdirSync(dirname(path), { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    // A folder that can't be listed suggests nothing.
    if (systemErrorCode(error) === undefined) throw error;
    return [];
  }
}
