import type { FindBaseline, SuiteBaseline } from '../baseline/find-baselines.ts';
import { compareVariants } from '../compare/compare-variants.ts';
import type { Confirmability } from '../compare/gate/judge-cases.ts';
import type { GatedComparison } from '../compare/gate/judge-comparisons.ts';
import { defaultMaxDrop } from '../compare/gate/judge-metrics.ts';
import { sideOfBaseline } from '../compare/side-of-baseline.ts';
import { sideOfVariant } from '../compare/side-of-variant.ts';
import { defined } from '../json/defined.ts';
import type { JudgePorts } from '../judges/judge-answer.ts';
import type { Baseline, BaselineVariant } from '../model/baseline.ts';
import type { ComparedSide, ComparedVariant } from '../model/comparison.ts';
import type { Usage } from '../model/completion.ts';
import type { RecordedVariant } from '../model/record.ts';
import type { CaseSummary, SuiteSummary, VariantSummary } from '../model/summary.ts';
import type { FindCell } from '../plan/find-cells.ts';
import type { StoredRecord } from '../record/open-stored-record.ts';
import { type Accepted, findRedefined } from './find-redefined.ts';
import { rejudge } from './rejudge.ts';

export interface CompareRunOptions {
  readonly record: StoredRecord;
  readonly findBaseline: FindBaseline;
  readonly confirmability: (suite: string) => Confirmability;
  /** By one price table for both sides; undefined where no price is known. */
  readonly costOf: (variant: BaselineVariant | RecordedVariant, usage: Usage | undefined) => number | undefined;
  /** The cell of a case as it is planned now, for its checks; undefined where there is none any more. */
  readonly cellOf?: FindCell;
  /** What checks need to judge stored answers again. */
  readonly judgePorts?: JudgePorts;
  /** True where a variant without a counterpart is open, and not one whose suite must pass whole. */
  readonly isPairWanted?: boolean;
}

/** Where a side came from that is of the run itself. */
export const withinRun = 'this run';

/** Pairs every gated variant of a record with what it is compared with; a variant without a baseline is left out. */
export async function compareRun(options: CompareRunOptions): Promise<readonly GatedComparison[]> {
  const { record } = options;
  const gated: GatedComparison[] = [];
  for (const suite of record.summary.suites) {
    const found = options.findBaseline({ id: suite.recorded.suite, path: suite.recorded.path });
    for (const variant of suite.variants) {
      if (variant.replacedBy !== undefined || variant.planned === 0) continue;
      const compared = await compareVariant(suite, variant, found, options);
      if (compared === undefined) continue;
      const own =
        found?.kind === 'file' && found.own !== undefined
          ? await compareWithFile(
              suite,
              variant,
              { ...found, source: 'the baseline of this change', baseline: found.own },
              options,
            )
          : undefined;
      gated.push({
        suite,
        variant,
        compared,
        ...defined({ own }),
        confirmability: options.confirmability(suite.recorded.suite),
        // `--compare v1,v2` names its baseline: v1 takes the place of what was accepted.
        mustPassWhole: compared.baseline.accepted?.size === 0 && record.header.settings.compare === undefined,
        otherCases: record.header.settings.shard?.otherCases?.[suite.recorded.suite] ?? 0,
      });
    }
  }
  return gated;
}

async function compareVariant(
  suite: SuiteSummary,
  variant: VariantSummary,
  found: SuiteBaseline | undefined,
  options: CompareRunOptions,
): Promise<ComparedVariant | undefined> {
  const beside = findBeside(suite, variant);
  // What was asked for side by side goes before what is stored.
  if (beside !== undefined && (beside.recorded.baselineOf !== undefined || isComparedPrompt(beside, options))) {
    return compareBeside(suite, variant, beside, options, found);
  }
  const stored =
    found?.kind === 'file'
      ? await compareWithFile(suite, variant, found, options)
      : found?.kind === 'record'
        ? compareWithRecord(suite, variant, found, options)
        : undefined;
  if (stored !== undefined) return stored;
  if (beside !== undefined) return compareBeside(suite, variant, beside, options, found);
  return options.isPairWanted === true ? compareWithNothing(suite, variant, options) : undefined;
}

/** The variant of the same run that this one stands in for: the baseline's prompt run again, or the version it replaces. */
function findBeside(suite: SuiteSummary, variant: VariantSummary): VariantSummary | undefined {
  const { prompt, provider, replaces } = variant.recorded;
  const onProvider = suite.variants.filter((other) => other.recorded.provider === provider && other.planned > 0);
  return (
    onProvider.find(({ recorded }) => recorded.baselineOf === prompt) ??
    onProvider.find(({ recorded }) => recorded.prompt === replaces && recorded.baselineOf === undefined)
  );
}

function isComparedPrompt({ recorded }: VariantSummary, { record }: CompareRunOptions): boolean {
  return record.header.settings.compare?.[0] === recorded.prompt;
}

function compareBeside(
  suite: SuiteSummary,
  variant: VariantSummary,
  beside: VariantSummary,
  options: CompareRunOptions,
  found: SuiteBaseline | undefined,
): ComparedVariant {
  const { record, costOf } = options;
  const { readRow } = record;
  const hasFreshAnswers = [variant, beside].every(({ cases }) =>
    [...cases.values()].every(({ trials }) => trials.every(({ cached }) => !cached)),
  );
  const isRerun = beside.recorded.baselineOf !== undefined;
  const source = isRerun ? 'the baseline, run again' : withinRun;
  const { recorded } = beside;
  const accepted = findAccepted(suite, variant, found);
  // A case that nobody accepted is new, whatever the old prompt makes of it: it must pass by itself.
  const cases = isRerun ? new Map([...beside.cases].filter(([id]) => accepted.cases.has(id))) : beside.cases;
  const side = sideOfVariant({ recorded, cases }, { source, readRow, costOf });
  const compare = (redefined: ReadonlySet<string>) =>
    compareVariants({ ...side, accepted: accepted.cases }, candidateSide(variant, options), {
      ...marginsOf(suite),
      redefined,
      latencyComparable: hasFreshAnswers,
      isWithinRun: true,
      isWhole: isEnded(record),
    });
  return compareWithoutRedefined(compare, accepted, options);
}

/** What was accepted of a variant: its own cases, else those of the version that it replaces. */
function findAccepted(suite: SuiteSummary, variant: VariantSummary, found: SuiteBaseline | undefined): Accepted {
  if (found === undefined) return nothingAccepted;
  const side =
    found.kind === 'file'
      ? findSide(variant, (key) =>
          sideOfBaseline(found.baseline, key, { source: found.source, costOf: () => undefined }),
        )
      : findVariant(suite, variant, found.record);
  return side === undefined ? nothingAccepted : acceptedOf(side);
}

const nothingAccepted: Accepted = { cases: new Map<string, CaseSummary>(), outputContract: undefined };

function acceptedOf({ cases, recorded }: Pick<ComparedSide, 'cases' | 'recorded'>): Accepted {
  return { cases, outputContract: recorded.contract.output };
}

function compareWithoutRedefined(
  compare: (redefined: ReadonlySet<string>) => ComparedVariant,
  accepted: Accepted,
  { record }: CompareRunOptions,
): ComparedVariant {
  const compared = compare(new Set());
  const redefined = findRedefined(compared, accepted, record.readRow);
  return redefined.size === 0 ? compared : compare(redefined);
}

function findVariant(suite: SuiteSummary, variant: VariantSummary, record: StoredRecord): VariantSummary | undefined {
  const other = record.summary.suites.find(({ recorded }) => recorded.suite === suite.recorded.suite);
  return findSide(variant, ({ prompt, provider }) =>
    other?.variants.find(({ recorded }) => recorded.prompt === prompt && recorded.provider === provider),
  );
}

async function compareWithFile(
  suite: SuiteSummary,
  variant: VariantSummary,
  { source, baseline }: Extract<SuiteBaseline, { kind: 'file' }>,
  options: CompareRunOptions,
): Promise<ComparedVariant | undefined> {
  const side = findSide(variant, (key) => sideOfBaseline(baseline, key, { source, costOf: options.costOf }));
  if (side === undefined) return undefined;
  return compareWithSide(suite, variant, side, baseline, options);
}

function compareWithRecord(
  suite: SuiteSummary,
  variant: VariantSummary,
  { source, record }: Extract<SuiteBaseline, { kind: 'record' }>,
  options: CompareRunOptions,
): ComparedVariant | undefined {
  const other = findVariant(suite, variant, record);
  if (other === undefined) return undefined;
  const { readRow } = record;
  const side = sideOfVariant(other, { source, readRow, costOf: options.costOf });
  const compare = (redefined: ReadonlySet<string>) =>
    compareVariants(side, candidateSide(variant, options), {
      ...marginsOf(suite),
      redefined,
      latencyComparable: false,
      isWhole: !suite.recorded.filtered && isEnded(options.record),
    });
  return compareWithoutRedefined(compare, acceptedOf(side), options);
}

async function compareWithSide(
  suite: SuiteSummary,
  variant: VariantSummary,
  side: ComparedSide,
  baseline: Baseline,
  options: CompareRunOptions,
): Promise<ComparedVariant> {
  const { prompt, provider } = variant.recorded;
  const cellOf = (caseId: string) => options.cellOf?.(suite.recorded.suite, prompt, provider, caseId);
  const compare = (before: ComparedSide, redefined: ReadonlySet<string>) =>
    compareVariants(before, candidateSide(variant, options), {
      ...marginsOf(suite),
      redefined,
      latencyComparable: false,
      isWhole: !suite.recorded.filtered && isEnded(options.record),
    });
  const compared = compare(side, new Set());
  const redefinedCases = [...compared.cases.values()].filter(({ change }) => change === 'redefined');
  const again = await rejudge(side, baseline, redefinedCases, cellOf, options.judgePorts);
  const redefined = new Set([...again.cases, ...findRedefined(compared, acceptedOf(side), options.record.readRow)]);
  return redefined.size === 0 ? compared : compare(again.side, redefined);
}

/** Every case of a variant without a counterpart is new. */
function compareWithNothing(suite: SuiteSummary, variant: VariantSummary, options: CompareRunOptions): ComparedVariant {
  const { recorded } = variant;
  const nothing: ComparedSide = {
    source: 'nothing: the other side has no such variant',
    recorded,
    cases: new Map(),
    models: [],
    answerOf: () => undefined,
  };
  return compareVariants(nothing, candidateSide(variant, options), {
    ...marginsOf(suite),
    redefined: new Set(),
    latencyComparable: false,
    isWhole: false,
  });
}

function candidateSide(variant: VariantSummary, { record, costOf }: CompareRunOptions): ComparedSide {
  const { readRow } = record;
  return sideOfVariant(variant, { source: withinRun, readRow, costOf });
}

/** What a run did not come to is not gone. */
function isEnded({ summary }: StoredRecord): boolean {
  return summary.stopReason === undefined;
}

/** By its own rows, else by those of the version that it replaces. */
function findSide<T>(
  { recorded }: VariantSummary,
  find: (key: { prompt: string; provider: string }) => T | undefined,
): T | undefined {
  const { prompt, provider, replaces } = recorded;
  return find({ prompt, provider }) ?? (replaces === undefined ? undefined : find({ prompt: replaces, provider }));
}

function marginsOf({ recorded: { gate } }: SuiteSummary) {
  const { passRate, score } = gate;
  return { gate, margin: passRate.maxDrop ?? defaultMaxDrop, scoreMargin: score.maxDrop ?? defaultMaxDrop };
}
