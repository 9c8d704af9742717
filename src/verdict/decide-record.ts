import { defined } from '../json/defined.ts';
import type { Sides } from '../model/comparison/baseline.ts';
import type { Decision } from '../model/comparison/gate.ts';
import type { ContractsLine } from '../model/run/deciding-lines.ts';
import { type CompareRecordOptions, compareRecord } from './compare-record.ts';
import { findLoosenedCases } from './edited-checks.ts';
import { findEmptyAnswers } from './find-empty-answers.ts';
import { decide } from './gate/decide-run.ts';
import type { EarlyLook } from './gate/early-end.ts';
import type { GatedComparison } from './gate/gated-comparison.ts';
import { type JudgedRun, judgeRun } from './gate/judge-comparisons.ts';
import { type JudgedErosion, judgeErosion } from './judge-erosion.ts';

export interface AssessOptions extends CompareRecordOptions {
  /** True while fresh trials can still be asked. */
  readonly isOpen?: boolean;
  /** Given while planned cells were not asked yet. */
  readonly look?: EarlyLook;
}

/** A record that is compared and judged, but not decided. */
export interface Assessment extends Pick<AssessOptions, 'record' | 'findBaseline' | 'judged'> {
  readonly gated: readonly GatedComparison[];
  readonly verdict: JudgedRun;
}

/** Compares and judges what a record holds so far. */
export function assess(options: AssessOptions): Assessment {
  const { record, findBaseline, judged, isOpen = false, look } = options;
  const gated = compareRecord(options);
  const { settings } = record.header;
  const verdict = judgeRun(gated, { summary: record.summary, settings, isFinal: !isOpen, ...defined({ look }) });
  return { record, findBaseline, judged, gated, verdict };
}

export interface DecideRecordOptions extends Pick<Sides, 'findReference'> {
  /** What the contracts of the prompts broke; undefined if they were not compared. */
  readonly contracts: Pick<ContractsLine, 'failures' | 'warnings'> | undefined;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
  /** Warnings of the comparison itself. */
  readonly warnings?: readonly string[];
}

/** An assessment with its decision. */
export interface DecidedRecord extends Assessment {
  readonly decision: Decision;
  readonly erosion: JudgedErosion;
}

/**
 * Decides about a record, from nothing else than what it holds. The same record gives the same decision on any machine,
 * whatever its files are.
 */
export function decideRecord(
  assessment: Assessment,
  { findReference, contracts, interrupted, warnings = [] }: DecideRecordOptions,
): DecidedRecord {
  const { record, gated, verdict, judged, findBaseline } = assessment;
  const { header, summary } = record;
  const erosion = judgeErosion(record, findReference);
  const decision = decide({
    summary,
    settings: header.settings,
    judged: verdict,
    loosenedCases: findLoosenedCases(gated, { header, summary, judged, findBaseline }),
    missing: findMissing(assessment),
    ...defined({ interrupted }),
    further: {
      failures: [...(contracts?.failures ?? []), ...erosion.failures],
      warnings: [...findEmptyAnswers(record), ...erosion.warnings, ...(contracts?.warnings ?? []), ...warnings],
    },
  });
  return { ...assessment, decision, erosion };
}

/** What a record of an older version lacks: it was compared with a baseline that it does not keep. */
function findMissing({ record: { header, sides }, gated }: Assessment): readonly string[] {
  if (sides !== undefined) return [];
  return header.suites.flatMap(({ suite, variants }) => {
    const isCompared = gated.some((comparison) => comparison.suite.recorded.suite === suite);
    const isNamed = typeof header.settings.baseline === 'object';
    if (isCompared || !(isNamed || variants.some(({ acceptedPrompt }) => acceptedPrompt !== undefined))) return [];
    return [
      `the record does not hold the baseline that suite ${suite} was compared with: an older version wrote it; run again`,
    ];
  });
}
