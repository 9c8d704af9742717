import { defined } from '../../json/defined.ts';
import type { CompletionOutcome, CompletionRequest } from '../../model/completion.ts';
import { fail } from '../answer.ts';

/**
 * What the user's code is given. The origin is there for logs: it is no part of the cache key, so an answer should not
 * depend on it.
 */
export function buildInput({ messages, params, trial, origin, vars }: CompletionRequest): object {
  return { messages, params, trial, ...origin, ...defined({ vars }) };
}

/** The failure of a call where a variable that the code may see is not set; undefined where all are. */
export function findMissingEnv(
  names: readonly string[],
  env: Readonly<Record<string, string>>,
): CompletionOutcome | undefined {
  const missing = names.find((name) => env[name] === undefined);
  if (missing === undefined) return undefined;
  return fail({ kind: 'auth', message: `${missing} is not set, and the provider's \`env\` names it` }, 0);
}
