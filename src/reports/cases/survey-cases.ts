import type { CaseReport, Report, SuiteReport } from '../../model/report.ts';
import { clipText } from '../../text/shorten.ts';
import { describeError } from './explain-case.ts';
import { type CaseRank, caseRanks, createFindGateEffect, type GateEffect, rankCase } from './gate-effect.ts';

/** A case that is shown by itself. */
export interface RankedCase {
  readonly suite: SuiteReport;
  readonly entry: CaseReport;
  readonly effect: GateEffect;
  readonly rank: CaseRank;
}

/** Cases that are named together, under what they have in common. */
export interface CaseGroup {
  /** Of tolerated cases what they are tolerated for; else the message. */
  readonly key: string;
  readonly reason: string;
  /** The first few, the others are counted. */
  readonly cases: readonly CaseName[];
  readonly count: number;
}

export type CaseName = Pick<CaseReport, 'caseId' | 'prompt' | 'provider' | 'at'>;

/** The cases of one suite that did not pass. */
export interface SuiteSurvey {
  readonly suite: SuiteReport;
  /** Those that are shown, worst first. */
  readonly worst: readonly RankedCase[];
  /** Of all that should be shown by themselves, shown or not. */
  readonly counts: Readonly<Record<CaseRank, number>>;
  /** Tolerated by the gate; the reason is enough. */
  readonly tolerated: readonly CaseGroup[];
  readonly errored: readonly CaseGroup[];
}

export interface SurveyLimits {
  /** Over the whole report: people read one screen. */
  readonly maxCases: number;
  /** Names in a group. */
  readonly maxNames: number;
  /** Groups of a kind in a suite: messages that name their case would make one group for each. */
  readonly maxGroups: number;
}

/** Reads every case that did not pass once. Keeps the worst of the whole report, and counts the others. */
export function surveyCases(report: Report, limits: SurveyLimits): readonly SuiteSurvey[] {
  const worst = createWorst(limits.maxCases);
  const surveys = report.suites.map((suite) => surveySuite(report, suite, worst, limits));
  const shown = worst.list();
  return surveys.map((survey) => ({ ...survey, worst: shown.filter(({ suite }) => suite === survey.suite) }));
}

/** How many cases of a suite are not shown, by rank. */
export function countHidden({ counts, worst }: SuiteSurvey): readonly (readonly [CaseRank, number])[] {
  return caseRanks.flatMap((rank) => {
    const hidden = counts[rank] - worst.filter((ranked) => ranked.rank === rank).length;
    return hidden > 0 ? [[rank, hidden] as const] : [];
  });
}

function surveySuite(
  report: Report,
  suite: SuiteReport,
  worst: ReturnType<typeof createWorst>,
  limits: SurveyLimits,
): Omit<SuiteSurvey, 'worst'> {
  const counts = { regressed: 0, broken: 0, new: 0, failing: 0, flaky: 0, tolerated: 0 };
  const tolerated = createGroups(limits);
  const errored = createGroups(limits);
  // A suite without failures need not be read.
  if (suite.variants.some((variant) => variant.failed + variant.errored + variant.observed > 0)) {
    const findEffect = createFindGateEffect(report, suite);
    for (const entry of suite.cases({ statuses: ['failed', 'flaky', 'errored'] })) {
      const effect = findEffect(entry);
      if (entry.status === 'errored') {
        const row = entry.trials.find(({ status }) => status === 'errored');
        const message = clipText(row === undefined ? 'no reason was recorded' : describeError(row), maxMessageUnits);
        errored.add(message, message, entry);
        continue;
      }
      const rank = rankCase(entry, effect);
      if (rank === undefined) continue;
      if (effect.kind === 'tolerated' && effect.because !== 'within-limits') {
        tolerated.add(effect.because, effect.reason, entry);
        continue;
      }
      counts[rank] += 1;
      worst.add({ suite, entry, effect, rank });
    }
  }
  return { suite, counts, tolerated: tolerated.list(), errored: errored.list() };
}

const maxMessageUnits = 1000;

/** Keeps only as many cases as are shown: each may have an answer of megabytes. */
function createWorst(maxCases: number) {
  const kept: Record<CaseRank, RankedCase[]> = {
    regressed: [],
    broken: [],
    new: [],
    failing: [],
    flaky: [],
    tolerated: [],
  };
  let size = 0;
  return {
    add(ranked: RankedCase): void {
      if (size < maxCases) size += 1;
      else if (!dropWorseThan(ranked.rank)) return;
      kept[ranked.rank].push(ranked);
    },
    list: (): readonly RankedCase[] => caseRanks.flatMap((rank) => kept[rank]),
  };

  function dropWorseThan(rank: CaseRank): boolean {
    const lower = caseRanks.slice(caseRanks.indexOf(rank) + 1).findLast((other) => kept[other].length > 0);
    return lower !== undefined && kept[lower].pop() !== undefined;
  }
}

function createGroups({ maxNames, maxGroups }: SurveyLimits) {
  const groups = new Map<string, { key: string; reason: string; cases: CaseName[]; count: number }>();
  return {
    add(key: string, reason: string, entry: CaseReport): void {
      const isFull = groups.size >= maxGroups && !groups.has(key);
      const found = groups.get(isFull ? '' : key) ?? {
        key: isFull ? '' : key,
        reason: isFull ? 'other messages' : reason,
        cases: [],
        count: 0,
      };
      groups.set(isFull ? '' : key, found);
      found.count += 1;
      if (found.cases.length >= maxNames) return;
      const { caseId, prompt, provider, at } = entry;
      found.cases.push({ caseId, prompt, provider, at });
    },
    list: (): readonly CaseGroup[] => [...groups.values()],
  };
}
