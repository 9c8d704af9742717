import { DeadlineError } from '../lib/deadline.ts';
import type { CheckSpec, SelectSpec, Verdict } from '../model/verdict.ts';
import type {
  AcceptedAnswer,
  AssertionPorts,
  CheckAssertion,
  CheckContext,
  CheckOutcome,
  CompletionView,
  Target,
} from './define.ts';
import { lookupAssertion } from './index.ts';
import { scoreOf } from './outcome.ts';
import { selectTarget } from './select.ts';
import { describeToolCalls } from './tool-call-values.ts';

/** Makes every check on one answer. What can't be checked comes back as a verdict with `error`; only bugs throw. */
export async function judgeChecks(
  checks: readonly CheckSpec[],
  view: CompletionView,
  ports: AssertionPorts,
  accepted?: AcceptedAnswer,
): Promise<readonly Verdict[]> {
  const context: JudgeContext = { completion: view, ports, answer: accepted };
  const verdicts: Verdict[] = [];
  for (const check of checks) {
    const outcome = judge(check, context);
    verdicts.push(toVerdict(check, outcome instanceof Promise ? await outcome : outcome));
  }
  return verdicts;
}

/** A check sees of the accepted answer only what it selects. */
interface JudgeContext extends CheckContext {
  readonly answer: AcceptedAnswer | undefined;
}

// Most checks are synchronous; to wait for each of them would cost more than the check.
function judge(check: CheckSpec, context: JudgeContext): CheckOutcome | Promise<CheckOutcome> {
  const assertion = lookupAssertion(check.assertion);
  if (assertion === undefined) return { error: `there is no assertion ${JSON.stringify(check.assertion)}` };
  if (!('combine' in assertion)) return makeCheck(assertion, check, context);
  const outcomes = (check.children ?? []).map((child) => judge(child, context));
  if (outcomes.every(isDone)) return assertion.combine(outcomes);
  return Promise.all(outcomes.map((outcome) => Promise.resolve(outcome))).then((settled) => assertion.combine(settled));
}

function isDone(outcome: CheckOutcome | Promise<CheckOutcome>): outcome is CheckOutcome {
  return !(outcome instanceof Promise);
}

function makeCheck(
  assertion: CheckAssertion,
  check: CheckSpec,
  context: JudgeContext,
): CheckOutcome | Promise<CheckOutcome> {
  try {
    const target = findTarget(check.select, assertion.defaultSelect ?? 'text', context);
    if ('missing' in target) return { pass: false, missing: true, reason: target.missing };
    const outcome = assertion.check(target, check.params, withAccepted(assertion, check, context));
    return outcome instanceof Promise ? outcome.catch(describeDeadline) : outcome;
  } catch (error) {
    return describeDeadline(error);
  }
}

function withAccepted(assertion: CheckAssertion, { select, code }: CheckSpec, context: JudgeContext): CheckContext {
  const { answer, completion, ports } = context;
  if (code !== undefined) return { completion, ports, code };
  if (assertion.comparesAccepted === undefined || answer === undefined) return context;
  const { reasoning: _, ...rest } = completion;
  const view = { ...rest, ...answer };
  return {
    ...context,
    accepted: findTarget(select, assertion.defaultSelect ?? 'text', { ...context, completion: view }),
  };
}

function findTarget(
  select: SelectSpec | undefined,
  fallback: 'text' | 'json' | 'toolCalls',
  { completion, ports }: CheckContext,
): Target | { readonly missing: string } {
  // Where the user selects nothing, an answer without calls is an empty list: `toolCalls: {none: true}` passes on it.
  if (select === undefined && fallback === 'toolCalls') {
    return { kind: 'json', value: describeToolCalls(completion.toolCalls) };
  }
  const selection = selectTarget(completion, select ?? { kind: fallback === 'json' ? 'json' : 'text' }, ports);
  return selection.found ? selection.target : { missing: selection.reason };
}

function describeDeadline(error: unknown): CheckOutcome {
  if (!(error instanceof DeadlineError)) throw error;
  return { error: `the check was stopped: it ${error.message}` };
}

function toVerdict(check: CheckSpec, outcome: CheckOutcome): Verdict {
  const { assertion, name, weight, required } = check;
  // A plain member first: a literal that starts with a spread and adds to it costs V8 (Node 20) a hidden class each time.
  const base = { assertion, ...(name !== undefined && { name }), weight, required };
  if ('error' in outcome) return { pass: false, ...base, score: 0, reason: outcome.error, error: outcome.error };
  const { pass, reason, diff } = outcome;
  return { pass, ...base, score: scoreOf(outcome), reason, ...(diff !== undefined && { diff }) };
}
