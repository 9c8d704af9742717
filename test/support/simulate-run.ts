import type { AcceptedPromptState } from '../../src/model/run/record.ts';
import type { CaseSummary } from '../../src/model/run/summary.ts';
import type { GatePolicy } from '../../src/model/suite/suite.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import { chooseRetrials } from '../../src/verdict/confirm/choose-retrials.ts';
import type { RetrialSide } from '../../src/verdict/confirm/judge-case.ts';
import type { GatedComparison } from '../../src/verdict/gate/gated-comparison.ts';
import {
  type JudgedComparison,
  type JudgedRun,
  type JudgeRunOptions,
  judgeRun,
  settleRun,
} from '../../src/verdict/gate/judge-comparisons.ts';
import { buildCaseSummary, buildSide, compareSides } from './build-side.ts';
import { buildHeader, buildRecordedSuite, end } from './build-summary.ts';

export type Letter = 'p' | 'f' | 'e';

export interface SimulatedRunOptions {
  /** The accepted outcomes of each case. */
  readonly before: Readonly<Record<string, string>>;
  /** Planned trials of each case. */
  readonly trials: number;
  /** One answer of a side. */
  readonly answer: (caseId: string, side: RetrialSide) => Letter;
  readonly gate?: Partial<GatePolicy>;
  readonly acceptedPrompt?: AcceptedPromptState;
  /** Each asks again by itself; the verdict is that of the merge. */
  readonly shards?: number;
}

export interface SimulatedRun extends Pick<JudgedComparison, 'failures' | 'isInconclusive' | 'warnings'> {
  readonly codes: readonly string[];
  readonly planned: number;
  /** Confirmation trials of both sides. */
  readonly retrials: number;
  readonly rounds: number;
}

/** A run of one suite, with its confirmation trials: the real comparison, gate and choice of retrials. */
export function simulateRun(options: SimulatedRunOptions): SimulatedRun {
  const { before, trials, answer, shards = 1 } = options;
  const asked = new Map<string, AskedCase>();
  for (const id of Object.keys(before)) {
    const planned = Array.from({ length: trials }, () => answer(id, 'candidate')).join('');
    asked.set(id, { before: buildCaseSummary(id, before[id] ?? ''), planned, candidate: '', accepted: '' });
  }
  const planned = asked.size * trials;
  if (shards === 1) {
    const { retrials, rounds } = askAgain(asked, options, {});
    return { ...finish(judge(asked, options, {})), planned, retrials, rounds };
  }
  let [retrials, rounds] = [0, 0];
  for (let index = 1; index <= shards; index += 1) {
    const own = new Map([...asked].filter((_, position) => position % shards === index - 1));
    const done = askAgain(own, options, { shard: { index, count: shards } });
    retrials += done.retrials;
    rounds += done.rounds;
  }
  return { ...finish(judge(asked, options, { mergedShards: shards })), planned, retrials, rounds };
}

type Settings = JudgeRunOptions['settings'];

/** The outcomes of a case so far. */
interface AskedCase {
  readonly before: CaseSummary;
  readonly planned: string;
  candidate: string;
  accepted: string;
}

type AskedCases = ReadonlyMap<string, AskedCase>;

/** A run as it is now: what the gate takes. */
function compareAsked(
  asked: AskedCases,
  options: SimulatedRunOptions,
  settings: Settings,
): readonly [readonly GatedComparison[], Omit<JudgeRunOptions, 'isFinal'>] {
  const { before, gate = {}, acceptedPrompt = { is: 'askable' } } = options;
  const own = [...asked].map(([id, found]) => [id, found.before]);
  const outcomes = [...asked].map(([id, found]) => [id, `${found.planned}+${found.candidate}|${found.accepted}`]);
  const planned = [...asked.values()].reduce((sum, found) => sum + found.planned.length, 0);
  const candidate = buildSide(Object.fromEntries(outcomes), { planned });
  const header = buildHeader([buildRecordedSuite([candidate.recorded], gate)]);
  const rows = [...candidate.cases.values()].flatMap((found) => [
    ...found.trials,
    ...found.confirmations,
    ...found.accepted,
  ]);
  const summary = summarizeRun(header, rows, end);
  const [suite] = summary.suites;
  const [variant] = suite?.variants ?? [];
  if (suite === undefined || variant === undefined) throw new Error('one suite of one variant');
  const compared = compareSides(
    buildSide(Object.fromEntries(own)),
    { ...candidate, cases: variant.cases },
    { gate: suite.recorded.gate },
  );
  const otherCases = Object.keys(before).length - asked.size;
  return [[{ suite, variant, compared, acceptedPrompt, otherCases }], { summary, settings }];
}

function judge(asked: AskedCases, options: SimulatedRunOptions, settings: Settings): JudgedRun {
  const [gated, ofRun] = compareAsked(asked, options, settings);
  return judgeRun(gated, { ...ofRun, isFinal: true });
}

function askAgain(asked: AskedCases, options: SimulatedRunOptions, settings: Settings) {
  const planned = asked.size * options.trials;
  const { budget = 1 } = options.gate?.confirm ?? {};
  let retrials = 0;
  for (let rounds = 0; rounds < maxRounds; rounds += 1) {
    const [gated, ofRun] = compareAsked(asked, options, settings);
    const { suspicions, settled } = settleRun(gated, { ...ofRun, isFinal: false });
    const left = { calls: planned * budget - retrials, usd: undefined };
    const wanted = chooseRetrials(suspicions.input, settled, { left, spendOf: () => oneCall });
    if (wanted.length === 0) return { retrials, rounds };
    for (const { id, side, count } of wanted) {
      const caseId = caseIdOf(id);
      const found = asked.get(caseId);
      if (found === undefined) throw new Error(`no case ${caseId}`);
      for (let trial = 0; trial < count; trial += 1) found[side] += options.answer(caseId, side);
      retrials += count;
    }
  }
  throw new Error(`no end after ${maxRounds} rounds`);
}

function finish({ comparisons: [judged] }: JudgedRun) {
  if (judged === undefined) throw new Error('one comparison, one verdict');
  const { failures, isInconclusive, warnings } = judged;
  return { failures, isInconclusive, warnings, codes: failures.map(({ code }) => code) };
}

const oneCall = { calls: 1, usd: undefined };
const maxRounds = 1000;

/** The last part of a case's name in its run. */
function caseIdOf(id: string): string {
  return (JSON.parse(id) as readonly string[]).at(-1) ?? '';
}
