import { dirname, posix, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { TemplateError } from '../lib/template-error.ts';
import type { Attachment } from '../model/completion.ts';
import type { Problem, SourceLocation } from '../model/problem.ts';
import type { Suite } from '../model/suite.ts';
import type { Plan } from '../plan/build-plan.ts';
import { runsOn } from '../plan/build-plan.ts';
import { readAttachment } from '../providers/describe-file.ts';

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
        const attaching = variants.filter(({ prompt }) => prompt.messages.some(({ attach }) => attach !== undefined));
        if (attaching.length === 0) continue;
        for (const testCase of suite.cases()) {
          for (const { prompt, provider } of attaching) {
            if (!runsOn(testCase, prompt.baselineOf ?? prompt.id, provider.id)) continue;
            for (const template of prompt.messages.flatMap(({ attach = [] }) => attach)) {
              const path = renderPath(template, testCase.vars);
              const found = path === undefined ? undefined : find(suite, path);
              if (path === undefined || found === undefined || !('fault' in found)) continue;
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
  const templates = suite.prompts.flatMap(({ messages }) => messages.flatMap(({ attach = [] }) => attach));
  if (templates.length === 0) return found;
  for (const { vars } of suite.cases()) {
    for (const template of templates) {
      const path = renderPath(template, vars);
      if (path !== undefined) found.add(resolve(projectRoot, dirname(suite.path), path));
    }
  }
  return found;
}

function describe(path: string, projectRoot: string) {
  const read = readAttachment(path, projectRoot);
  return 'fault' in read ? read : read.attachment;
}

/** A variable that is missing is told by whoever renders the prompt. */
function renderPath(
  template: { render(vars: Readonly<Record<string, unknown>>): string },
  vars: Readonly<Record<string, unknown>>,
): string | undefined {
  try {
    return template.render(vars);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return undefined;
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
