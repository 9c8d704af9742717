import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import type { ToolCall, Usage } from '../model/completion.ts';
import type { Plugin } from '../model/plugin.ts';
import type { Verdict } from '../model/verdict.ts';
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
  /** For templates in the checks. */
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
  if (typeof answer !== 'string') refuseUnknown(answer, answerKeys, 'an answer of checkAnswer');
  const { checkOneAnswer } = await import('../judges/check-one-answer.ts');
  const { vars = {}, expected, plugins = [], config } = options;
  return checkOneAnswer(typeof answer === 'string' ? { text: answer } : answer, checks, {
    ...openContext(options),
    vars,
    expected,
    plugins,
    ...defined({ configPath: config }),
  });
}
