import type { DecisionOutcome } from '../../model/gate.ts';
import type { Report, SuiteReport } from '../../model/report.ts';
import { formatDuration } from '../../text/format-amount.ts';
import { surveyCases } from '../cases/survey-cases.ts';
import { describeBareLimit, findUncompared, notesBesideWarnings } from '../comparison.ts';
import { headlineOf } from '../headline.ts';
import type { Reporter } from '../reporter.ts';
import {
  describeBreach,
  describeCounts,
  describeSpending,
  findGateEntries,
  warningsBesideContracts,
} from '../run-facts.ts';
import { answerSection, caseTable, erroredSection, otherCasesSection, summarizeCases } from './cases.ts';
import { classSection } from './classes.ts';
import { contractSections } from './contracts.ts';
import { erosionSections } from './erosion.ts';
import { codeList, codeSpan, escapeAmount, fitSections, proseOrCode, type Section } from './text.ts';
import { metricTable, promptSection, residueSection, sliceSection } from './variants.ts';

/** GitHub refuses a comment of more than 65,536 characters, and publishing adds a few lines. */
const commentChars = 64_500;

export const markdown: Reporter = {
  summary: 'a job summary or a comment on a pull request: the verdict, what broke, the metrics',
  extension: 'md',
  render: (report) => renderMarkdown(report),
};

/** Details that do not fit are left out and named; the verdict always fits. */
export function* renderMarkdown(report: Report, { maxChars = commentChars } = {}): Iterable<string> {
  const surveys = surveyCases(report, { maxCases: maxRows, maxNames: 5, maxGroups: 10 });
  const worst = surveys.flatMap((survey) => survey.worst);
  const head = `## ${marks[report.decision.outcome]} llmcheck ${headlineOf(report)}\n\n`;
  const foot = `${describeRun(report)}\n`;
  const sections = [
    paragraph(summarizeCases(report, surveys)),
    caseTable(report, surveys),
    breachSection(report),
    ...erosionSections(report),
    ...contractSections(report),
    erroredSection(surveys),
    metricTable(report),
    sliceSection(report),
    classSection(report),
    remarkSection(report),
    promptSection(report),
    answerSection(worst),
    otherCasesSection(report, surveys),
    residueSection(report),
  ];
  yield head;
  const { text, leftOut } = fitSections(sections, maxChars - head.length - foot.length - leftOutChars);
  yield text;
  if (leftOut.length > 0) {
    yield `**Left out for length:** ${leftOut.join(', ')}. The \`json\` report has everything.\n\n`;
  }
  yield foot;
}

const maxRows = 30;
const maxAccepted = 20;
const remarkColumns = 400;
/** For the sentence that says what was left out. */
const leftOutChars = 600;

const marks: Readonly<Record<DecisionOutcome, string>> = {
  passed: '✅',
  failed: '❌',
  inconclusive: '⚠️',
  incomplete: '⛔',
};

function paragraph(text: string): Section {
  return { head: '', items: [() => `${text}\n`], tail: '\n', noun: 'counts' };
}

/** What fails the gate besides single cases. */
function breachSection(report: Report): Section {
  const items = findGateEntries(report).map(({ name, message, breach }) => {
    const code = codeSpan(breach?.code ?? name, 40);
    const text = breach === undefined ? message : describeBreach(breach);
    return () => `- ${code} ${proseOrCode(text, remarkColumns)}\n`;
  });
  return { head: '### The gate says no\n\n', items, tail: '\n', noun: 'broken thresholds' };
}

/** Warnings, notes, and what would settle an inconclusive comparison. */
function remarkSection(report: Report): Section {
  const remarks = report.suites.flatMap((suite) => {
    const { variants } = report.run.baseline === 'none' ? { variants: [] } : findUncompared(suite);
    const missing = variants.length === 0 ? [] : [missingBaseline(suite)];
    const compared = suite.variants.flatMap((variant) => {
      const { prompt, provider, comparison } = variant;
      if (comparison === undefined) return [];
      const place = codeSpan(`${suite.suite} · ${prompt} × ${provider}`, 100);
      const { advice, accepted } = comparison;
      const notes = notesBesideWarnings(report, suite, variant);
      return [
        ...advice.map((text) => `**to settle it**: ${place}: ${proseOrCode(text, remarkColumns)}`),
        ...listAccepted(place, accepted),
        ...notes.map((text) => `note: ${place}: ${proseOrCode(text, remarkColumns)}`),
      ];
    });
    return [...compared, ...missing];
  });
  const all = [
    ...warningsBesideContracts(report).map((text) => `⚠️ ${proseOrCode(text, remarkColumns)}`),
    ...remarks,
    ...report.notes.map((text) => `note: ${proseOrCode(text, remarkColumns)}`),
  ];
  return { head: '', items: all.map((text) => () => `- ${text}\n`), tail: '\n', noun: 'remarks' };
}

function missingBaseline(suite: SuiteReport): string {
  return `${codeSpan(suite.suite, 80)}: no baseline yet: what is not compared ${describeBareLimit(suite)}; \`llmcheck baseline accept\` makes one`;
}

function listAccepted(place: string, accepted: readonly string[]): string[] {
  if (accepted.length === 0) return [];
  const shown = codeList(accepted.slice(0, maxAccepted), accepted.length, 120);
  return [`**accepted in this change** (${accepted.length}): ${place}: ${shown}`];
}

function describeRun(report: Report): string {
  const { run, tool } = report;
  return [
    describeCounts(report),
    escapeAmount(describeSpending(report)),
    `took ${formatDuration(run.durationMs)}`,
    `run ${codeSpan(run.id, 80)}, ${tool.name} ${codeSpan(tool.version, 40)}`,
  ].join(' · ');
}
