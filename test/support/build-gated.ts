import type { ComparedVariant } from '../../src/model/comparison/comparison.ts';
import type { StopReason } from '../../src/model/run/cell.ts';
import type { AcceptedPromptState, RecordedSuite } from '../../src/model/run/record.ts';
import type { GatePolicy } from '../../src/model/suite/suite.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import type { GatedComparison } from '../../src/verdict/gate/gated-comparison.ts';
import { type JudgedRun, type JudgeRunOptions, judgeRun } from '../../src/verdict/gate/judge-comparisons.ts';
import { buildHeader, buildRecordedSuite, end } from './build-summary.ts';

export const unchanged: AcceptedPromptState = { is: 'unchanged' };
export const unavailable: AcceptedPromptState = { is: 'unavailable', why: 'its code has changed' };

export interface GatedOptions extends Pick<GatedComparison, 'own' | 'isOfRecords' | 'mustPassWhole' | 'otherCases'> {
  readonly gate?: Partial<GatePolicy>;
  readonly suite?: Partial<RecordedSuite>;
  /** By default it can be asked. */
  readonly acceptedPrompt?: AcceptedPromptState;
  /** Planned trials, which confirmation trials may add up to; by default one of each case. */
  readonly planned?: number;
}

/** A comparison of a suite of one variant. */
export function buildGated(compared: ComparedVariant, options: GatedOptions = {}): GatedComparison {
  const { gate, suite: recordedSuite, acceptedPrompt = { is: 'askable' }, planned, ...rest } = options;
  const recorded = { ...compared.candidate.recorded, ...(planned !== undefined && { planned }) };
  const header = buildHeader([buildRecordedSuite([recorded], gate, recordedSuite)]);
  const rows = [...compared.candidate.cases.values()].flatMap(({ trials, confirmations, accepted }) => [
    ...trials,
    ...confirmations,
    ...accepted,
  ]);
  const [suite] = summarizeRun(header, rows, end).suites;
  const [variant] = suite?.variants ?? [];
  if (suite === undefined || variant === undefined) throw new Error('one suite of one variant');
  const known = rest.isOfRecords === true ? {} : { acceptedPrompt };
  return { suite, variant, compared, ...known, ...rest };
}

export interface JudgeGatedOptions extends Partial<Pick<JudgeRunOptions, 'isFinal'>> {
  readonly settings?: JudgeRunOptions['settings'];
  readonly stopReason?: StopReason;
}

/** Judges a run whose confirmation trials are all made, unless `isFinal` is false. */
export function judgeGated(gated: readonly GatedComparison[], options: JudgeGatedOptions = {}): JudgedRun {
  const { settings = {}, stopReason, isFinal = true } = options;
  const summary = { stopReason, suites: gated.map(({ suite }) => suite) };
  return judgeRun(gated, { summary, settings, isFinal });
}
