import { basename, dirname, resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import type {
  ParsedPromptFile,
  PromptFileContent,
  PromptFilePorts,
  PromptModel,
} from '../../model/suite/prompt-file.ts';
import type { Config } from '../config.ts';
import { fixedSource, type Located, locate, type Problems, type SourceFile, textSource } from '../documents/locate.ts';
import { reportFault } from '../documents/read-document.ts';
import type { ProjectFiles } from '../files/project-files.ts';

/** Reads a prompt file; `at.file` of its problems is `path`. */
export type ParsePrompt = (
  file: { readonly path: string; readonly text: string },
  ports: PromptFilePorts,
) => Promise<ParsedPromptFile>;

interface PromptFileContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly parsePrompt: ParsePrompt;
}

export interface FoundPrompt {
  readonly content: PromptFileContent;
  readonly source: SourceFile;
}

/** True for a prompt file whose format can hold test data, so that it can run as a suite. */
export function isPromptFile(path: string): boolean {
  return /\.(?:prompt\.ya?ml|prompt|prompty)$/i.test(path);
}

/** Reads a prompt file and the files that it names. Reports mistakes. */
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
  const parseProblems = 'problems' in parsed ? parsed.problems : parsed.warnings;
  for (const { severity, ...problem } of parseProblems) {
    // A format that is not known is a mistake at the place that names the file.
    const placed = problem.at === undefined && namedBy !== undefined ? { ...problem, at: locate(namedBy) } : problem;
    if (severity === 'error') problems.report(placed);
    else problems.warn(placed);
  }
  return 'problems' in parsed
    ? undefined
    : { content: parsed, source: textSource({ file: shown, folder }, found.text) };
}

interface PromptSuiteContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly config: Config;
  readonly parsePrompt: ParsePrompt;
}

/** Makes a suite document of a prompt file with test data. */
export async function readPromptSuite(path: string, context: PromptSuiteContext): Promise<Located | undefined> {
  const { problems, config } = context;
  const found = await readPromptFile(path, context);
  if (found === undefined) return undefined;
  const { content, source } = found;
  const at = { ...source.at([]), file: source.file };
  const file = basename(path);
  if (content.tests === undefined) {
    problems.report({
      code: 'invalid-value',
      message: `${source.file} holds no test data to run`,
      hint: /\.ya?ml$/i.test(path)
        ? 'add testData and evaluators to it, or write a suite that names it'
        : 'write a suite that names it: prompts: [{ id: v1, file: … }]',
      at,
    });
    return undefined;
  }
  const judges = content.tests.judges.flatMap((judge) => buildJudge(judge, content.model, config, problems));
  const value = {
    prompts: [{ id: file.replace(/\.prompt\.ya?ml$|\.prompty?$/i, ''), file }],
    ...defined({ description: content.description }),
    cases: [{ file }],
    ...defined({ judges: judges.length === 0 ? undefined : judges }),
  };
  return { value, source: fixedSource({ file: source.file, folder: source.folder }, at), path: [] };
}

/** Builds the judge that an evaluator names: the judge of the config with that id, or else the model itself. */
function buildJudge(
  { written, use, hint, at }: PromptModel,
  tested: PromptModel | undefined,
  { judges }: Config,
  problems: Problems,
): readonly unknown[] {
  if (judges.some(({ id }) => id === written)) return [written];
  if (use === undefined) {
    const message = `no adapter is known for the judge "${written}"`;
    problems.report({ code: 'unknown-adapter', message, at, ...defined({ hint }) });
    return [];
  }
  if (tested?.use !== use) return [{ id: written, use }];
  problems.warn({
    code: 'invalid-value',
    message: `the evaluators let ${written} judge its own answers`,
    hint: 'name another model in modelId',
    at,
  });
  return [{ id: written, use, sameModel: true }];
}
