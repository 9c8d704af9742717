import { defined } from '../../json/defined.ts';
import type { CompletionOutcome, CompletionRequest } from '../../model/run/completion.ts';
import { fail } from '../answer.ts';

/**
 * Builds the input of the user's code. `origin` is for logs: the cache key excludes it, so answers should not depend on
 * it.
 */
export function buildInput({ messages, params, trial, origin, vars }: CompletionRequest): object {
  const { suite, prompt, provider, caseId } = origin;
  return { messages, params, trial, suite, prompt, provider, caseId, ...defined({ vars }) };
}

/** Failure if a variable named in `env` is not set; undefined if all are. */
export function findMissingEnv(
  names: readonly string[],
  env: Readonly<Record<string, string>>,
): CompletionOutcome | undefined {
  const missing = names.find((name) => env[name] === undefined);
  if (missing === undefined) return undefined;
  return fail({ kind: 'auth', message: `${missing} is not set, and the provider's \`env\` names it` }, 0);
}
