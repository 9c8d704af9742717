import { defined } from '../json/defined.ts';
import {
  type BaselineVariant,
  besideKey,
  comparedKeys,
  type FindBaseline,
  type SuiteBaseline,
  type VariantKey,
} from '../model/comparison/baseline.ts';
import type { ComparedSide, ComparedVariant } from '../model/comparison/comparison.ts';
import type { Usage } from '../model/run/completion.ts';
import type { ComparedRole, JudgedLine } from '../model/run/deciding-lines.ts';
import type { RecordedVariant } from '../model/run/record.ts';
import type { SuiteSummary, VariantSummary } from '../model/run/summary.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import { type CompareVariantsOptions, compareVariants } from './compare-variants.ts';
import { defaultMaxDrop } from './default-margins.ts';
import { type AcceptedVariant, findRedefined, withJudged } from './edited-checks.ts';
import { lastShare } from './gate/early-end.ts';
import { acceptedPromptOf, type GatedComparison } from './gate/gated-comparison.ts';
import { sideOfBaseline, sideOfVariant } from './pair-cases.ts';

export interface CompareRecordOptions {
  readonly record: StoredRecord;
  readonly findBaseline: FindBaseline;
  /** Verdicts on answers by other checks than those that they were first judged by. */
  readonly judged: readonly JudgedLine[];
  /** Prices both sides by one table. Undefined where no price is known. */
  readonly costOf: (variant: BaselineVariant | RecordedVariant, usage: Usage | undefined) => number | undefined;
  /** True for two stored records, of which neither side can be asked again. */
  readonly isOfRecords?: boolean;
  /** True where a variant without a counterpart is compared with nothing, so that its cases are new. */
  readonly isPairWanted?: boolean;
}

/** Pairs every gated variant of a record with what it is compared with. A variant without a baseline is left out. */
export function compareRecord(options: CompareRecordOptions): readonly GatedComparison[] {
  const { header, summary } = options.record;
  const { compare, swap, shard } = header.settings;
  const gated: GatedComparison[] = [];
  for (const suite of summary.suites) {
    const { suite: id, path } = suite.recorded;
    const found = options.findBaseline({ id, path });
    for (const variant of suite.variants) {
      if (variant.replacedBy !== undefined || variant.planned === 0) continue;
      const candidate: Candidate = { suite, variant, options };
      const compared = compareCandidate(candidate, found);
      if (compared === undefined) continue;
      const own = found?.own && compareWithFile(candidate, { ...found, baseline: found.own }, 'own');
      gated.push({
        suite,
        variant,
        compared,
        ...defined({
          own,
          acceptedPrompt: acceptedPromptOf(variant, compared),
          isOfRecords: options.isOfRecords === true || undefined,
          isFirst: found?.isFirst,
        }),
        // With `--compare v1,v2` v1 is the baseline, so nothing needs to have been accepted.
        mustPassWhole: compared.baseline.accepted?.size === 0 && compare === undefined && swap === undefined,
        otherCases: shard?.otherCases?.[id] ?? 0,
      });
    }
  }
  return gated;
}

/** A variant of the record that is compared. */
interface Candidate {
  readonly suite: SuiteSummary;
  readonly variant: VariantSummary;
  readonly options: CompareRecordOptions;
}

/**
 * What a variant is compared with, the first of these that there is:
 * 1. The accepted prompt that runs beside it, or the first version of `--compare`.
 * 2. What is stored: a baseline or another run.
 * 3. The version or provider of the same run that it replaces.
 */
function compareCandidate(candidate: Candidate, found: SuiteBaseline | undefined): ComparedVariant | undefined {
  const { options } = candidate;
  const [first] = options.record.header.settings.compare ?? [];
  const counterpart = findCounterpart(candidate);
  const isBaseline = counterpart?.recorded.baselineOf !== undefined || counterpart?.recorded.prompt === first;
  if (counterpart !== undefined && isBaseline) return compareWithCounterpart(candidate, counterpart, found);
  const stored = found && compareWithFile(candidate, found, 'baseline');
  if (stored !== undefined) return stored;
  if (counterpart !== undefined) return compareWithCounterpart(candidate, counterpart, found);
  return options.isPairWanted === true ? compareWithNothing(candidate) : undefined;
}

const ofThisRun = { source: 'this run', kind: 'run' } as const;

/** The other variant of the same run: the baseline's prompt run again, or what this one replaces. */
function findCounterpart({ suite, variant }: Candidate): VariantSummary | undefined {
  const { prompt, provider } = variant.recorded;
  const key = besideKey(variant.recorded);
  const others = suite.variants.filter((other) => other !== variant && other.planned > 0);
  return (
    others.find(({ recorded }) => recorded.baselineOf === prompt && recorded.provider === provider) ??
    others.find(({ recorded }) => isVariant(recorded, key) && recorded.baselineOf === undefined)
  );
}

function isVariant(recorded: VariantKey, { prompt, provider }: VariantKey): boolean {
  return recorded.prompt === prompt && recorded.provider === provider;
}

function compareWithCounterpart(
  candidate: Candidate,
  counterpart: VariantSummary,
  found: SuiteBaseline | undefined,
): ComparedVariant {
  const { variant, options } = candidate;
  const { record, costOf } = options;
  const isRerun = counterpart.recorded.baselineOf !== undefined;
  const accepted = findAccepted(candidate, found);
  // A case that was not accepted is new, whatever the old prompt answers to it: it must pass by itself.
  const cases = isRerun ? new Map([...counterpart.cases].filter(([id]) => accepted.cases.has(id))) : counterpart.cases;
  const named = isRerun ? ({ source: 'the baseline, run again', kind: 'rerun' } as const) : ofThisRun;
  const side = sideOfVariant({ recorded: counterpart.recorded, cases }, { ...named, readRow: record.readRow, costOf });
  const compare = (redefinitions: Redefinitions) =>
    compareTo(
      candidate,
      { ...side, accepted: accepted.cases },
      {
        ...redefinitions,
        latencyComparable: !hasCachedAnswer(variant) && !hasCachedAnswer(counterpart),
        isWhole: isEnded(record),
      },
    );
  return compareWithRedefinitions(compare, accepted, options);
}

function hasCachedAnswer({ cases }: VariantSummary): boolean {
  return [...cases.values()].some(({ trials }) => trials.some(({ cached }) => cached));
}

/** What was accepted of a variant: its own cases, else those of what it replaces. */
function findAccepted({ variant }: Candidate, found: SuiteBaseline | undefined): AcceptedVariant {
  const side =
    found &&
    findOwnOrReplaced(variant, (key) =>
      sideOfBaseline(found.baseline, key, { source: found.source, costOf: () => undefined }),
    );
  return side === undefined ? { cases: new Map(), outputContract: undefined } : acceptedOf(side);
}

function acceptedOf({ cases, recorded }: Pick<ComparedSide, 'cases' | 'recorded'>): AcceptedVariant {
  return { cases, outputContract: recorded.contract.output };
}

/** Compares again where cases were accepted under other checks. */
function compareWithRedefinitions(
  compare: (redefinitions: Redefinitions) => ComparedVariant,
  accepted: AcceptedVariant,
  { record }: CompareRecordOptions,
): ComparedVariant {
  const compared = compare({ redefined: new Set() });
  const redefinitions = findRedefined(compared, accepted, record.readRow);
  return isEmpty(redefinitions) ? compared : compare(redefinitions);
}

type Redefinitions = ReturnType<typeof findRedefined>;

function isEmpty({ redefined, breaking }: Redefinitions): boolean {
  return redefined.size === 0 && (breaking?.size ?? 0) === 0;
}

/** The stored side that a variant is compared with; undefined if the baseline has neither it nor what it replaces. */
export function findStoredSide(
  variant: VariantSummary,
  { source, baseline }: SuiteBaseline,
  costOf: CompareRecordOptions['costOf'],
): ComparedSide | undefined {
  return findOwnOrReplaced(variant, (key) => sideOfBaseline(baseline, key, { source, costOf }));
}

function compareWithFile(candidate: Candidate, found: SuiteBaseline, role: ComparedRole): ComparedVariant | undefined {
  const { suite, variant, options } = candidate;
  const stored = findStoredSide(variant, found, options.costOf);
  if (stored === undefined) return undefined;
  const side = { ...stored, ...describeAge(found, options) };
  const { suite: suiteId } = suite.recorded;
  const lines = options.judged.filter(
    (line) =>
      line.by !== 'accepted-checks' && line.role === role && line.suite === suiteId && isVariant(side.recorded, line),
  );
  const judged = withJudged(side, lines, variant.cases);
  const compared = compareTo(candidate, judged.unedited, {});
  const again = findRedefined(compared, acceptedOf(side), options.record.readRow);
  const all = { ...again, redefined: new Set([...judged.edited, ...again.redefined]) };
  return isEmpty(all) ? compared : compareTo(candidate, judged.side, all);
}

/** How old the baseline was when the run started, so that a report says the same whenever it is made. */
function describeAge({ acceptedAt }: SuiteBaseline, { record }: CompareRecordOptions): Pick<ComparedSide, 'accepting'> {
  if (acceptedAt === undefined) return {};
  const ageMs = Date.parse(record.header.startedAt) - Date.parse(acceptedAt);
  // A record of baselines never started.
  if (Number.isNaN(ageMs)) return {};
  return { accepting: { acceptedAt, ageDays: Math.max(0, Math.floor(ageMs / dayMs)) } };
}

const dayMs = 24 * 60 * 60 * 1000;

/** Every case of a variant without a counterpart is new. */
function compareWithNothing(candidate: Candidate): ComparedVariant {
  const nothing: ComparedSide = {
    source: 'nothing: the other side has no such variant',
    kind: 'stored',
    recorded: candidate.variant.recorded,
    cases: new Map(),
    models: [],
    checksOf: () => [],
    answerOf: () => undefined,
  };
  return compareTo(candidate, nothing, { isWhole: false });
}

function compareTo(
  { suite, variant, options }: Candidate,
  side: ComparedSide,
  overrides: Partial<CompareVariantsOptions>,
): ComparedVariant {
  const { record, costOf } = options;
  const { gate, classes, filtered, judges } = suite.recorded;
  const now = sideOfVariant(variant, { ...ofThisRun, readRow: record.readRow, costOf });
  const { early } = record.header.settings;
  return compareVariants(side, now, {
    // Alpha is split between the looks of an early run and this last test.
    gate: early === undefined ? gate : { ...gate, alpha: lastShare * gate.alpha },
    margin: gate.passRate.maxDrop ?? defaultMaxDrop,
    scoreMargin: gate.score.maxDrop ?? defaultMaxDrop,
    ...defined({ classes, judges }),
    redefined: new Set(),
    latencyComparable: false,
    isWhole: !filtered && isEnded(record),
    ...overrides,
  });
}

/** Cases that a stopped run did not reach are not removed. */
function isEnded({ summary }: StoredRecord): boolean {
  return summary.stopReason === undefined || summary.stopReason === 'decided';
}

/** Finds by the variant's own prompt and provider, else by those that it replaces. */
function findOwnOrReplaced<T>({ recorded }: VariantSummary, find: (key: VariantKey) => T | undefined): T | undefined {
  for (const key of comparedKeys(recorded)) {
    const found = find(key);
    if (found !== undefined) return found;
  }
  return undefined;
}
