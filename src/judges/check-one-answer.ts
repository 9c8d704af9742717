import { join } from 'node:path';
import { stringify } from 'yaml';
import { comparesAccepted, comparesOther } from '../assertions/index.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { tryParseJson } from '../json/parse-json.ts';
import { UserError } from '../model/problem.ts';
import type { Completion } from '../model/run/completion.ts';
import type { CheckSpec, Verdict } from '../model/run/verdict.ts';
import type { Plugin } from '../model/suite/plugin.ts';
import { loadProject } from '../project/load-project.ts';
import { openWorkingTree } from '../suite/open-project.ts';
import { asksModel, judgeAnswer, openJudgePorts } from './judge-answer.ts';

export interface AnswerToCheck extends Partial<Omit<Completion, 'text' | 'toolCalls'>> {
  readonly text: string;
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: JsonValue }[];
  readonly costUsd?: number;
}

export interface CheckOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly configPath?: string;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly expected: unknown;
  readonly plugins: readonly Plugin[];
}

/** Applies checks outside a suite. They are compiled like a suite's checks, so that mistakes get the same messages. */
export async function checkOneAnswer(
  answer: AnswerToCheck,
  checks: readonly unknown[],
  options: CheckOptions,
): Promise<readonly Verdict[]> {
  const { project } = await loadChecks(checks, options);
  const [found] = project.suites.flatMap((suite) => [...suite.cases()]);
  if (found === undefined) throw new Error('the suite of the checks has no case');
  const problems = found.checks.flatMap(findRunOnly);
  if (problems.length > 0) throw new UserError(problems);
  const judge = openJudgePorts({ root: project.root, env: options.env });
  try {
    const { latencyMs, costUsd, toolCalls = [], ...rest } = answer;
    const completion: Completion = {
      ...rest,
      toolCalls: toolCalls.map(({ name, arguments: given }) => {
        // APIs give the arguments as the text that the model wrote.
        const rawArguments = typeof given === 'string' ? given : JSON.stringify(given);
        return { name, arguments: tryParseJson(rawArguments), rawArguments };
      }),
    };
    const path = answer.toolCalls === undefined ? { isPathUnknown: true as const } : {};
    const cell = { checks: found.checks, vars: found.vars, key: keyOf(found.id) };
    return (await judgeAnswer(found.checks, { cell, completion, latencyMs, costUsd, ...path }, judge.ports)).verdicts;
  } finally {
    judge.close();
  }
}

/** Loads the checks as a suite of one case without a file. Problems point into its text. */
function loadChecks(checks: readonly unknown[], { cwd, configPath, vars, expected, plugins }: CheckOptions) {
  const path = join(cwd, 'checks.yaml');
  const text = stringify({
    suite: 'checks',
    prompts: [{ id: 'answer', text: 'answer' }],
    providers: ['replay:answer'],
    defaults: { vars: isJsonObject(vars) ? vars : {} },
    cases: [{ id: 'answer', assert: checks, ...defined({ expected }) }],
  });
  const tree = openWorkingTree({ cwd, ...defined({ configPath }) });
  return loadProject({
    paths: [path],
    cwd,
    plugins,
    ...defined({ configPath }),
    snapshot: {
      ...tree,
      kindOf: (asked) => (asked === path ? 'file' : tree.kindOf(asked)),
      files: {
        ...tree.files,
        display: (asked) => (asked === path ? 'checks' : tree.files.display(asked)),
        read: (asked) => (asked === path ? Promise.resolve({ text }) : tree.files.read(asked)),
      },
    },
  });
}

function keyOf(caseId: string) {
  return { suite: 'checks', prompt: 'answer', provider: 'replay:answer', caseId, trial: 0 };
}

/** A check that only a run can make. */
function findRunOnly(check: CheckSpec) {
  const reason = asksModel(check)
    ? 'asks a model'
    : comparesAccepted(check) || comparesOther(check)
      ? 'looks at the baseline'
      : undefined;
  if (reason === undefined) return [];
  const message = `${check.assertion} ${reason}, which needs a run`;
  return [{ code: 'usage', severity: 'error', message, hint: 'put it into a suite, and run that' } as const];
}
