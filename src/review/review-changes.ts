import { createFindAccepted, openBaselines } from '../baseline/find-baselines.ts';
import { spell } from '../json/canonical-json.ts';
import type { ReportStyle } from '../model/report/report.ts';
import type { ToolCall } from '../model/run/completion.ts';
import type { CellRow } from '../model/run/record.ts';
import type { CaseSummary, VariantSummary } from '../model/run/summary.ts';
import type { Case, Project, Suite } from '../model/suite/suite.ts';
import { buildCasePredicate, casesOf, emptySelection, refuseSlowFilters } from '../plan/select-cases.ts';
import { findStoredRun } from '../project/stored-runs.ts';
import { openStoredRecord, type StoredRecord } from '../record/read-run-record.ts';
import { createPaint } from '../reports/paint.ts';
import { renderDiff } from '../reports/render-diff.ts';
import { shortenToWidth } from '../terminal/display-width.ts';
import { sanitizeTerminal, toSafeLine } from '../text/sanitize.ts';
import { clipText } from '../text/shorten.ts';

export interface ReviewOptions {
  readonly project: Project;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A run's id or a record file; the latest where undefined. */
  readonly run?: string;
  /** Globs over `suite/case`, as `run --filter` has them. */
  readonly filters: readonly string[];
}

/** An answer that differs from the accepted one, or that failed and differs from the golden one. */
export interface AnswerChange {
  readonly suite: Suite;
  readonly testCase: Case;
  readonly prompt: string;
  readonly provider: string;
  readonly row: CellRow;
  /** The whole case on its variant, as the run has it. */
  readonly summary: CaseSummary;
  readonly variant: VariantSummary;
  /** The text that it is compared with, and where that is stored. */
  readonly before: { readonly from: 'baseline' | 'expected'; readonly text: string } | undefined;
  readonly after: string;
}

export interface Review {
  readonly record: StoredRecord;
  readonly changes: readonly AnswerChange[];
}

/** The changed answers of a stored run, in the order of the suites and their cases. */
export function findChanges(options: ReviewOptions): Review {
  const { project, cwd, env, run, filters } = options;
  const record = openStoredRecord(findStoredRun(project, run, cwd).path, cwd);
  const findAccepted = createFindAccepted(project.suites, openBaselines('auto', { root: project.root, cwd, env }));
  refuseSlowFilters(filters, casesOf(project.suites));
  const isWanted = buildCasePredicate(project.suites, { ...emptySelection, filters });
  const changes: AnswerChange[] = [];
  for (const suite of project.suites) {
    const recorded = record.summary.suites.find((other) => other.recorded.suite === suite.id);
    for (const variant of recorded?.variants ?? []) {
      if (variant.replacedBy !== undefined || variant.recorded.baselineOf !== undefined) continue;
      for (const testCase of suite.cases()) {
        const summary = variant.cases.get(testCase.id);
        // Includes answers without a verdict, since a snapshot without an accepted answer can't be judged.
        const first = summary?.trials.find(({ answerHash }) => answerHash !== undefined);
        if (summary === undefined || first === undefined || !isWanted(suite, testCase)) continue;
        const row = record.readRow(first.rowIndex);
        const { prompt, provider } = variant.recorded;
        const accepted = findAccepted({ suite: suite.id, prompt, provider, caseId: testCase.id, trial: row.trial });
        const before =
          accepted === undefined ? expectedOf(testCase) : { from: 'baseline' as const, text: textOf(accepted) };
        const after = textOf({ text: row.output ?? '', toolCalls: row.toolCalls ?? [] });
        const isSame = before?.text === after;
        // Without an accepted answer, a case that passes counts as unchanged.
        // A case under observe that has an answer waits to be promoted, whatever was answered.
        const isUnchanged = accepted === undefined ? row.status === 'passed' : isSame;
        if (isUnchanged && !isPromotable(testCase)) continue;
        changes.push({ suite, testCase, prompt, provider, row, summary, variant, before, after });
      }
    }
  }
  return { record, changes };
}

/** True for a case with an answer that judges nothing yet, as `import otel` writes it. */
export function isPromotable({ observe, expected }: Case): boolean {
  return observe && expected !== undefined;
}

function expectedOf({ expected }: Case): AnswerChange['before'] {
  if (expected === undefined) return undefined;
  return { from: 'expected', text: spell(expected) };
}

/** The answer as one text, with its tool calls below. */
function textOf({ text, toolCalls }: { readonly text: string; readonly toolCalls: readonly ToolCall[] }): string {
  const calls = toolCalls.map(({ name, rawArguments }) => `${name}(${rawArguments})`);
  return [...(text === '' && calls.length > 0 ? [] : [text]), ...calls].join('\n');
}

export interface ChangeStyle extends ReportStyle {
  /** `3 of 10`; empty in a list that asks nothing. */
  readonly position: string;
  /** Words and whole answers in place of signs and colours, for a screen reader. */
  readonly isPlain: boolean;
}

/** `3 of 10`, `suite/case`, the variant, the place of the case, its question, and the old and the new answer. */
export function describeChange(change: AnswerChange, style: ChangeStyle): readonly string[] {
  const { colors, width } = createPaint(style);
  const { suite, testCase, prompt, provider, row, before, after } = change;
  const place = `${testCase.at.file}:${testCase.at.line}`;
  const against = before === undefined ? 'nothing is accepted yet' : `- ${before.from}  + this run`;
  const position = style.position === '' ? '' : `${style.position}  `;
  const title = toSafeLine(`${suite.id}/${testCase.id} · ${prompt} × ${provider}`);
  const input = describeInput(row, width);
  if (style.isPlain) return [`${position}${title}`, ...describePlainly(change, input)];
  return [
    `${position === '' ? '' : colors.dim(position)}${colors.bold(title)}`,
    `  ${row.status} (${toSafeLine(place)}); ${against}`,
    ...(input === '' ? [] : [`  ${colors.dim('asked')}  ${input}`]),
    ...renderDiff({ expected: before?.text ?? '', found: after }, { colors, width: width - 2, maxLines: 40 }).map(
      (line) => `  ${line}`,
    ),
  ];
}

function describePlainly({ testCase, row, before, after }: AnswerChange, input: string): readonly string[] {
  const show = (text: string) => sanitizeTerminal(text === '' ? '(empty)' : text, { keepNewlines: true });
  const old =
    before === undefined ? 'Nothing is accepted yet.' : `Old answer, from the ${before.from}: ${show(before.text)}`;
  return [
    `Status: ${row.status}. Place: ${toSafeLine(testCase.at.file)} line ${testCase.at.line}.`,
    ...(input === '' ? [] : [`Asked: ${input}`]),
    old,
    `New answer: ${show(after)}`,
  ];
}

/** The last paragraph of the case's question, on one line. */
function describeInput({ asked }: CellRow, width: number): string {
  const question = [...(asked?.messages ?? []), ...(asked?.turns ?? [])].findLast(({ role }) => role === 'user');
  const paragraph =
    question?.content
      .trim()
      .split(/\n\s*\n/)
      .at(-1) ?? '';
  return shortenToWidth(toSafeLine(clipText(paragraph, maxInputUnits).replace(/\s+/g, ' ')), width - 10);
}

const maxInputUnits = 4000;

/** The changes that match one of the globs, as in `run --filter`. */
export function matchChanges(changes: readonly AnswerChange[], globs: readonly string[]): ReadonlySet<AnswerChange> {
  if (globs.length === 0) return new Set();
  refuseSlowFilters(globs, changes);
  const isWanted = buildCasePredicate([], { ...emptySelection, filters: globs });
  return new Set(changes.filter(({ suite, testCase }) => isWanted(suite, testCase)));
}
