import { dirname, posix, resolve } from 'node:path';
import { defined } from '../json/defined.ts';
import { type Problem, type SourceLocation, UserError } from '../model/problem.ts';
import type { Attachment } from '../model/run/completion.ts';
import { type PromptVersion, renderMessages, type Suite, type Vars } from '../model/suite/suite.ts';
import { mayAttach } from '../prompts/attached-files.ts';
import { readAttachment } from '../providers/outgoing-request.ts';
import { TemplateError } from '../templates/template-error.ts';
import { attemptOr } from '../text/attempt.ts';
import type { Plan } from './build-plan.ts';
import { runsOn } from './render-cells.ts';

export interface Attachments {
  readonly describeFile: (suite: Suite, path: string) => Attachment;
  /** Problems of every file that a case of the plan names and that can't be sent. */
  findProblems(plan: Plan): readonly Problem[];
}

/** Reads each file once, so that all requests of a run get the same content. */
export function createAttachments(projectRoot: string): Attachments {
  const known = new Map<string, ReturnType<typeof readAttachment>>();

  function find(suite: Suite, path: string): ReturnType<typeof readAttachment> {
    const joined = posix.isAbsolute(path) ? path : posix.join(posix.dirname(suite.path), path);
    const found = known.get(joined) ?? readAttachment(joined, projectRoot);
    known.set(joined, found);
    return found;
  }

  return {
    describeFile(suite, path) {
      const found = find(suite, path);
      if ('fault' in found) throw new UserError([buildProblem(path, found)]);
      return found.attachment;
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

/** Renders the paths. A missing variable is reported later, when the prompt is rendered. */
function renderPaths(prompt: PromptVersion, vars: Vars): readonly string[] {
  if (prompt.expand !== undefined) return orNone(() => renderMessages(prompt, vars).flatMap(({ attach }) => attach));
  const templates = prompt.messages.flatMap(({ attach = [] }) => attach);
  return templates.flatMap((template) => orNone(() => [template.render(vars)]));
}

function orNone(render: () => readonly string[]): readonly string[] {
  return attemptOr(render, TemplateError, []);
}

function buildProblem(
  path: string,
  { code, fault }: Pick<Problem, 'code'> & { readonly fault: string },
  at?: SourceLocation,
): Problem {
  const message = `attach: ${path} ${fault}`;
  const hint = "write the path from the suite file's folder";
  return { code, severity: 'error', message, hint, ...defined({ at }) };
}
