import { canonicalJson } from '../json/canonical-json.ts';
import type { Writable } from '../json/defined.ts';
import type { CheckSpec, SelectSpec, Verdict } from '../model/verdict.ts';
import { DeadlineError } from '../text/deadline.ts';
import { sha256Hex } from '../text/sha256.ts';
import { isStackOverflow } from '../text/thrown.ts';
import { scoreOf } from './combinators.ts';
import type {
  AcceptedAnswer,
  AssertionPorts,
  CheckAssertion,
  CheckContext,
  CheckOutcome,
  Combinator,
  CompletionView,
  JudgedInput,
  Target,
} from './define.ts';
import { lookupAssertion } from './index.ts';
import { createPluginAssertion } from './own-code/plugin-assertion.ts';
import { selectTarget } from './select/select-target.ts';
import { describeToolCalls } from './targets.ts';

/** Makes every check on one answer. What can't be checked comes back as a verdict with `error`; only bugs throw. */
export async function judgeChecks(
  checks: readonly CheckSpec[],
  view: CompletionView,
  ports: AssertionPorts,
  accepted?: AcceptedAnswer,
  input?: JudgedInput,
): Promise<readonly Verdict[]> {
  const context: JudgeContext = { completion: view, ports, answer: accepted, ...(input !== undefined && { input }) };
  const verdicts: Verdict[] = [];
  // One after the other, so that what models are asked comes in the same order every time.
  for (const check of checks) {
    const verdict = toVerdict(check, await judge(check, context));
    verdicts.push(verdict);
    ports.onVerdict?.(verdict);
  }
  return verdicts;
}

/** A check sees of the accepted answer only what it selects. */
interface JudgeContext extends CheckContext {
  readonly answer: AcceptedAnswer | undefined;
}

async function judge(check: CheckSpec, context: JudgeContext): Promise<CheckOutcome> {
  const assertion = check.plugin === undefined ? lookupAssertion(check.assertion) : openPlugin(check.plugin);
  if (assertion === undefined) return { error: `there is no assertion ${JSON.stringify(check.assertion)}` };
  if (!('combine' in assertion)) return makeCheck(assertion, check, context);
  const outcomes: CheckOutcome[] = [];
  for (const child of check.children ?? []) outcomes.push(await judge(child, context));
  return combine(assertion, outcomes);
}

/** Made once a plug-in, however many checks it makes. */
function openPlugin(loaded: NonNullable<CheckSpec['plugin']>): CheckAssertion {
  const known = pluginAssertions.get(loaded);
  if (known !== undefined) return known;
  const made = createPluginAssertion(loaded);
  pluginAssertions.set(loaded, made);
  return made;
}

const pluginAssertions = new WeakMap<NonNullable<CheckSpec['plugin']>, CheckAssertion>();

/** A child that does not concern the answer has no say under a combinator either. */
function combine(combinator: Combinator, outcomes: readonly CheckOutcome[]): CheckOutcome {
  const concerned = outcomes.filter((outcome) => !('isIdle' in outcome));
  const [idle] = outcomes;
  return concerned.length === 0 && idle !== undefined ? idle : combinator.combine(concerned);
}

async function makeCheck(assertion: CheckAssertion, check: CheckSpec, context: JudgeContext): Promise<CheckOutcome> {
  try {
    const target = findTarget(check.select, assertion.defaultSelect ?? 'text', context);
    if ('missing' in target) return { pass: false, missing: true, reason: target.missing };
    const stored = check.asks === undefined ? undefined : findStored(check, context.input);
    if (stored !== undefined) return stored;
    return await assertion.check(target, check.params, withAccepted(assertion, check, context));
  } catch (error) {
    return describeLimit(error);
  }
}

/** A model's word on the same answer to the same question stands. */
function findStored(check: CheckSpec, input: JudgedInput | undefined): CheckOutcome | undefined {
  const hash = hashCheck(check);
  const found = input?.stored?.find(({ judgement, error }) => judgement?.check === hash && error === undefined);
  if (found?.judgement === undefined) return undefined;
  const { pass, score, reason, judgement } = found;
  return { pass, score, reason, judgement };
}

function hashCheck({ source }: CheckSpec): string {
  return sha256Hex(canonicalJson(source)).slice(0, 12);
}

function withAccepted(
  assertion: CheckAssertion,
  { select, code, asks }: CheckSpec,
  context: JudgeContext,
): CheckContext {
  const { completion, ports, input } = context;
  if (code !== undefined) return { completion, ports, code };
  if (asks !== undefined) return { asks, ...withAnswer(assertion, select, context, otherOf(assertion, input)) };
  return withAnswer(assertion, select, context, assertion.comparesAccepted === undefined ? undefined : context.answer);
}

function otherOf({ comparesOther }: CheckAssertion, input: JudgedInput | undefined): AcceptedAnswer | undefined {
  return comparesOther === undefined || input?.other === 'reference' ? undefined : input?.other;
}

function withAnswer(
  assertion: CheckAssertion,
  select: SelectSpec | undefined,
  context: JudgeContext,
  answer: AcceptedAnswer | undefined,
): CheckContext {
  const { completion } = context;
  if (answer === undefined) return context;
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

/** An answer of any size or depth may come: what is too much for a check is no bug. */
function describeLimit(error: unknown): CheckOutcome {
  if (isStackOverflow(error)) return { error: 'the check was stopped: the answer is too long or too deep for it' };
  if (!(error instanceof DeadlineError)) throw error;
  return { error: `the check was stopped: it ${error.message}` };
}

function toVerdict(check: CheckSpec, outcome: CheckOutcome): Verdict {
  const { assertion, name, weight, required } = check;
  if (check.asks !== undefined) {
    const base = { assertion, ...(name !== undefined && { name }), weight, required };
    return toModelVerdict(check, base, outcome);
  }
  if ('error' in outcome) {
    const { error } = outcome;
    return withName({ assertion, weight, required, pass: false, score: 0, reason: error, error }, name);
  }
  const { pass, reason, diff, isIdle } = outcome;
  const score = scoreOf(outcome);
  if (isIdle === true) return withName({ assertion, weight: 0, required: false, pass, score, reason }, name);
  const verdict: Writable<Verdict> = { assertion, weight, required, pass, score, reason };
  if (diff !== undefined) verdict.diff = diff;
  return withName(verdict, name);
}

/** Assigned, since a spread that adds to a literal costs more than the check. */
function withName(verdict: Writable<Verdict>, name: string | undefined): Verdict {
  if (name !== undefined) verdict.name = name;
  return verdict;
}

function toModelVerdict(
  check: CheckSpec,
  base: Pick<Verdict, 'assertion' | 'name' | 'weight' | 'required'>,
  outcome: CheckOutcome,
): Verdict {
  if ('error' in outcome) return { ...base, pass: false, score: 0, reason: outcome.error, error: outcome.error };
  const { pass, reason, isIdle, judgement } = outcome;
  return {
    ...base,
    ...(isIdle === true ? { weight: 0, required: false } : {}),
    pass,
    score: scoreOf(outcome),
    reason,
    ...(judgement === undefined ? {} : { judgement: { ...judgement, check: hashCheck(check) } }),
  };
}

/** What the verdicts say of their cell; errored where a check that counts could not be made. */
export type CellDecision = { readonly passed: boolean; readonly score: number } | { readonly errored: string };

/** A mean of weights such as 0.1 may miss the threshold by a rounding error. */
const rounding = 1e-9;

/**
 * Without a threshold every check with weight above 0 must pass; with one the weighted mean score must reach it. A required
 * check must pass whatever its weight. A failure that decides stands beside a check that could not be made.
 */
export function decideCell(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision {
  const counting = verdicts.filter(counts);
  const judged = counting.filter(({ error }) => error === undefined);
  const score = meanScore(judged);
  const decidesAlone = ({ pass, required }: Verdict) => !pass && (required || threshold === undefined);
  if (judged.some(decidesAlone)) return { passed: false, score };
  const broken = counting.find(({ error }) => error !== undefined);
  if (broken !== undefined) return { errored: `${broken.name ?? broken.assertion}: ${broken.error ?? ''}` };
  return { passed: threshold === undefined || score >= threshold - rounding, score };
}

/** True for a check that decides something: one of weight 0 that is not required is only shown. */
function counts({ weight, required }: Pick<CheckSpec, 'weight' | 'required'>): boolean {
  return weight > 0 || required;
}

/** 1 where no check counts: then nothing was asked that could have failed. */
function meanScore(verdicts: readonly Verdict[]): number {
  const total = verdicts.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return 1;
  return Math.min(1, verdicts.reduce((sum, { weight, score }) => sum + weight * score, 0) / total);
}
