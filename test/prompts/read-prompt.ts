import type { ParsedPromptFile, PromptFileContent } from '../../src/model/suite/prompt-file.ts';
import type { RenderedMessage, Vars } from '../../src/model/suite/suite.ts';
import { parsePromptFile } from '../../src/prompts/parse-prompt-file.ts';

type Files = Readonly<Record<string, string>>;

/** A prompt file and those beside it, by name. */
export async function parsePrompt(path: string, text: string, files: Files): Promise<ParsedPromptFile> {
  return parsePromptFile(
    { path, text },
    {
      read: (name) => {
        const found = Object.hasOwn(files, name) ? files[name] : undefined;
        const fault = { code: 'file-unreadable', message: `${name} does not exist` } as const;
        return Promise.resolve(found === undefined ? { fault } : { text: found });
      },
    },
  );
}

export async function readPrompt(path: string, text: string, files: Files = {}): Promise<PromptFileContent> {
  const parsed = await parsePrompt(path, text, files);
  if (!('problems' in parsed)) return parsed;
  throw new Error(
    parsed.problems.map(({ message, hint = '', at }) => `${at?.line}:${at?.column} ${message}; ${hint}`).join('\n'),
  );
}

export async function renderPrompt(
  path: string,
  text: string,
  vars: Vars = {},
  files: Files = {},
): Promise<readonly RenderedMessage[]> {
  const { whole } = await readPrompt(path, text, files);
  if (whole === undefined) throw new Error('The prompt has no template of its own.');
  return whole.expand(vars);
}

/** `line:column code`, of each problem. */
export async function findPromptProblems(path: string, text: string, files: Files = {}): Promise<readonly string[]> {
  const parsed = await parsePrompt(path, text, files);
  if (!('problems' in parsed)) return [];
  return parsed.problems.map(({ code, at }) => `${at?.line}:${at?.column} ${code}`);
}
