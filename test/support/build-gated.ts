import type { ComparedVariant } from '../../src/model/comparison/comparison.ts';
import type { StopReason } from '../../src/model/run/cell.ts';
import type { AcceptedPromptState, RecordedSuite } from '../../src/model/run/record.ts';
import type { GatePolicy } from '../../src/model/suite/gate-policy.ts';
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
  /** Planned trials; by default one of each case. */
  readonly planned?: number;
}

/** A comparison of a suite of one variant. */
export function buildGated(compared: ComparedVariant, options: GatedOptions = {}): GatedComparison {
  const { gate, suite: recordedSuite, acceptedPrompt: state, planned, ...rest } = options;
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
  // Another run was compared with another prompt, unless a test says something else.
  const acceptedPrompt: AcceptedPromptState | undefined =
    state ?? (rest.isOfRecords === true ? undefined : { is: 'askable' });
  const known = acceptedPrompt === undefined ? {} : { acceptedPrompt };
  return { suite, variant, compared, ...known, ...rest };
}

export interface JudgeGatedOptions extends Partial<Pick<JudgeRunOptions, 'isFinal'>> {
  readonly settings?: JudgeRunOptions['settings'];
  readonly stopReason?: StopReason;
}

/** Judges a run whose fresh trials are all made, unless `isFinal` is false. */
export function judgeGated(gated: readonly GatedComparison[], options: JudgeGatedOptions = {}): JudgedRun {
  const { settings = {}, stopReason, isFinal = true } = options;
  const summary = { stopReason, suites: gated.map(({ suite }) => suite) };
  return judgeRun(gated, { summary, settings, isFinal });
}
