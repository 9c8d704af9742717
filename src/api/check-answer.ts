import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import { UserError } from '../model/problem.ts';
import type { ToolCall, Usage } from '../model/run/completion.ts';
import type { Verdict } from '../model/run/verdict.ts';
import type { Plugin } from '../model/suite/plugin.ts';
import { type ApiContext, contextKeys, type Keys, openContext, refuseUnknown } from './options.ts';
import type { Assertion } from './suite-definition.ts';

/** An answer with more than its text; `latencyMs` and `costUsd` are needed where they are checked. */
export interface CheckedAnswer {
  readonly text: string;
  readonly reasoning?: string;
  readonly refusal?: string;
  readonly toolCalls?: readonly (Pick<ToolCall, 'name'> & { readonly arguments: JsonValue })[];
  readonly finishReason?: 'stop' | 'length' | 'toolCalls' | 'contentFilter' | 'refusal' | 'other';
  readonly usage?: Usage;
  readonly latencyMs?: number;
  readonly firstTokenMs?: number;
  readonly costUsd?: number;
}

export interface CheckAnswerOptions extends ApiContext {
  /** Variables for templates in the checks. */
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly expected?: unknown;
  /** Beside those that the config names. */
  readonly plugins?: readonly Plugin[];
}

const optionKeys: Keys<CheckAnswerOptions> = { ...contextKeys, vars: true, expected: true, plugins: true };

const answerKeys: Keys<CheckedAnswer> = {
  text: true,
  reasoning: true,
  refusal: true,
  toolCalls: true,
  finishReason: true,
  usage: true,
  latencyMs: true,
  firstTokenMs: true,
  costUsd: true,
};

/**
 * Makes checks on one answer, written as in a suite. Rejects with a `UserError` for checks that a suite would refuse.
 * Those that ask a model or look at a baseline need a run, and are refused too.
 */
export async function checkAnswer(
  answer: string | CheckedAnswer,
  checks: readonly Assertion[],
  options: CheckAnswerOptions = {},
): Promise<readonly Verdict[]> {
  refuseUnknown(options, optionKeys, 'checkAnswer');
  refuseNoAnswer(answer);
  if (typeof answer !== 'string') refuseUnknown(answer, answerKeys, 'an answer of checkAnswer');
  const { checkOneAnswer } = await import('../judges/check-one-answer.ts');
  const { vars = {}, expected, plugins = [], config } = options;
  return checkOneAnswer(typeof answer === 'string' ? { text: answer, isTextAlone: true } : answer, checks, {
    ...openContext(options),
    vars,
    expected,
    plugins,
    ...defined({ configPath: config }),
  });
}

/** Checks of calls alone would pass on a promise that was not awaited. */
function refuseNoAnswer(answer: unknown): void {
  const { text, toolCalls = [] }: Partial<Record<string, unknown>> =
    typeof answer === 'string' ? { text: answer } : Object(answer);
  const isCall = (call: unknown) => typeof Object(call).name === 'string' && Object(call).name !== '';
  if (typeof text === 'string' && Array.isArray(toolCalls) && toolCalls.every(isCall)) return;
  const message =
    typeof text === 'string'
      ? 'toolCalls of an answer of checkAnswer is a list of maps, each with a name and arguments'
      : 'an answer of checkAnswer is a text, or an object with a text';
  const hint = answer instanceof Promise ? 'await it' : undefined;
  throw new UserError([{ code: 'invalid-value', severity: 'error', message, ...defined({ hint }) }]);
}
