import { defined } from '../json/defined.ts';
import type { Case } from '../model/suite/suite.ts';
import { compareSamples } from '../stats/compare-answers.ts';
import { countNgrams } from '../text/words/similarity.ts';
import { splitTokens, splitWords } from '../text/words/words.ts';
import type { AskedCell, ProbeTrial } from './open-prober.ts';
import { leadFor, mostTrials, type ProbeCount, type StopCause, stopCauseOf } from './probe-case.ts';

/** A case that may fail if an instruction is missing. */
export interface SensingCase {
  readonly testCase: Case;
  /** Hash of everything but the prompt's texts: the case, its checks and the provider's settings. */
  readonly hash: string;
  /** The case with the whole prompt. */
  readonly whole: AskedCell;
}

/** The verdict on one instruction. */
export type Coverage =
  | {
      readonly is: 'guarded';
      readonly caseId: string;
      /** Trials of this case without the instruction. */
      readonly without: ProbeCount;
      readonly whole: ProbeCount;
      readonly reason?: string;
    }
  /** No case fails without the instruction, but the answers to one case change. */
  | { readonly is: 'unnoticed'; readonly caseId: string; readonly asked: number; readonly p: number }
  | { readonly is: 'noEffect'; readonly asked: number }
  | { readonly is: 'undecided'; readonly why: string; readonly asked: number; readonly stopped?: StopCause };

/** Probability that an instruction is called guarded, or its answers changed, by chance. */
export const coverError = 0.05;

/** A case with this many more passed than failed trials is dropped: its failure was a flake. */
const dropLead = 2;
/** Number of cases whose answers are compared by further trials. */
export const comparedCases = 4;
/**
 * Total trials per side after each of three rounds. A case ends if p ≤ `level` (its answers differ) or p > `hopeless`
 * (no use to go on). The most extreme of the 252 splits of the first round has p = 2 / 252. The levels of all rounds over
 * all cases add up to less than `coverError`.
 */
const looks = [
  { trials: 5, level: 0.008, hopeless: 0.6 },
  { trials: 10, level: 0.002, hopeless: 0.2 },
  { trials: 20, level: 0.002, hopeless: 0 },
] as const;
/** Most trials per side for one case. */
export const comparedTrials = 20;
/** The first trials of each side choose the cases. Later trials decide. */
const firstWhole = 2;
const firstWithout = 1;

export interface CoverLimits {
  readonly lead: number;
  /** Most trials that confirm failures of one instruction. */
  readonly confirmations: number;
  /** Most trials of the whole prompt on one case. */
  readonly whole: number;
}

export function coverLimits(cases: number): CoverLimits {
  const lead = leadFor(Math.max(1, cases), coverError);
  return { lead, confirmations: 8 * lead, whole: firstWhole + Math.max(mostTrials(lead), comparedTrials) };
}

export interface CoverPorts {
  readonly limits: CoverLimits;
  /** Returns the prompt without the instruction for a case; undefined if that prompt is not valid. */
  without(testCase: Case): AskedCell | undefined;
  /** Makes the trial with this number, counted from 0. Each number is asked once. */
  ask(asked: AskedCell, trial: number): Promise<ProbeTrial>;
}

/** The answers to a case that does not guard the instruction. */
interface SeenAnswer extends SensingCase {
  readonly without: AskedCell;
  readonly answers: { readonly whole: readonly Answer[]; readonly without: Answer };
}

interface Answer {
  readonly text: string;
  readonly tokens: ReadonlySet<string>;
}

/** Asks the cases without an instruction, one after the other, until a failure is confirmed. */
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

/** True if the API refuses this prompt; it accepted the whole one. */
function isRefused(trial: ProbeTrial): boolean {
  return trial.is === 'errored' && trial.failure.kind === 'badRequest';
}

interface Suspect {
  readonly without: AskedCell;
  readonly left: { confirmations: number };
  readonly asked: number;
}

/** Confirms a failure: asks again without the instruction, then with it. Undefined if the failure was a flake. */
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
    ...defined({ reason }),
  };
}

type Walk = (ProbeCount & { readonly isOpen: boolean; readonly reason?: string }) | { readonly stopped: StopCause };

/** Makes trials one by one until they decide or `mayAsk` forbids another. */
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
  return { passed, failed, isOpen: false, ...defined({ reason }) };
}

/** Asks both sides again for the cases whose answers changed most. Only these new trials are tested. */
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
 * Chooses two cases by relevance, and the others by change. Change counts the tokens that the answer loses or gains
 * without the instruction. Tokens that few answers contain weigh more.
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
  // The cases are sorted by relevance.
  const relevant = scored.slice(0, 2);
  const others = scored.slice(2).sort((a, b) => b.change - a.change);
  return [...relevant, ...others].slice(0, comparedCases).map(({ one }) => one);
}

function answerOf(trial: ProbeTrial): Answer {
  const text = 'answer' in trial ? trial.answer : '';
  return { text, tokens: new Set(splitTokens(text)) };
}

/** Distance of two texts: 0 if equal, 1 without a common token, 0.01 if they have the same tokens. */
function distanceOf(a: Answer, b: Answer): number {
  if (a.text === b.text) return 0;
  const shared = [...a.tokens].filter((token) => b.tokens.has(token)).length;
  return Math.max(least, 1 - (2 * shared) / Math.max(1, a.tokens.size + b.tokens.size));
}

const least = 0.01;

/** Sorts the cases that share rare words with an instruction to the front: they fail most often without it. */
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
