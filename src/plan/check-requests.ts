import { defined } from '../json/defined.ts';
import type { Problem } from '../model/problem.ts';
import { isSystemRole } from '../model/run/completion.ts';
import type { PlannedSuite, RenderedVariant } from '../model/run/plan.ts';
import type { CheckSpec } from '../model/run/verdict.ts';
import type { Endpoint } from '../model/suite/provider.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';

/** Warns of each part of a prompt that a provider's own request leaves out. Editing that part changes no answer. */
export function findUnsent(
  planned: readonly PlannedSuite[],
  endpointOf: (provider: ProviderConfig) => Endpoint,
): readonly Problem[] {
  const found = new Map<string, Problem>();
  for (const { suite, variants } of planned) {
    for (const variant of variants) {
      const { prompt, provider } = variant;
      const { reads } = endpointOf(provider);
      if (reads === undefined || prompt.baselineOf !== undefined) continue;
      for (const { what, part } of listUnsent(suite, variant, reads)) {
        const message = `provider ${provider.id} does not send ${what} of prompt ${prompt.id}`;
        const hint = `write {{ ${part} }} in its \`request\`, or remove what the endpoint does not take`;
        found.set(message, {
          code: 'unused-variable',
          severity: 'warning',
          message,
          hint,
          ...defined({ at: provider.at }),
        });
      }
    }
  }
  return [...found.values()];
}

/**
 * Judges whose own request leaves out messages. When such a judge is asked again for the form of its reply, it sees
 * that request alone. It could pass an answer that it never saw.
 */
export function findBlindJudges(
  planned: readonly PlannedSuite[],
  endpointOf: (provider: ProviderConfig) => Endpoint,
): readonly Problem[] {
  return planned.flatMap(({ suite }) =>
    suite.askedModels.flatMap((judge): readonly Problem[] => {
      const { reads } = endpointOf(judge);
      if (reads === undefined || reads.has('messages') || !judgesByForm(suite, judge.id)) return [];
      const message = `judge ${judge.id} does not send all messages that it is asked with`;
      const hint = 'write {{ messages }} in its `request`';
      return [{ code: 'invalid-value', severity: 'error', message, hint, ...defined({ at: judge.at }) }];
    }),
  );
}

/** `choice` alone asks one question, word for word, and asks it once. */
function judgesByForm(suite: Suite, judge: string): boolean {
  const isAsked = (checks: readonly CheckSpec[]): boolean =>
    checks.some(
      ({ asks, assertion, children = [] }) => (asks === judge && assertion !== 'choice') || isAsked(children),
    );
  for (const { checks, turns } of suite.cases())
    if (isAsked([...checks, ...turns.flatMap((turn) => turn.checks)])) return true;
  return false;
}

interface Unsent {
  readonly what: string;
  /** The name that the request would have to read. */
  readonly part: string;
}

function listUnsent(suite: Suite, { prompt, params }: RenderedVariant, reads: ReadonlySet<string>): readonly Unsent[] {
  const found: Unsent[] = [];
  const names = Object.keys(params);
  if (names.length > 0 && !reads.has('params')) found.push({ what: `the params ${names.join(', ')}`, part: 'params' });
  // Which messages a whole template makes is known once it is rendered.
  if (reads.has('messages') || prompt.expand !== undefined) return found;
  const others = prompt.messages.filter(({ role }) => !isSystemRole(role));
  if (others.length < prompt.messages.length && !reads.has('system')) {
    found.push({ what: 'the system message', part: 'system' });
  }
  const further = Array.from(suite.cases(), ({ turns, agent }) => {
    return turns.filter(({ kind }) => kind !== 'first').length + (agent === undefined ? 0 : 1);
  });
  if (others.length + Math.max(0, ...further) > 1)
    found.push({ what: 'the messages before the last one of the user', part: 'messages' });
  // An endpoint of an application may take variables of the case alone.
  if (others.length > 0 && !reads.has('prompt') && !reads.has('vars')) {
    found.push({ what: 'the message of the user', part: 'prompt' });
  }
  return found;
}
