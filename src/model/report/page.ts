import type { CaseChange, MetricComparison } from '../comparison/comparison.ts';
import type { LocatedFinding, ObservedAnswers, PromptFindings } from '../comparison/finding.ts';
import type { DecisionOutcome } from '../comparison/gate.ts';
import type { CaseStatus, CellCounts, CellStatus } from '../run/cell.ts';
import type { FinishReason, Usage } from '../run/completion.ts';
import type { RecordedCheck } from '../run/verdict.ts';
import type { TrendPoint } from './history.ts';
import type { Report, VariantReport } from './report.ts';

// The data of the page: the html reporter writes it, src/page reads it. The page parses the index when it opens. It
// parses a block of case details when the user opens a case.

export interface PageIndex {
  readonly tool: Report['tool'];
  readonly run: Omit<Report['run'], 'baseline'>;
  readonly verdict: {
    readonly outcome: DecisionOutcome;
    readonly exitCode: number;
    /** `not passed`, as the reports say it. */
    readonly word: string;
    /** The verdict as text: `10 of 42 tickets cases broke with v2`. */
    readonly text: string;
    /** Set if the run passed, and somebody has to look at what it accepts or leaves open. */
    readonly needsReview?: true;
    readonly counts: string;
  };
  readonly totals: Report['totals'];
  readonly failures: PageFailures;
  /** A command for the user's next step. */
  readonly nextStep?: string;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
  readonly suites: readonly PageSuite[];
  readonly contracts: readonly PageContract[];
}

/** The findings on a prompt's contract; the messages hold the values of both sides. */
export interface PageContract extends Omit<PromptFindings, 'findings' | 'observed'> {
  readonly findings: readonly PageFinding[];
  readonly observed: readonly Pick<ObservedAnswers, 'message' | 'offenders'>[];
}

export type PageFinding = Omit<LocatedFinding, 'old' | 'new'>;

/** The failures of a run. */
export interface PageFailures {
  /** Cases that pass under edited checks alone: must-pass ones first, those with the same checks together. */
  readonly loosened: {
    readonly entries: readonly PageLoosened[];
    /** Number of entries that are left out. */
    readonly hidden: number;
  };
  /** The worst cases, must-pass cases first. Cases that failed alike share an entry. */
  readonly entries: readonly PageFailure[];
  /** Number of cases without an entry. */
  readonly hidden: number;
  /** Cases that could not be judged, grouped by error. */
  readonly errored: readonly PageCaseGroup[];
  /** Failures that the gate tolerates, grouped by reason. */
  readonly tolerated: readonly PageCaseGroup[];
  /** Broken limits that do not belong to a single case. */
  readonly limits: readonly PageLimit[];
}

/** A case, or cases that failed alike, over all variants. */
export interface PageFailure {
  readonly suite: string;
  /** `shipping-1 … shipping-9 (9 cases)`. */
  readonly title: string;
  /** The first hundred case ids, in natural order. */
  readonly caseIds: readonly string[];
  readonly count: number;
  /** The place of the first case. */
  readonly at: { readonly file: string; readonly line: number; readonly column: number };
  readonly mustPass?: true;
  readonly outcomes: readonly PageOutcome[];
}

/** The failure of the first case on one or more variants that failed alike. */
export interface PageOutcome {
  /** One of the variants. */
  readonly prompt: string;
  readonly provider: string;
  readonly status: CaseStatus;
  /** `all 4 variants`; absent if the suite has one. */
  readonly variants?: string;
  /** `regressed`, `new`, `flaky` and so on. */
  readonly word?: string;
  readonly change?: CaseChange;
  /** Why the gate tolerates the failure. */
  readonly tolerated?: string;
  /** True if the change under test includes a baseline that accepts this failure. */
  readonly isAccepted?: true;
  /** `5 of 5 fresh trials failed`. */
  readonly trials?: string;
  readonly input?: PageText;
  /** The baseline's answer and the failed answer. Long answers are cut to the part around the first difference. */
  readonly before?: PageText;
  readonly now?: PageText;
  readonly reasons: readonly string[];
}

export interface PageLoosened {
  /** `must-pass case refund with v2 × mini`. */
  readonly place: string;
  /** The checks before and after. */
  readonly change: string;
  /** Why the answer fails the accepted checks; absent if that is not known. */
  readonly reason?: string;
}

/** Cases that have a reason in common. */
export interface PageCaseGroup {
  readonly suite: string;
  readonly reason: string;
  readonly count: number;
  /** The first few case ids. */
  readonly caseIds: readonly string[];
  readonly variants?: string;
  /** One of the variants. */
  readonly prompt?: string;
  readonly provider?: string;
}

export interface PageLimit {
  readonly text: string;
  readonly suite?: string;
  /** `all 4 variants`. */
  readonly variants?: string;
}

export interface PageSuite {
  readonly suite: string;
  readonly path: string;
  readonly variants: readonly PageVariant[];
  /** The changed prompts. A prompt with several providers is listed once. */
  readonly prompts: readonly PagePromptChange[];
  /** Remarks of comparisons besides their figures. Variants with the same remark share an entry. */
  readonly remarks: readonly PageRemark[];
  readonly tags: readonly string[];
  readonly cases: readonly PageCaseRow[];
  /** Numbers of the blocks with the rows before `cases`, if the index would be too long with them. */
  readonly rowBlocks?: readonly number[];
}

export interface PageVariant
  extends CellCounts,
    Pick<
      VariantReport,
      'prompt' | 'provider' | 'model' | 'passRate' | 'score' | 'costUsd' | 'latencyMs' | 'firstTokenMs' | 'replacedBy'
    > {
  /** Absent if the suite has no classes. */
  readonly byClass?: PageClasses;
  readonly comparison?: PageComparison;
  readonly latencies?: PageLatencies;
  readonly trend?: readonly TrendPoint[];
}

/** Class figures as text, formatted as in the other reports. Class names are unescaped. */
export interface PageClasses {
  /** `95.0 % → 76.2 %, −18.8 pts [−30.1, −9.0] in 40 cases`, or only the value without a comparison. */
  readonly macroF1: string;
  /** Changes since the baseline, largest first. `found` is absent for answers that name no class. */
  readonly moved: readonly PageMovedCell[];
  readonly scores: readonly PageClassScore[];
  /** Undefined if there are too many classes for a table. */
  readonly matrix: PageMatrix | undefined;
  /** Answers that named no class. */
  readonly others: readonly { readonly found: string | undefined; readonly answers: number }[];
}

interface PageMovedCell {
  readonly truth: string;
  readonly found: string | undefined;
  /** `0 → 6`. */
  readonly change: string;
  /** Some cases that show this mistake more often than before. */
  readonly entered: readonly string[];
}

interface PageClassScore {
  readonly class: string;
  readonly cases: number;
  /** `100.0 % → 50.0 %, −50.0 pts [−74.6, −18.8]`, or the rate alone. */
  readonly recall: string;
  readonly precision: string;
  readonly f1: string;
}

/** Number of cases by true class and by the answer's class. The last column counts answers that name no class. */
export interface PageMatrix {
  readonly names: readonly string[];
  readonly rows: readonly { readonly truth: string; readonly counts: readonly string[] }[];
}

export interface PageComparison {
  readonly outcome: 'passed' | 'failed' | 'inconclusive';
  readonly against: { readonly source: string; readonly prompt: string };
  /** The verdict in words. */
  readonly text: string;
  readonly metrics: readonly PageMetric[];
  readonly counts: Readonly<
    Record<'regressed' | 'drifted' | 'fixed' | 'stillFailing' | 'flaky' | 'added' | 'removed' | 'redefined', number>
  >;
}

/** Both versions of a prompt as one text each. */
export interface PagePromptChange {
  /** `v1 → v2`, or one name if the prompt's file changed. */
  readonly name: string;
  readonly baseline: string;
  readonly candidate: string;
}

export interface PageRemark {
  readonly label: string;
  readonly text: string;
  readonly variants?: string;
}

interface PageMetric extends MetricComparison {
  readonly key: 'passRate' | 'score' | 'costUsd' | 'steps' | 'latencyMs';
  readonly label: string;
  readonly text: string;
}

/** Counts of answers by their latency, over the same bins on both sides. */
export interface PageLatencies {
  /** The edges of the bins: one more than there are bins. */
  readonly edgesMs: readonly number[];
  readonly candidate: readonly number[];
  readonly baseline?: readonly number[];
  /** Medians. */
  readonly candidateMs: number;
  readonly baselineMs?: number;
}

/** A case with a cell for each variant that it ran on. */
export interface PageCaseRow {
  readonly id: string;
  /** Indexes in the suite's tags. */
  readonly tags?: readonly number[];
  readonly cells: readonly PageCell[];
}

export interface PageCell {
  /** Index in the suite's variants. */
  readonly variant: number;
  readonly status: CaseStatus;
  /** The block that holds its details, and the index in that block. */
  readonly block: number;
  readonly item: number;
  readonly change?: CaseChange;
  /** The urgency of a case that did not pass; 0 is the most urgent. */
  readonly rank?: number;
  /** Why the gate tolerates the case. */
  readonly tolerated?: string;
  readonly score?: number;
  readonly latencyMs?: number;
  readonly costUsd?: number | null;
  /** Passed trials of all, if there are several. */
  readonly trials?: readonly [passed: number, all: number];
  /** The start of the answer and of the failure's reason, for the search and previews. */
  readonly answer?: string;
  readonly reason?: string;
}

/** A text as it was, or its start if it is too long for a page. */
export type PageText = string | { readonly text: string; readonly ofChars: number };

export type PageBlock = readonly PageCase[];

export interface PageCase {
  readonly suite: string;
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
  readonly status: CaseStatus;
  readonly observe?: true;
  readonly mustPass?: true;
  readonly change?: CaseChange;
  readonly tolerated?: string;
  readonly at: { readonly file: string; readonly line: number; readonly column: number };
  readonly tags?: readonly string[];
  readonly description?: string;
  /** The prompt as sent; absent if the record does not contain it. */
  readonly messages?: readonly PageMessage[];
  /** The messages after the first answer. */
  readonly turns?: readonly PageTurn[];
  readonly trials: readonly PageTrial[];
  readonly baseline?: PageAnswer;
}

interface PageMessage {
  readonly role: string;
  readonly content: PageText;
  readonly attach?: readonly string[];
}

interface PageTurn {
  readonly role: 'user' | 'tool';
  readonly name?: string;
  readonly content: PageText;
}

export interface PageAnswer {
  readonly status: CaseStatus;
  readonly output?: PageText;
  /** Absent if `steps` has the calls. */
  readonly toolCalls?: readonly PageToolCall[];
  readonly steps?: readonly PageStep[];
  /** The final state of the case's tools, as JSON. */
  readonly state?: PageText;
  readonly reason?: PageText;
}

export interface PageToolCall {
  readonly name: string;
  readonly id?: string;
  /** The arguments as the model wrote them. */
  readonly arguments: PageText;
}

/** An answer of an agent, with its calls and their results. */
export interface PageStep {
  readonly text?: PageText;
  readonly calls: readonly PageStepCall[];
  readonly latencyMs?: number;
  readonly usage?: Usage;
}

export interface PageStepCall extends PageToolCall {
  /** Absent for a call that ended the cell. */
  readonly result?: { readonly content: PageText; readonly isError?: true; readonly latencyMs?: number };
}

/** The differences between an agent's steps and the baseline's. */
export interface PagePath {
  /** Sentences, the most important first; empty if both took the same path. */
  readonly differences: readonly string[];
  /** Places of calls that the other side does not make, or makes differently. */
  readonly before: readonly PageCallPlace[];
  readonly now: readonly PageCallPlace[];
}

export type PageCallPlace = readonly [step: number, call: number];

export interface PageTrial {
  readonly index: number;
  readonly status: CellStatus;
  readonly confirmation?: true;
  readonly score?: number;
  readonly output?: PageText;
  readonly reasoning?: PageText;
  readonly refusal?: PageText;
  /** Absent if `steps` has the calls. */
  readonly toolCalls?: readonly PageToolCall[];
  readonly steps?: readonly PageStep[];
  /** Against the baseline's steps, if there are any. */
  readonly path?: PagePath;
  /** The final state of the case's tools, as JSON. */
  readonly state?: PageText;
  readonly finishReason?: FinishReason;
  readonly model?: string;
  readonly checks: readonly PageCheck[];
  readonly latencyMs?: number;
  readonly firstTokenMs?: number;
  readonly costUsd?: number | null;
  readonly usage?: Usage;
  readonly cached: boolean;
  readonly attempts: number;
  /** The answers before the last one, if it was a conversation. */
  readonly earlier?: readonly PageText[];
  readonly error?: {
    readonly kind: string;
    readonly message: PageText;
    readonly status?: number;
    readonly attempts: number;
  };
  readonly skip?: string;
}

export interface PageCheck extends Omit<RecordedCheck, 'reason' | 'error' | 'diff' | 'judgement'> {
  readonly reason: PageText;
  readonly error?: PageText;
  readonly diff?: { readonly expected: PageText; readonly found: PageText };
  readonly judge?: { readonly id: string; readonly model?: string; readonly votes: number; readonly agreement: number };
}
