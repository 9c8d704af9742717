import type { Case } from '../model/suite.ts';
import { compareSamples } from '../stats/compare-answers.ts';
import { countNgrams } from '../text/words/similarity.ts';
import { splitTokens, splitWords } from '../text/words/words.ts';
import type { AskedCell, ProbeTrial } from './open-prober.ts';
import { leadFor, mostTrials, type ProbeCount, type StopCause, stopCauseOf } from './probe-case.ts';

/** A case that may notice that an instruction is missing. */
export interface SensingCase {
  readonly testCase: Case;
  /** The hash of all but the prompt's own texts: the case, its checks, and how the provider is asked. */
  readonly hash: string;
  /** The whole prompt. */
  readonly whole: AskedCell;
}

/** What the trials without an instruction show. */
export type Coverage =
  | {
      readonly is: 'guarded';
      readonly caseId: string;
      /** The count of this case without the instruction. */
      readonly without: ProbeCount;
      readonly whole: ProbeCount;
      readonly reason?: string;
    }
  /** No case fails without it, but the answers to one change. */
  | { readonly is: 'unnoticed'; readonly caseId: string; readonly asked: number; readonly p: number }
  | { readonly is: 'noEffect'; readonly asked: number }
  | { readonly is: 'undecided'; readonly why: string; readonly asked: number; readonly stopped?: StopCause };

/** The probability that one instruction is called guarded, or its answers changed, by chance. */
export const coverError = 0.05;

/** A case is dropped once it passes this many trials more than it fails: it was a flake. */
const dropLead = 2;
/** Cases whose answers are compared by further trials. */
export const comparedCases = 4;
/**
 * Trials of either side at each look, and the probability at which their answers are said to differ. The most extreme
 * of all 252 splits of the first look has 2 / 252. The levels of all looks at all cases add up to less than `coverError`.
 * There is no further look above the probability `hopeless`.
 */
const looks = [
  { trials: 5, level: 0.008, hopeless: 0.6 },
  { trials: 10, level: 0.002, hopeless: 0.2 },
  { trials: 20, level: 0.002, hopeless: 0 },
] as const;
/** The most of either side for one case. */
export const comparedTrials = 20;
/** The first trials of the whole prompt and of the prompt without an instruction choose a case. Later ones decide. */
const firstWhole = 2;
const firstWithout = 1;

export interface CoverLimits {
  readonly lead: number;
  /** Trials that confirm failures of one instruction. */
  readonly confirmations: number;
  /** Trials of the whole prompt on one case. */
  readonly whole: number;
}

export function coverLimits(cases: number): CoverLimits {
  const lead = leadFor(Math.max(1, cases), coverError);
  return { lead, confirmations: 8 * lead, whole: firstWhole + Math.max(mostTrials(lead), comparedTrials) };
}

export interface CoverPorts {
  readonly limits: CoverLimits;
  /** The prompt without the instruction, for a case; undefined where that is no valid prompt. */
  without(testCase: Case): AskedCell | undefined;
  /** Makes one trial by its number from 0, each only once. */
  ask(asked: AskedCell, trial: number): Promise<ProbeTrial>;
}

/** A case that does not guard the instruction, with its answers. */
interface SeenAnswer extends SensingCase {
  readonly without: AskedCell;
  readonly answers: { readonly whole: readonly Answer[]; readonly without: Answer };
}

interface Answer {
  readonly text: string;
  readonly tokens: ReadonlySet<string>;
}

/** Asks cases without an instruction, one by one, until the first confirmed failure. */
export async function coverInstruction(cases: readonly SensingCase[], ports: CoverPorts): Promise<Coverage> {
  const seen: SeenAnswer[] = [];
  const left = { confirmations: ports.limits.confirmations };
  let asked = 0;
  let invalid = 0;
  for (const own of cases) {
    const first = await Promise.all([0, 1].map((trial) => ports.ask(own.whole, trial)));
    const stopped = first.map(stopCauseOf).find((cause) => cause !== undefined);
    if (stopped !== undefined) return { is: 'undecided', why: stopped.message, stopped, asked };
    if (!first.some(({ is }) => is === 'passed')) continue;
    const without = ports.without(own.testCase);
    const trial = without && (await ports.ask(without, 0));
    if (without === undefined || trial === undefined || isRefused(trial)) {
      invalid += 1;
      continue;
    }
    const cause = stopCauseOf(trial);
    if (cause !== undefined) return { is: 'undecided', why: cause.message, stopped: cause, asked };
    asked += 1;
    if (trial.is === 'failed') {
      const found = await confirm(own, { without, left, asked }, ports);
      if (found !== undefined) return found;
    }
    seen.push({ ...own, without, answers: { whole: first.map(answerOf), without: answerOf(trial) } });
  }
  if (asked === 0) return { is: 'undecided', why: invalid > 0 ? notAlone : noneSenses, asked };
  return compareAnswers(seen, asked, ports);
}

const notAlone = 'the prompt is not valid without it';
const noneSenses = 'no case passes with the whole prompt';

/** The API takes the whole prompt, and refuses this one. */
function isRefused(trial: ProbeTrial): boolean {
  return trial.is === 'errored' && trial.failure.kind === 'badRequest';
}

interface Suspect {
  readonly without: AskedCell;
  readonly left: { confirmations: number };
  readonly asked: number;
}

/** Asks again, without the instruction and then with it. Undefined where the failure was a flake. */
async function confirm(
  { testCase, whole }: SensingCase,
  { without, left, asked }: Suspect,
  ports: CoverPorts,
): Promise<Coverage | undefined> {
  const { lead } = ports.limits;
  const failing = await walk(
    (trial) => ports.ask(without, trial),
    { first: firstWithout, isDone: ({ passed, failed }) => failed - passed >= lead || passed - failed >= dropLead },
    () => {
      left.confirmations -= 1;
      return left.confirmations >= 0;
    },
  );
  if ('stopped' in failing) return { is: 'undecided', why: failing.stopped.message, stopped: failing.stopped, asked };
  if (failing.isOpen) return { is: 'undecided', why: `too many cases are flaky, such as ${testCase.id}`, asked };
  if (failing.passed > failing.failed) return undefined;
  let wholeLeft = mostTrials(lead);
  const passing = await walk(
    (trial) => ports.ask(whole, trial),
    { first: firstWhole, isDone: ({ passed, failed }) => passed - failed >= lead || failed - passed >= lead },
    () => {
      wholeLeft -= 1;
      return wholeLeft >= 0;
    },
  );
  if ('stopped' in passing) return { is: 'undecided', why: passing.stopped.message, stopped: passing.stopped, asked };
  if (passing.isOpen || passing.failed > passing.passed) return undefined;
  const { reason } = failing;
  return {
    is: 'guarded',
    caseId: testCase.id,
    without: { passed: failing.passed, failed: failing.failed },
    whole: { passed: passing.passed, failed: passing.failed },
    ...(reason !== undefined && { reason }),
  };
}

type Walk = (ProbeCount & { readonly isOpen: boolean; readonly reason?: string }) | { readonly stopped: StopCause };

/** Makes trials one by one until they decide, or until there may be no more. */
async function walk(
  ask: (trial: number) => Promise<ProbeTrial>,
  { first, isDone }: { readonly first: number; readonly isDone: (count: ProbeCount) => boolean },
  mayAsk: () => boolean,
): Promise<Walk> {
  let [passed, failed] = [0, 0];
  let reason: string | undefined;
  for (let trial = first; !isDone({ passed, failed }); trial += 1) {
    if (!mayAsk()) return { passed, failed, isOpen: true };
    const found = await ask(trial);
    const stopped = stopCauseOf(found);
    if (stopped !== undefined) return { stopped };
    if (found.is === 'passed') passed += 1;
    else failed += 1;
    if (found.is === 'failed') reason ??= found.reason;
  }
  return { passed, failed, isOpen: false, ...(reason !== undefined && { reason }) };
}

/** Asks the cases whose answers changed most again on both sides, and tests each by these trials alone. */
async function compareAnswers(seen: readonly SeenAnswer[], asked: number, ports: CoverPorts): Promise<Coverage> {
  for (const { testCase, whole, without } of mostChanged(seen)) {
    for (const { trials, level, hopeless } of looks) {
      const numbers = Array.from({ length: trials }, (_, index) => index);
      const made = await Promise.all([
        ...numbers.map((index) => ports.ask(whole, firstWhole + index)),
        ...numbers.map((index) => ports.ask(without, firstWithout + index)),
      ]);
      const stopped = made.map(stopCauseOf).find((cause) => cause !== undefined);
      if (stopped !== undefined) return { is: 'undecided', why: stopped.message, stopped, asked };
      const answers = made.map(answerOf);
      const p = compareSamples({
        tokens: answers.map(({ tokens }) => tokens),
        distances: answers.map((answer) => answers.map((other) => distanceOf(answer, other))),
        size: trials,
      });
      if (p <= level) return { is: 'unnoticed', caseId: testCase.id, asked, p };
      if (p > hopeless) break;
    }
  }
  return { is: 'noEffect', asked };
}

/**
 * Chooses the most relevant cases whose answers differ. It adds the cases whose answer without the instruction differs
 * most from both answers of the whole prompt. Tokens that are missing or new there count, and count more if few answers
 * hold them.
 */
function mostChanged(seen: readonly SeenAnswer[]): readonly SeenAnswer[] {
  const all = seen.flatMap(({ answers }) => [...answers.whole, answers.without]);
  const holders = countNgrams(
    all.flatMap(({ tokens }) => [...tokens]),
    1,
  );
  const rarity = (token: string) => Math.log(1 + all.length / (holders.get(token) ?? 1));
  const changeOf = ({ answers: { whole, without } }: SeenAnswer): number => {
    if (whole.some(({ text }) => text === without.text)) return 0;
    const lost = [...(whole[0]?.tokens ?? [])].filter(
      (token) => !without.tokens.has(token) && whole.every(({ tokens }) => tokens.has(token)),
    );
    const come = [...without.tokens].filter((token) => !whole.some(({ tokens }) => tokens.has(token)));
    return [...lost, ...come].reduce((sum, token) => sum + rarity(token), least);
  };
  const scored = seen.map((one) => ({ one, change: changeOf(one) })).filter(({ change }) => change > 0);
  // The cases come in order of relevance.
  const relevant = scored.slice(0, 2);
  const others = scored.slice(2).sort((a, b) => b.change - a.change);
  return [...relevant, ...others].slice(0, comparedCases).map(({ one }) => one);
}

function answerOf(trial: ProbeTrial): Answer {
  const text = 'answer' in trial ? trial.answer : '';
  return { text, tokens: new Set(splitTokens(text)) };
}

/**
 * Measures a distance from 0 for equal texts to 1 for texts without a common token. Texts of equal tokens are 0.01
 * apart.
 */
function distanceOf(a: Answer, b: Answer): number {
  if (a.text === b.text) return 0;
  const shared = [...a.tokens].filter((token) => b.tokens.has(token)).length;
  return Math.max(least, 1 - (2 * shared) / Math.max(1, a.tokens.size + b.tokens.size));
}

const least = 0.01;

/** Cases that share rare words with an instruction come first: they fail most often without it. */
export function orderByRelevance(text: string, cases: readonly SensingCase[]): readonly SensingCase[] {
  const words = cases.map(({ testCase: { vars, checks, turns } }) => {
    const source = JSON.stringify([vars, turns, checks.map((check) => check.source)]);
    return new Set(splitWords(source.toLowerCase()));
  });
  const counts = countNgrams(
    words.flatMap((own) => [...own]),
    1,
  );
  const own = new Set(splitWords(text.toLowerCase()));
  const scored = cases.map((one, index) => {
    const shared = [...own].filter((word) => words[index]?.has(word));
    return { one, score: shared.reduce((sum, word) => sum + 1 / (counts.get(word) ?? 1), 0) };
  });
  return scored.sort((a, b) => b.score - a.score).map(({ one }) => one);
}
