import { defined } from '../../json/defined.ts';
import type { DecisionOutcome } from '../../model/comparison/gate.ts';
import type { Report, SuiteReport } from '../../model/report/report.ts';
import { formatDuration } from '../../text/format-amount.ts';
import { type SuiteSurvey, surveyCases } from '../cases/failed-cases.ts';
import { listLoosened } from '../cases/loosened-cases.ts';
import { describeBareLimit, findUncompared } from '../comparison.ts';
import { describeVerdict, joinVerdict, needsReview, outcomeWord } from '../headline.ts';
import { locateReport, type Reporter, type ReportHeading } from '../reporter.ts';
import {
  describeAge,
  describeCounts,
  describeSpending,
  findLimitEntries,
  listRemarks,
  type Remark,
  warningsElsewhere,
} from '../run-facts.ts';
import { answerSection, caseTable, erroredSection, toleratedLines, variantsOf } from './cases.ts';
import { contractSections } from './contracts.ts';
import {
  closeDetails,
  codeList,
  codeSpan,
  escapeAmount,
  fitSections,
  openDetails,
  proseOrCode,
  type Section,
} from './text.ts';
import { classSection, erosionSections, metricTable, promptSection, sliceSection, swapSections } from './variants.ts';

/** GitHub refuses a comment of more than 65,536 characters, and publishing adds a few lines. */
const commentChars = 64_500;

export const markdown: Reporter = {
  summary: 'a job summary or a comment on a pull request: the verdict, what broke, the metrics',
  extension: 'md',
  locate: locateReport,
  render: (report, { pageUrl, heading }) => renderMarkdown(report, defined({ pageUrl, heading })),
};

/** Omits and counts details that do not fit. The verdict always fits. */
export function* renderMarkdown(
  report: Report,
  {
    maxChars = commentChars,
    pageUrl,
    heading,
  }: { readonly maxChars?: number; readonly pageUrl?: string; readonly heading?: ReportHeading } = {},
): Iterable<string> {
  const surveys = surveyCases(report, { maxEntries: maxRows, maxNames: 5, maxGroups: 10 });
  const failed = surveys.flatMap((survey) => survey.failed);
  const head = renderHead(report, heading);
  const foot = `${describeRun(report)}\n`;
  const sections = [
    loosenedSection(report),
    ...swapSections(report),
    caseTable(report, surveys, pageUrl),
    limitSection(report),
    promptSection(report),
    ...erosionSections(report),
    ...contractSections(report),
    erroredSection(surveys),
    remarkSection(report, surveys),
    answerSection(failed),
    classSection(report),
    ...numberSections(report),
  ];
  yield head;
  const { text, leftOut } = fitSections(sections, maxChars - head.length - foot.length - leftOutChars);
  yield text;
  if (leftOut.length > 0) {
    yield `**Left out for length:** ${leftOut.join(', ')}. The \`json\` report has everything.\n\n`;
  }
  yield foot;
}

/** The verdict as a heading. A verdict that needs a reviewer's approval has its own icon. */
function renderHead(report: Report, heading: ReportHeading = {}): string {
  const { decision } = report;
  const own = describeVerdict(report, {
    name: (name) => codeSpan(name, 60),
    sentence: (text) => proseOrCode(text, remarkColumns),
  });
  const {
    mark = needsReview(report) ? '🟡' : marks[decision.outcome],
    name = 'llmcheck',
    word = outcomeWord(report).toUpperCase(),
    sentence = own,
    exitCode = report.exitCode,
    end = '',
  } = heading;
  return `### ${mark} ${name} ${joinVerdict(report, word, sentence)} (exit code ${exitCode})${end}\n\n`;
}

/** A comment on a pull request must be short. */
const maxRows = 10;
const remarkColumns = 400;
/** Room for the sentence that counts the omitted details. */
const leftOutChars = 600;

const marks: Readonly<Record<DecisionOutcome, string>> = {
  passed: '✅',
  failed: '❌',
  inconclusive: '⚠️',
  incomplete: '⛔',
};

/** Cases that pass under edited checks alone, with both checks. */
function loosenedSection(report: Report): Section {
  const { entries, hidden } = listLoosened(report, (text) => codeSpan(text, 160));
  const lines = entries.map(({ place, change, reason }) => {
    return `- ${place}: ${change}${reason === undefined ? '' : `; under the accepted checks: ${reason}`}\n`;
  });
  const items = lines.map((line) => () => line);
  const more = hidden === 0 ? '' : `\n… and ${hidden} more: the \`json\` report lists them all.\n`;
  return { head: '**Loosened checks**\n\n', items, tail: `${more}\n`, noun: 'loosened checks' };
}

/** Gate failures that do not belong to a single case. */
function limitSection(report: Report): Section {
  const entries = findLimitEntries(report);
  const items = entries.map(
    ({ message }) =>
      () =>
        `- ${proseOrCode(message, remarkColumns)}\n`,
  );
  const head = report.decision.outcome === 'failed' ? '**Limits broken**\n\n' : '**Why there is no verdict**\n\n';
  return { head, items, tail: '\n', noun: 'broken limits' };
}

/** Warnings, notes, advice on inconclusive comparisons, and tolerated cases. */
function remarkSection(report: Report, surveys: readonly SuiteSurvey[]): Section {
  const remarks = report.suites.flatMap((suite) => {
    const { variants } = report.run.baseline === 'none' ? { variants: [] } : findUncompared(suite);
    const missing = variants.length === 0 ? [] : [missingBaseline(suite)];
    const isOneSuite = report.suites.length === 1;
    const place = isOneSuite ? '' : `${codeSpan(suite.suite, 80)}: `;
    return [
      ...listRemarks(report, suite, { isVerbose: false }).map((remark) => `${place}${renderRemark(remark, suite)}`),
      ...missing,
    ];
  });
  const all = [
    ...warningsElsewhere(report).map((text) => `⚠️ ${proseOrCode(text, remarkColumns)}`),
    ...remarks,
    ...report.notes.map((text) => `note: ${proseOrCode(text, remarkColumns)}`),
  ];
  const items = [...surveys.flatMap(toleratedLines), ...all.map((text) => `- ${text}\n`)].map((text) => () => text);
  return { head: '', items, tail: '\n', noun: 'remarks' };
}

function renderRemark({ label, variants, text, caseNames = [], isAdvice }: Remark, suite: SuiteReport): string {
  const where = variantsOf(suite, variants);
  const title = isAdvice === true ? `**${label}**` : label === 'warning' ? '⚠️' : label;
  if (text !== undefined) return `${title}${where}: ${proseOrCode(text, remarkColumns)}`;
  return `${title} (${caseNames.length})${where}: ${codeList(caseNames.slice(0, maxNames), caseNames.length, 120)}`;
}

const maxNames = 20;

function missingBaseline(suite: SuiteReport): string {
  return `${codeSpan(suite.suite, 80)}: no baseline yet: what is not compared ${describeBareLimit(suite)}; \`llmcheck baseline accept\` makes one`;
}

/** The figures in a folded block; omitted if nothing has changed. */
function numberSections(report: Report): readonly Section[] {
  const { decision } = report;
  if (decision.outcome === 'passed' && decision.certainty?.kind === 'unchanged') return [];
  const table = metricTable(report);
  const folded = { ...table, head: `${openDetails('Numbers')}${table.head}`, tail: closeDetails };
  return [folded, sliceSection(report)];
}

function describeRun(report: Report): string {
  const { run, tool } = report;
  return [
    describeCounts(report),
    escapeAmount(describeSpending(report)),
    formatDuration(run.durationMs),
    ...describeAge(report),
    `run ${codeSpan(run.id, 80)}, ${tool.name} ${codeSpan(tool.version, 40)}`,
  ].join(' · ');
}
