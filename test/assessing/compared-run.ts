import { asBaseline, openBaselineText } from '../../src/baseline/open-baseline.ts';
import { renderBaseline } from '../../src/baseline/write-baseline.ts';
import type { BaselineCase, SuiteBaseline } from '../../src/model/comparison/baseline.ts';
import type { RecordedSuite, RecordedVariant, RunHeader, RunSettings } from '../../src/model/run/record.ts';
import type { RowSummary } from '../../src/model/run/summary.ts';
import type { StoredRecord } from '../../src/record/read-run-record.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import { buildRow } from '../record/build-rows.ts';
import { contentOf } from '../support/baseline-rows.ts';
import { buildHeader, buildRecordedSuite, buildVariant, end, rowsOf, settings } from '../support/build-summary.ts';

export interface Ran {
  readonly variants?: readonly Partial<RecordedVariant>[];
  /** Outcomes by variant, as in `rowsOf`; two passed cases where nothing is said. */
  readonly outcomes?: Readonly<Record<string, string>>;
  readonly row?: (row: RowSummary) => Partial<RowSummary>;
  readonly suite?: Partial<RecordedSuite>;
  readonly settings?: Partial<RunSettings>;
  readonly header?: Partial<RunHeader>;
  readonly stopReason?: 'budget' | 'decided';
  readonly failedCheck?: string;
}

export function recordOf(ran: Ran = {}): StoredRecord {
  const { variants = [{}], outcomes = {}, row = () => ({}), stopReason, failedCheck = 'equals' } = ran;
  const built = variants.map((one) => buildVariant(2, one));
  const rows = built
    .filter(({ planned }) => planned > 0)
    .flatMap(({ prompt, provider }) =>
      rowsOf(outcomes[`${prompt} ${provider}`] ?? 'p p', { prompt, provider }).map((one) => ({ ...one, ...row(one) })),
    )
    .map((one, rowIndex) => ({ ...one, rowIndex }));
  const header: RunHeader = {
    ...buildHeader([buildRecordedSuite(built, {}, ran.suite)]),
    settings: { ...settings, ...ran.settings },
    ...ran.header,
  };
  const ending = stopReason === undefined ? end : { ...end, stopReason };
  return {
    path: 'run',
    shownPath: 'run',
    header,
    end: ending,
    summary: summarizeRun(header, rows, ending),
    warnings: [],
    sides: undefined,
    checksOf: () => undefined,
    judged: [],
    readRow(rowIndex) {
      const pass = rows[rowIndex]?.status === 'passed';
      return buildRow('x', { checks: [{ assertion: failedCheck, pass, score: 0, reason: 'why' }] });
    },
  };
}

interface Accepted {
  readonly variants?: readonly Partial<RecordedVariant>[];
  readonly cases?: readonly Partial<BaselineCase>[];
}

export function baselineOf({ variants = [{}], cases = [{ caseId: 'case-0' }, { caseId: 'case-1' }] }: Accepted = {}) {
  const content = contentOf({
    suite: 'triage',
    variants: variants.map((one) => {
      const { planned: _planned, observed: _observed, acceptedPrompt: _state, ...rest } = buildVariant(1, one);
      return { type: 'variant', ...rest, models: [] };
    }),
    cases: cases.map((one) => ({
      type: 'case',
      prompt: 'v1',
      provider: 'p',
      caseId: 'case-0',
      caseHash: 'caseHash',
      trials: [{ trial: 0, status: 'passed', score: 1, checks: [], answerHash: 'h' }],
      ...one,
    })),
  });
  return openBaselineText([...renderBaseline(content)].join(''), 'file');
}

export const fileOf = (accepted?: Accepted, more: object = {}): SuiteBaseline => ({
  source: 'file',
  baseline: baselineOf(accepted),
  ...more,
});

export function recordBaseline(ran: Ran, more: object = {}): SuiteBaseline | undefined {
  const record = recordOf(ran);
  const [suite] = record.summary.suites;
  return suite && { source: 'run', baseline: asBaseline(suite, record), ...more };
}
