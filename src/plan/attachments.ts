import { dirname, posix, resolve } from 'node:path';
import type { Attachment } from '../model/completion.ts';
import { UserError } from '../model/errors.ts';
import type { Problem, SourceLocation } from '../model/problem.ts';
import { type PromptVersion, renderMessages, type Suite, type Vars } from '../model/suite.ts';
import { readAttachment } from '../providers/describe-file.ts';
import { TemplateError } from '../templates/template-error.ts';
import type { Plan } from './build-plan.ts';
import { runsOn } from './build-plan.ts';

export interface Attachments {
  describeFile(suite: Suite, path: string): Attachment;
  /** Every file that a case of the plan's suites names and that can't go along. */
  findProblems(plan: Plan): readonly Problem[];
}

/** Reads each file once a run, so that all its requests say the same of it. */
export function createAttachments(projectRoot: string): Attachments {
  const known = new Map<string, ReturnType<typeof describe>>();

  function find(suite: Suite, path: string): ReturnType<typeof describe> {
    const joined = posix.isAbsolute(path) ? path : posix.join(posix.dirname(suite.path), path);
    let found = known.get(joined);
    if (found === undefined) {
      found = describe(joined, projectRoot);
      known.set(joined, found);
    }
    return found;
  }

  return {
    describeFile(suite, path) {
      const found = find(suite, path);
      if ('fault' in found) throw new UserError([buildProblem(path, found)]);
      return found;
    },
    findProblems(plan) {
      const problems = new Map<string, Problem>();
      for (const { suite, variants } of plan.suites) {
        const attaching = variants.filter(({ prompt }) => mayAttach(prompt));
        if (attaching.length === 0) continue;
        for (const testCase of suite.cases()) {
          for (const { prompt, provider } of attaching) {
            if (!runsOn(testCase, prompt.baselineOf ?? prompt.id, provider.id)) continue;
            for (const path of renderPaths(prompt, testCase.vars)) {
              const found = find(suite, path);
              if (!('fault' in found)) continue;
              problems.set(`${suite.id} ${path}`, buildProblem(path, found, testCase.at));
            }
          }
        }
      }
      return [...problems.values()];
    },
  };
}

/** The files that a suite's cases send along, absolute; a case whose path can't be rendered names none. */
export function findAttached(suite: Suite, projectRoot: string): ReadonlySet<string> {
  const found = new Set<string>();
  const attaching = suite.prompts.filter(mayAttach);
  if (attaching.length === 0) return found;
  for (const { vars } of suite.cases()) {
    for (const path of attaching.flatMap((prompt) => renderPaths(prompt, vars))) {
      found.add(resolve(projectRoot, dirname(suite.path), path));
    }
  }
  return found;
}

/** Whether a template of its own language attaches anything shows where it is rendered; one that never says so is spared. */
function mayAttach({ messages, expand }: PromptVersion): boolean {
  if (expand === undefined) return messages.some(({ attach }) => attach !== undefined);
  return messages.some(({ template: { source, language } }) =>
    [source, ...Object.values(language?.partials ?? {})].some((text) => text.includes('media')),
  );
}

function describe(path: string, projectRoot: string) {
  const read = readAttachment(path, projectRoot);
  return 'fault' in read ? read : read.attachment;
}

/** A variable that is missing is told by whoever renders the prompt. */
function renderPaths(prompt: PromptVersion, vars: Vars): readonly string[] {
  if (prompt.expand !== undefined) return attempt(() => renderMessages(prompt, vars).flatMap(({ attach }) => attach));
  const templates = prompt.messages.flatMap(({ attach = [] }) => attach);
  return templates.flatMap((template) => attempt(() => [template.render(vars)]));
}

function attempt(render: () => readonly string[]): readonly string[] {
  try {
    return render();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return [];
  }
}

function buildProblem(
  path: string,
  { code, fault }: Pick<Problem, 'code'> & { readonly fault: string },
  at?: SourceLocation,
): Problem {
  const problem = {
    code,
    severity: 'error',
    message: `attach: ${path} ${fault}`,
    hint: "write the path from the suite file's folder",
  } as const;
  return at === undefined ? problem : { ...problem, at };
}
