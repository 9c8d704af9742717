import type { DecisionOutcome } from '../model/gate.ts';
import type { Report, SuiteReport } from '../model/report.ts';
import { formatDuration } from '../text/format-amount.ts';
import { warningsBesideContracts } from './beside-contracts.ts';
import { contractSections } from './contract-markdown.ts';
import { defineReporter } from './define.ts';
import {
  describeBareLimit,
  describeBreach,
  describeCounts,
  describeSpending,
  findUncompared,
  notesBesideWarnings,
  shoutDecision,
} from './describe-decision.ts';
import { findGateEntries } from './find-gate-entries.ts';
import { fitSections, type Section } from './fit-sections.ts';
import { answerSection, caseTable, erroredSection, otherCasesSection, summarizeCases } from './markdown-cases.ts';
import { metricTable, promptSection, residueSection } from './markdown-comparison.ts';
import { codeSpan, escapeAmount, proseOrCode } from './markdown-text.ts';
import { surveyCases } from './survey-cases.ts';

/** GitHub refuses a comment of more than 65,536 characters; what publishes it adds a few lines of its own. */
const commentChars = 64_500;

export const markdown = defineReporter({
  summary: 'a job summary or a comment on a pull request: the verdict, what broke, the metrics',
  extension: 'md',
  render: (report) => renderMarkdown(report),
});

/** Detail is dropped where it does not fit, the verdict never; what was dropped is said. */
export function* renderMarkdown(report: Report, { maxChars = commentChars } = {}): Iterable<string> {
  const surveys = surveyCases(report, { maxCases: maxRows, maxNames: 5, maxGroups: 10 });
  const worst = surveys.flatMap((survey) => survey.worst);
  const head = `## ${marks[report.decision.outcome]} llmcheck ${shoutDecision(report)} (exit code ${report.exitCode})\n\n`;
  const foot = `${describeRun(report)}\n`;
  const sections = [
    paragraph(summarizeCases(report, surveys)),
    caseTable(report, surveys),
    breachSection(report),
    ...contractSections(report),
    erroredSection(surveys),
    metricTable(report),
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
const maxRemarks = 20;
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

/** What would settle an open verdict, warnings, and whatever else has to be known. */
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
  const shown = accepted.slice(0, maxRemarks).map((text) => codeSpan(text, 120));
  const more = accepted.length > shown.length ? ` and ${accepted.length - shown.length} more` : '';
  return [`**accepted in this change** (${accepted.length}): ${place}: ${shown.join(', ')}${more}`];
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
