import { dirname, resolve } from 'node:path';
import type { ParsedPromptFile, PromptFileContent, PromptFilePorts } from '../model/prompt-file.ts';
import type { ProjectFiles } from './files.ts';
import { type Located, locate, type SourceFile, textSource } from './locate.ts';
import type { Problems } from './problems.ts';
import { reportFault } from './read-document.ts';

/** `at.file` of its problems is the path that was given. */
export type ParsePrompt = (
  file: { readonly path: string; readonly text: string },
  ports: PromptFilePorts,
) => Promise<ParsedPromptFile>;

export interface PromptFileContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly parsePrompt: ParsePrompt;
}

export interface FoundPrompt {
  readonly content: PromptFileContent;
  readonly source: SourceFile;
}

/** True for a prompt file that brings data of its own, and so may stand for a suite. */
export function isPromptFile(path: string): boolean {
  return /\.(?:prompt\.ya?ml|prompt|prompty)$/i.test(path);
}

/** Reads a prompt file and what it names; what is wrong is reported. */
export async function readPromptFile(
  path: string,
  { files, problems, parsePrompt }: PromptFileContext,
  namedBy?: Located,
): Promise<FoundPrompt | undefined> {
  const found = await files.read(path);
  if ('fault' in found) {
    reportFault(found.fault, problems, namedBy);
    return undefined;
  }
  const folder = dirname(path);
  const shown = files.display(path);
  const parsed = await parsePrompt(
    { path: shown, text: found.text },
    {
      read: (name) => files.read(resolve(folder, name)),
    },
  );
  const said = 'problems' in parsed ? parsed.problems : parsed.warnings;
  for (const { severity, ...problem } of said) {
    // A format that is not read at all is a mistake of whoever names the file.
    const placed = problem.at === undefined && namedBy !== undefined ? { ...problem, at: locate(namedBy) } : problem;
    if (severity === 'error') problems.report(placed);
    else problems.warn(placed);
  }
  return 'problems' in parsed
    ? undefined
    : { content: parsed, source: textSource({ file: shown, folder }, found.text) };
}
