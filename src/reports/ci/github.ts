import { defined } from '../../json/defined.ts';
import type { Report } from '../../model/report.ts';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { formatCount } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { explainCase } from '../cases/explain-case.ts';
import { type CaseRank, rankWord } from '../cases/gate-effect.ts';
import { countHidden, type RankedCase, type SuiteSurvey, surveyCases } from '../cases/survey-cases.ts';
import { describeComparison, describeMetrics } from '../comparison.ts';
import { headlineOf } from '../headline.ts';
import type { Reporter } from '../reporter.ts';
import { describeCounts, findGateEntries, warningsBesideContracts } from '../run-facts.ts';
import { type Annotation, annotateContracts, maxAnnotations, renderCommand } from './annotations.ts';

export const github: Reporter = {
  summary: 'annotations of GitHub Actions at the line of each case that broke',
  extension: 'txt',
  render: renderGithub,
};

function* renderGithub(report: Report): Iterable<string> {
  // Errors and warnings are both chosen from these.
  const surveys = surveyCases(report, { maxCases: 2 * maxAnnotations, maxNames: 1, maxGroups: maxAnnotations });
  const worst = surveys.flatMap((survey) => survey.worst);
  const failures = worst.filter(({ effect }) => effect.kind === 'failure');
  const ranked = (ranks: readonly CaseRank[]): Annotation[] =>
    ranks.flatMap((rank) =>
      failures.filter((found) => found.rank === rank).map((found) => annotateCase(found, 'error')),
    );
  const isErrored = report.decision.breaches.some(({ code }) => code === 'errors-exceeded');
  const errored = surveys.flatMap((survey) => annotateErrored(survey, isErrored ? 'error' : 'warning'));
  const contracts = annotateContracts(report.contracts ?? []);
  const errors = [
    ...contracts.filter(({ level }) => level === 'error'),
    ...ranked(['regressed', 'broken', 'new']),
    ...annotateGate(report),
    ...ranked(['failing', 'flaky']),
    ...(isErrored ? errored : []),
  ];
  const warnings = [
    ...annotateComparisons(report),
    ...worst
      .filter(({ effect, rank }) => effect.kind === 'tolerated' && rank !== 'tolerated')
      .map((found) => annotateCase(found, 'warning')),
    ...(isErrored ? [] : errored),
    ...contracts.filter(({ level }) => level === 'warning'),
    ...warningsBesideContracts(report).map((message) => ({ level: 'warning' as const, title: 'llmcheck', message })),
  ];
  for (const annotation of errors.slice(0, maxAnnotations)) yield renderCommand(annotation);
  for (const annotation of warnings.slice(0, maxAnnotations)) yield renderCommand(annotation);
  const hidden = surveys.flatMap(countHidden).reduce((total, [, count]) => total + count, 0);
  yield renderCommand(annotateRest(report, errors.length + warnings.length + hidden, errors.length, warnings.length));
}

/** The last line: the headline, and how much is not annotated. */
function annotateRest(report: Report, total: number, errors: number, warnings: number): Annotation {
  const shown = Math.min(errors, maxAnnotations) + Math.min(warnings, maxAnnotations);
  const left = total - shown;
  const more =
    left > 0 ? `\n${formatCount(left, 'more problem')} not annotated: llmcheck report ${report.run.id} --verbose` : '';
  const message = `${headlineOf(report)}\n${describeCounts(report)}${more}`;
  return { level: 'notice', title: 'llmcheck', message };
}

function annotateCase({ suite, entry, rank }: RankedCase, level: 'error' | 'warning'): Annotation {
  const { trials, reasons, answer, before } = explainCase(entry);
  const word = rankWord(entry, rank) || 'failed';
  const lines = [
    ...(trials === '' ? [] : [trials]),
    ...reasons.slice(0, maxReasons).map(({ label, reason }) => `${label}: ${shortenAnswer(reason)}`),
    ...(before === undefined ? [] : [`on the baseline: ${shortenAnswer(before)}`]),
    ...(answer === undefined ? [] : [`${before === undefined ? 'answer' : 'now'}: ${shortenAnswer(answer)}`]),
  ];
  const title = `${entry.caseId}: ${word} (${suite.suite} · ${entry.prompt} × ${entry.provider})`;
  return { level, title, message: lines.join('\n'), at: entry.at };
}

/** What fails the gate besides single cases, at the first line of its suite. */
function annotateGate(report: Report): Annotation[] {
  return findGateEntries(report).map(({ name, message, breach }) => {
    const path = report.suites.find(({ suite }) => suite === breach?.suite)?.path;
    return {
      level: 'error',
      title: name,
      message,
      ...defined({ at: path ? { file: path, line: 1 } : undefined }),
    };
  });
}

function annotateErrored({ errored }: SuiteSurvey, level: 'error' | 'warning'): Annotation[] {
  return errored.map(({ reason, cases, count }) => {
    const [first] = cases;
    const title = `${formatCount(count, 'case')} could not be judged`;
    return { level, title, message: reason, ...defined({ at: first?.at }) };
  });
}

/** An inconclusive comparison is a warning: a green check alone would look like a proof. */
function annotateComparisons({ suites }: Report): Annotation[] {
  return suites.flatMap(({ suite, path, variants }) =>
    variants.flatMap(({ prompt, provider, comparison }): Annotation[] => {
      if (comparison?.outcome !== 'inconclusive') return [];
      const lines = [
        describeComparison(comparison),
        ...describeMetrics(comparison).map(({ label, text }) => `${label} ${text}`),
        ...comparison.advice.map(shortenAnswer),
      ];
      return [
        {
          level: 'warning',
          title: `inconclusive (${suite} · ${prompt} × ${provider})`,
          message: lines.join('\n'),
          ...defined({ at: path === '' ? undefined : { file: path, line: 1 } }),
        },
      ];
    }),
  );
}

const maxReasons = 3;
const maxAnswerColumns = 400;

function shortenAnswer(text: string): string {
  return text === '' ? '(empty)' : shortenToWidth(toSafeLine(text), maxAnswerColumns);
}
