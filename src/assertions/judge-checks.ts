import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { CheckSpec, Verdict } from '../model/run/verdict.ts';
import { DeadlineError, isStackOverflow } from '../text/deadline.ts';
import { sha256Hex } from '../text/sha256.ts';
import {
  type AcceptedAnswer,
  type AssertionPorts,
  type CheckAssertion,
  type CheckContext,
  type CheckOutcome,
  type CompletionView,
  type JudgedInput,
  type Selected,
  scoreOf,
} from './define.ts';
import { lookupAssertion } from './index.ts';
import { createPluginAssertion, selectByCode } from './own-code.ts';
import { selectTarget } from './select-target.ts';
import { describeToolCalls, textOf } from './targets.ts';

/** Makes every check on one answer. A check that can't be made returns a verdict with `error`; only bugs throw. */
export async function judgeChecks(
  checks: readonly CheckSpec[],
  completion: CompletionView,
  ports: AssertionPorts,
  answer?: AcceptedAnswer,
  input?: JudgedInput,
): Promise<readonly Verdict[]> {
  const context: JudgeContext = { completion, ports, ...defined({ answer, input }) };
  const verdicts: Verdict[] = [];
  // One after the other, so that models are asked in the same order every time.
  for (const check of checks) {
    const verdict = toVerdict(check, await judge(check, context));
    verdicts.push(verdict);
    ports.onVerdict?.(verdict);
  }
  return verdicts;
}

interface JudgeContext extends CheckContext {
  /** The whole accepted answer; a check sees the part that it selects. */
  readonly answer?: AcceptedAnswer;
}

async function judge(check: CheckSpec, context: JudgeContext): Promise<CheckOutcome> {
  if (context.ports.isStopped?.() === true) return { error: 'the run was stopped before the check' };
  const assertion = check.plugin === undefined ? lookupAssertion(check.assertion) : openPlugin(check.plugin);
  if (assertion === undefined) return { error: `there is no assertion ${JSON.stringify(check.assertion)}` };
  if (!('combine' in assertion)) return makeCheck(assertion, check, context);
  const outcomes: CheckOutcome[] = [];
  for (const child of check.children ?? []) outcomes.push(await judge(child, context));
  // A child that does not concern the answer does not count under a combinator either.
  const concerned = outcomes.filter((outcome) => !('isIdle' in outcome));
  const [idle] = outcomes;
  return concerned.length === 0 && idle !== undefined ? idle : assertion.combine(concerned);
}

/** Creates the assertion of a plug-in once, and reuses it for further checks. */
function openPlugin(loaded: NonNullable<CheckSpec['plugin']>): CheckAssertion {
  const assertion = pluginAssertions.get(loaded) ?? createPluginAssertion(loaded);
  pluginAssertions.set(loaded, assertion);
  return assertion;
}

const pluginAssertions = new WeakMap<NonNullable<CheckSpec['plugin']>, CheckAssertion>();

async function makeCheck(assertion: CheckAssertion, check: CheckSpec, context: JudgeContext): Promise<CheckOutcome> {
  try {
    const target = await findTarget(assertion, check, context);
    if ('missing' in target && target.isUnknown === true) return { error: target.missing };
    if ('missing' in target) return { pass: false, missing: true, reason: target.missing };
    return (
      findStored(check, context.input) ??
      (await assertion.check(target, check.params, await contextOf(assertion, check, context)))
    );
  } catch (error) {
    // Answers may have any size or depth. One that is too large for a check is not a bug.
    if (isStackOverflow(error)) return { error: 'the check was stopped: the answer is too long or too deep for it' };
    if (!(error instanceof DeadlineError)) throw error;
    return { error: `the check was stopped: it ${error.message}` };
  }
}

/** A model's stored verdict on the same answer to the same question. */
function findStored(check: CheckSpec, input: JudgedInput | undefined): CheckOutcome | undefined {
  if (check.asks === undefined || input?.stored === undefined) return undefined;
  const hash = hashCheck(check);
  const found = input.stored.find(({ judgement }) => judgement?.check === hash);
  if (found?.judgement === undefined) return undefined;
  const { pass, score, reason, judgement } = found;
  return { pass, score, reason, judgement };
}

function hashCheck({ source }: CheckSpec): string {
  return sha256Hex(canonicalJson(source)).slice(0, 12);
}

/** The context of a check. Only checks that compare get another answer; the user's own code never does. */
async function contextOf(assertion: CheckAssertion, check: CheckSpec, context: JudgeContext): Promise<CheckContext> {
  const { completion, ports } = context;
  const { code, asks } = check;
  if (code !== undefined) return { completion, ports, code };
  const other = findOther(assertion, check, context);
  if (other === undefined) return asks === undefined ? context : { asks, ...context };
  const { reasoning: _, ...rest } = completion;
  const accepted = await findTarget(assertion, check, { ...context, completion: { ...rest, ...other } });
  return { ...context, accepted, ...defined({ asks }) };
}

/** The answer that a check compares with. */
function findOther(
  { comparesAccepted, comparesOther }: CheckAssertion,
  { asks }: CheckSpec,
  { answer, input }: JudgeContext,
): AcceptedAnswer | undefined {
  if (asks === undefined) return comparesAccepted === true ? answer : undefined;
  return comparesOther === undefined || input?.other === 'reference' ? undefined : input?.other;
}

async function findTarget(
  { defaultSelect = 'text' }: CheckAssertion,
  { select }: CheckSpec,
  context: CheckContext,
): Promise<Selected> {
  const { completion, ports } = context;
  // Without a selection, an answer without calls is an empty list: `toolCalls: {none: true}` passes on it.
  if (select === undefined && defaultSelect === 'toolCalls') {
    return { kind: 'json', value: describeToolCalls(completion.toolCalls) };
  }
  const wanted = select ?? { kind: defaultSelect };
  const [first, ...others] = wanted.kind === 'steps' ? wanted.steps : [wanted];
  if (first?.kind !== 'module') return selectTarget(completion, wanted, ports);
  const selected = await selectByCode(first, context);
  if ('missing' in selected || others.length === 0) return selected;
  return selectTarget({ ...completion, text: textOf(selected) }, { kind: 'steps', steps: others }, ports);
}

function toVerdict(check: CheckSpec, outcome: CheckOutcome): Verdict {
  const { assertion, name, weight, required } = check;
  const base = { assertion, weight, required, ...defined({ name }) };
  if ('error' in outcome) return { ...base, pass: false, score: 0, reason: outcome.error, error: outcome.error };
  const { pass, reason, diff, isIdle } = outcome;
  const judgement = outcome.judgement && { ...outcome.judgement, check: hashCheck(check) };
  const weighed = isIdle === true ? { ...base, weight: 0, required: false } : base;
  return Object.assign(weighed, { pass, score: scoreOf(outcome), reason }, defined({ diff, judgement }));
}

/** The cell's decision from its verdicts; `errored` if a check that counts could not be made. */
export type CellDecision = { readonly passed: boolean; readonly score: number } | { readonly errored: string };

/** A mean of weights such as 0.1 may miss the threshold by a rounding error. */
const rounding = 1e-9;

/**
 * Without a threshold every check with weight above 0 must pass; with one the weighted mean score must reach it. A required
 * check must pass whatever its weight. A failure that decides counts more than a check that could not be made.
 */
export function decideCell(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision {
  // A check of weight 0 that is not required is only shown.
  const counting = verdicts.filter(({ weight, required }) => weight > 0 || required);
  const judged = counting.filter(({ error }) => error === undefined);
  const score = meanScore(judged);
  const decidesAlone = ({ pass, required }: Verdict) => !pass && (required || threshold === undefined);
  if (judged.some(decidesAlone)) return { passed: false, score };
  const broken = counting.find(({ error }) => error !== undefined);
  if (broken !== undefined) return { errored: `${broken.name ?? broken.assertion}: ${broken.error ?? ''}` };
  return { passed: threshold === undefined || score >= threshold - rounding, score };
}

/** 1 if no check counts: nothing could fail. */
function meanScore(verdicts: readonly Verdict[]): number {
  const total = verdicts.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return 1;
  return Math.min(1, verdicts.reduce((sum, { weight, score }) => sum + weight * score, 0) / total);
}
