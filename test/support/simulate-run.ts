import type { AcceptedPromptState } from '../../src/model/run/record.ts';
import type { CaseSummary } from '../../src/model/run/summary.ts';
import { defaultGate, type GatePolicy } from '../../src/model/suite/gate-policy.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import type { AskedSide } from '../../src/verdict/confirm/case-evidence.ts';
import { chooseNext, type Spend } from '../../src/verdict/confirm/choose-next.ts';
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
  readonly answer: (caseId: string, side: AskedSide) => Letter;
  readonly gate?: Partial<GatePolicy>;
  /** The group of each case; by default it has none. */
  readonly groupOf?: (caseId: string) => string | undefined;
  readonly acceptedPrompt?: AcceptedPromptState;
  /** Each asks again by itself; the verdict is that of the merge. */
  readonly shards?: number;
}

export interface SimulatedRun extends Pick<JudgedComparison, 'failures' | 'isInconclusive' | 'drift' | 'warnings'> {
  readonly codes: readonly string[];
  readonly planned: number;
  /** Fresh trials of both sides. */
  readonly asked: number;
  /** The most that the budget allows. */
  readonly allowed: number;
  readonly rounds: number;
}

/** A run of one suite, with its fresh trials: the real comparison, gate and choice of what is asked again. */
export function simulateRun(options: SimulatedRunOptions): SimulatedRun {
  const { before, trials, answer, shards = 1 } = options;
  const asked = new Map<string, AskedCase>();
  for (const id of Object.keys(before)) {
    const planned = Array.from({ length: trials }, () => answer(id, 'candidate')).join('');
    const shard = shards === 1 ? undefined : 1 + (asked.size % shards);
    asked.set(id, { before: buildCaseSummary(id, before[id] ?? ''), shard, planned, candidate: '', accepted: '' });
  }
  const planned = asked.size * trials;
  const parts = Array.from({ length: shards }, (_, part) => {
    const own = new Map([...asked].filter(([, { shard = 1 }]) => shard === part + 1));
    const otherCases = { triage: asked.size - own.size };
    return askAgain(own, options, shards === 1 ? {} : { shard: { index: part + 1, count: shards, otherCases } });
  });
  const sum = (of: 'asked' | 'allowed' | 'rounds') => parts.reduce((total, part) => total + part[of], 0);
  const merged = judge(asked, options, shards === 1 ? {} : { mergedShards: shards });
  return { ...finish(merged), planned, asked: sum('asked'), allowed: sum('allowed'), rounds: sum('rounds') };
}

type Settings = JudgeRunOptions['settings'];

/** The outcomes of a case so far. */
interface AskedCase {
  readonly before: CaseSummary;
  readonly shard: number | undefined;
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
  const { before, gate = {}, acceptedPrompt = { is: 'askable' }, groupOf = () => undefined } = options;
  const own = [...asked].map(([id, found]) => [id, found.before]);
  const sides = [...asked].map(([id, { shard, planned: first, candidate: fresh, accepted }]) => [
    id,
    buildCaseSummary(id, `${first}+${fresh}|${accepted}`, {
      row: shard === undefined ? {} : { shard },
      group: groupOf(id),
    }),
  ]);
  const planned = [...asked.values()].reduce((sum, found) => sum + found.planned.length, 0);
  const candidate = buildSide(Object.fromEntries(sides), { planned });
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

function askAgain(cases: AskedCases, options: SimulatedRunOptions, settings: Settings) {
  const planned = cases.size * options.trials;
  const { budget } = options.gate?.confirm ?? defaultGate.confirm;
  const allowed = 'calls' in budget ? budget.calls : Math.max(budget.share * planned, budget.least ?? 0);
  let asked = 0;
  for (let rounds = 0; rounds < maxRounds; rounds += 1) {
    const [gated, ofRun] = compareAsked(cases, options, settings);
    const { suspicions, settled } = settleRun(gated, { ...ofRun, isFinal: false });
    const next = chooseNext(suspicions.flagged, settled, {
      allowed: callsOf(allowed),
      planned: callsOf(planned),
      spent: callsOf(asked),
      spendOf: () => callsOf(1),
    });
    if (next.length === 0) return { asked, allowed, rounds };
    for (const { id, side, count } of next) {
      const caseId = caseIdOf(id);
      const found = cases.get(caseId);
      if (found === undefined) throw new Error(`no case ${caseId}`);
      if (found[side].length >= count) throw new Error(`${caseId} has trial ${count} already`);
      while (found[side].length < count) {
        found[side] += options.answer(caseId, side);
        asked += 1;
      }
    }
  }
  throw new Error(`no end after ${maxRounds} rounds`);
}

function finish({ comparisons: [judged] }: JudgedRun) {
  if (judged === undefined) throw new Error('one comparison, one verdict');
  const { failures, isInconclusive, drift, warnings } = judged;
  return { failures, isInconclusive, drift, warnings, codes: failures.map(({ code }) => code) };
}

const callsOf = (calls: number): Spend => ({ calls, usd: undefined });
const maxRounds = 1000;

/** The last part of a case's name in its run. */
function caseIdOf(id: string): string {
  return (JSON.parse(id) as readonly string[]).at(-1) ?? '';
}
