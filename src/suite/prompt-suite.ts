import { basename } from 'node:path';
import { defined } from '../json/defined.ts';
import type { PromptModel } from '../model/prompt-file.ts';
import type { Config } from './config.ts';
import type { ProjectFiles } from './files.ts';
import { fixedSource, type Located } from './locate.ts';
import type { Problems } from './problems.ts';
import { type ParsePrompt, readPromptFile } from './read-prompt-file.ts';

interface PromptSuiteContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly config: Config;
  readonly parsePrompt: ParsePrompt;
}

/** The suite that a prompt file with test data stands for, as its author would have written it. */
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
    ...(judges.length === 0 ? {} : { judges }),
  };
  return { value, source: fixedSource({ file: source.file, folder: source.folder }, at), path: [] };
}

/** As evaluators name it: the judge of the config with that id, else the model itself. */
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
