import { defined } from '../json/defined.ts';
import type { BaselineVariant } from '../model/baseline.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { type Project, type PromptVersion, renderMessages, type Suite } from '../model/suite.ts';
import { compileWritten } from '../prompts/prompt-template.ts';
import { loadTemplateEngine } from '../templates/template.ts';
import { TemplateError } from '../templates/template-error.ts';
import type { FindBaseline } from './find-baselines.ts';

/**
 * Adds each baseline's own prompt beside the version that is compared with it. Both run interleaved in one invocation, so that
 * drift of the provider affects both and latencies are comparable. Throws a `UserError` where a baseline's prompt can't run.
 */
export async function addBaselinePrompts(project: Project, findBaseline: FindBaseline): Promise<Project> {
  await loadTemplateEngine();
  const problems: Problem[] = [];
  const suites = project.suites.map((suite) => {
    const found = findBaseline(suite);
    const variants = found?.kind === 'file' ? found.baseline.variants : [];
    const added = suite.prompts.flatMap((prompt) => {
      const own = variants.filter(({ prompt: id }) => id === prompt.id);
      const [first, ...others] = own.length > 0 ? own : variants.filter(({ prompt: id }) => id === prompt.replaces);
      return first === undefined ? [] : [buildPrompt(prompt, first, others)];
    });
    if (added.length === 0) {
      const message = `--rerun-baseline: suite ${suite.id} has no baseline file whose prompts could run again`;
      problems.push({ code: 'record', severity: 'error', message, hint: 'accept one with llmcheck baseline accept' });
    }
    problems.push(...added.flatMap((prompt) => findUnrenderable(suite, prompt)));
    return { ...suite, prompts: [...suite.prompts, ...added] };
  });
  if (problems.length > 0) throw new UserError(problems);
  return { ...project, suites };
}

function buildPrompt(
  prompt: PromptVersion,
  variant: BaselineVariant,
  others: readonly BaselineVariant[],
): PromptVersion {
  return {
    id: `${prompt.id}@baseline`,
    baselineOf: prompt.id,
    ...compileWritten(variant.messages),
    params: {},
    paramsByProvider: new Map([variant, ...others].map(({ provider, params }) => [provider, params])),
    ...defined({ contract: prompt.contract }),
  };
}

/** The cases may no longer have a variable that only the old prompt needs. */
function findUnrenderable(suite: Suite, prompt: PromptVersion): Problem[] {
  for (const { vars, id, at } of suite.cases()) {
    try {
      renderMessages(prompt, vars);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      const message = `--rerun-baseline: the baseline's prompt ${prompt.baselineOf ?? ''} can't be rendered for case ${id}: ${error.message}`;
      return [
        {
          code: 'missing-variable',
          severity: 'error',
          message,
          hint: 'keep the variable in the cases, or run without the flag',
          at,
        },
      ];
    }
  }
  return [];
}
