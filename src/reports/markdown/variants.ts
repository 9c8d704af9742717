import type { PageClasses } from '../../model/report/page.ts';
import type { Report, SuiteReport, VariantReport } from '../../model/report/report.ts';
import { formatPercent, formatPoints } from '../../text/format-amount.ts';
import { describeClasses, noneOfThem } from '../classes.ts';
import {
  describeMetrics,
  describeRatio,
  describeRunSince,
  describeSlices,
  formatCost,
  formatLatency,
  formatRate,
  listErosion,
  listPromptChanges,
  type MetricText,
  maxRunsSince,
} from '../comparison.ts';
import {
  codeCell,
  codeList,
  codeSpan,
  details,
  diffBlock,
  escapeAmount,
  proseOrCode,
  type Section,
  tableHead,
  tableRow,
} from './text.ts';

/** One row for each variant: its results, and each metric against the baseline with its interval. */
export function metricTable({ suites }: Report): Section {
  const rows = suites.flatMap((suite) => suite.variants.map((variant) => ({ suite, variant })));
  const changes = rows.map(({ variant: { comparison } }) =>
    comparison === undefined ? [] : describeMetrics(comparison),
  );
  const columns = metricColumns.filter(({ key }) =>
    changes.some((texts) => texts.some(({ key: own, change }) => own === key && change !== undefined)),
  );
  const isCompared = rows.some(({ variant }) => variant.comparison !== undefined);
  const isStreamed = rows.some(({ variant }) => variant.firstTokenMs !== undefined);
  const titles = [
    'variant',
    ...(isCompared ? ['against the baseline'] : []),
    ...columns.map(({ title }) => title),
    'passed',
    'pass rate',
    'cost',
    'p50 / p95',
    ...(isStreamed ? ['first token p50 / p95'] : []),
  ];
  const items = rows.map(({ suite, variant }, index) => {
    const texts = changes[index] ?? [];
    const cells = [
      variantCell(suite, variant, suites.length > 1),
      ...(isCompared ? [outcomeCell(variant)] : []),
      ...columns.map(({ key }) => texts.find((text) => text.key === key)?.change ?? '–'),
      `${variant.passed} of ${variant.planned}`,
      formatRate(variant.passRate),
      escapeAmount(formatCost(variant.costUsd)),
      `${formatLatency(variant.latencyMs.p50)} / ${formatLatency(variant.latencyMs.p95)}`,
      ...(isStreamed ? [firstTokenCell(variant)] : []),
    ];
    return () => tableRow(cells);
  });
  return { head: tableHead(titles), items, tail: '\n', noun: 'variants' };
}

function firstTokenCell({ firstTokenMs }: VariantReport): string {
  return firstTokenMs === undefined ? '–' : `${formatLatency(firstTokenMs.p50)} / ${formatLatency(firstTokenMs.p95)}`;
}

/** The gated slices of each variant. */
export function sliceSection({ suites }: Report): Section {
  const items = suites.flatMap((suite) =>
    suite.variants.flatMap((variant) => {
      const place = codeSpan(`${suite.suite} · ${variant.prompt} × ${variant.provider}`, 100);
      return describeSlices(variant).map(
        ({ slice, text }) =>
          () =>
            `- ${place}: slice ${codeSpan(slice, 60)}: ${text}\n`,
      );
    }),
  );
  return { head: '', items, tail: '\n', noun: 'slices' };
}

/** The difference of each prompt from the baseline's, once for all providers. A single short one is not folded. */
export function promptSection({ suites }: Report): Section {
  const items = suites.flatMap((suite) =>
    listPromptChanges(suite).map(({ name, ...sides }) => ({
      place: `${suite.suite} · ${name}`,
      block: diffBlock(sides),
    })),
  );
  const [first] = items;
  const isOpen = items.length === 1 && first !== undefined && first.block.split('\n').length <= maxOpenLines;
  return {
    head: '',
    items: items.map(({ place, block }) => () => {
      return isOpen ? `Prompt ${codeSpan(place, 100)}\n\n${block}\n` : details('Prompt', place, block);
    }),
    tail: '',
    noun: 'prompt differences',
  };
}

const maxOpenLines = 12;

const metricColumns: readonly { readonly key: MetricText['key']; readonly title: string }[] = [
  { key: 'passRate', title: 'Δ pass rate' },
  { key: 'score', title: 'Δ score' },
  { key: 'costUsd', title: 'Δ cost' },
  { key: 'steps', title: 'Δ steps' },
  { key: 'latencyMs', title: 'Δ latency' },
];

function variantCell(suite: SuiteReport, { prompt, provider }: VariantReport, isOneOfMany: boolean): string {
  return `${isOneOfMany ? `${codeCell(suite.suite, 60)}<br>` : ''}${codeCell(`${prompt} × ${provider}`, 80)}`;
}

const certaintyCells = { unchanged: '✅ unchanged', certain: '✅ not regressed', unseen: '✅ no case broke' } as const;

function outcomeCell({ comparison, replacedBy }: VariantReport): string {
  if (replacedBy !== undefined) return `replaced by ${codeCell(replacedBy, 40)}`;
  if (comparison === undefined) return 'no baseline';
  switch (comparison.outcome) {
    case 'passed':
      if (comparison.isFirst === true) return '✅ first baseline';
      return comparison.accepted.length > 0 ? '✅ accepted in this change' : certaintyCells[comparison.certainty.kind];
    case 'failed':
      return '❌ **regressed**';
    case 'inconclusive':
      return '⚠️ **inconclusive**';
  }
}

/** For each variant macro F1, moved answers, the scores of each class, and the confusion matrix. */
export function classSection({ suites }: Report): Section {
  const items = suites.flatMap((suite) =>
    suite.variants.flatMap((variant) => {
      const classes = describeClasses(variant);
      if (classes === undefined) return [];
      const place = codeSpan(`${suite.suite} · ${variant.prompt} × ${variant.provider}`, 100);
      return [() => renderClasses(place, classes)];
    }),
  );
  return { head: '', items, tail: '', noun: 'confusion matrices' };
}

function renderClasses(place: string, { macroF1, moved, scores, matrix, others }: PageClasses): string {
  const lines = [
    `- ${place}: macro F1 ${macroF1}`,
    ...moved.map(({ truth, found, change, entered }) => {
      const names = entered.length === 0 ? '' : ` (${codeList(entered, entered.length, 60)})`;
      return `  - moved: ${codeSpan(truth, 40)} found as ${nameFound(found)} ${change}${names}`;
    }),
    ...(others.length === 0
      ? []
      : [
          `  - answers of none of the classes: ${others
            .map(
              ({ found, answers }) => `${found === undefined ? 'no class at all' : codeSpan(found, 40)} × ${answers}`,
            )
            .join(', ')}`,
        ]),
  ];
  const rows = scores
    .slice(0, maxScores)
    .map((score) =>
      tableRow([codeCell(score.class, 40), String(score.cases), score.recall, score.precision, score.f1]),
    );
  const table = `${tableHead(['class', 'cases', 'recall', 'precision', 'F1'])}${rows.join('')}`;
  return `${lines.join('\n')}\n\n${table}\n${matrix === undefined ? '' : renderMatrix(matrix)}`;
}

function renderMatrix({ names, rows }: NonNullable<PageClasses['matrix']>): string {
  const head = tableHead(['class ↓ found →', ...names.map((name) => codeCell(name, 24)), noneOfThem]);
  return `${head}${rows.map(({ truth, counts }) => tableRow([codeCell(truth, 40), ...counts])).join('')}\n`;
}

function nameFound(found: string | undefined): string {
  return found === undefined ? noneOfThem : codeSpan(found, 40);
}

const maxScores = 30;

const nameColumns = 100;

/** The runs since the pin of each variant that fell below its pinned reference. */
export function erosionSections(report: Report): readonly Section[] {
  return report.suites.flatMap(({ suite }) =>
    listErosion(report, suite).map(({ prompt, provider, source, since }) => ({
      head: `### Erosion of ${codeSpan(`${suite} · ${prompt} × ${provider}`, nameColumns)} against ${codeSpan(source, nameColumns)}\n\n${tableHead(['date', 'pass rate', 'change', 'commit', 'run'])}`,
      items: since.slice(-maxRunsSince).map((run) => () => {
        const { date, rate, change, commit } = describeRunSince(run);
        return tableRow([
          date,
          rate,
          codeCell(change, nameColumns),
          codeCell(commit, nameColumns),
          codeCell(run.run, nameColumns),
        ]);
      }),
      tail: '\n',
      noun: 'runs since the pin',
    })),
  );
}

/** Candidates by suites, and which one to take. */
export function swapSections({ swaps = [] }: Report): readonly Section[] {
  return swaps.map(({ provider, conclusion, rows }) => ({
    head: `**${codeSpan(provider, 60)} and what could take its place:** ${proseOrCode(conclusion, 400)}\n\n${tableHead(heads)}`,
    items: rows.map(({ candidate, suite, prompt, verdict, broken, passRate, costUsd, latencyMs }) => () => {
      const isOfSeveral = rows.some((row) => row.suite === suite && row.prompt !== prompt);
      const { candidate: rate, delta } = passRate;
      return tableRow([
        codeCell(candidate, 40),
        codeCell(isOfSeveral ? `${suite} · ${prompt}` : suite, 30),
        broken.length === 0 ? verdict : `${verdict}, ${broken.length} broken`,
        rate === null || delta === null ? '–' : `${formatPercent(rate)}, ${formatPoints(delta)}`,
        describeRatio(costUsd) ?? 'unknown',
        describeRatio(latencyMs) ?? '–',
      ]);
    }),
    tail: '\n',
    noun: 'candidates',
  }));
}

const heads = ['candidate', 'suite', 'verdict', 'pass rate', 'cost', 'latency'];
