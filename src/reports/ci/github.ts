import { defined } from '../../json/defined.ts';
import type { Report } from '../../model/report.ts';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { formatCount } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { reasonText } from '../cases/explain-case.ts';
import { countHidden, type FailedCases, type SuiteSurvey, surveyCases, worstFirst } from '../cases/failed-cases.ts';
import { type CaseRank, rankWord } from '../cases/gate-effect.ts';
import { nameCases, nameVariants } from '../cases/name-cases.ts';

import { describeComparison, describeMetrics } from '../comparison.ts';
import { headlineOf } from '../headline.ts';
import { locateReport } from '../locate-report.ts';
import type { Reporter } from '../reporter.ts';
import { describeCounts, findGateEntries, warningsElsewhere } from '../run-facts.ts';
import { type Annotation, annotateContracts, maxAnnotations, renderCommand } from './annotations.ts';

export const github: Reporter = {
  summary: 'annotations of GitHub Actions at the line of each case that broke',
  extension: 'txt',
  locate: locateReport,
  render: renderGithub,
};

function* renderGithub(report: Report): Iterable<string> {
  // Errors and warnings are both chosen from these.
  const surveys = surveyCases(report, {
    maxEntries: 2 * maxAnnotations,
    isEachAlone: true,
    maxNames: 1,
    maxGroups: maxAnnotations,
  });
  const failed = worstFirst(surveys.flatMap((survey) => survey.failed));
  const failures = failed.filter(({ outcomes: [{ effect }] }) => effect.kind === 'failure');
  const annotateFailures = (isWanted: (found: FailedCases) => boolean): Annotation[] =>
    failures.filter(isWanted).map((found) => annotateCase(found, 'error'));
  const isErrored = report.decision.breaches.some(({ code }) => code === 'errors-exceeded');
  const errored = surveys.flatMap((survey) => annotateErrored(survey, isErrored ? 'error' : 'warning'));
  const contracts = annotateContracts(report.contracts ?? []);
  const errors = [
    ...annotateFailures(({ mustPass }) => mustPass),
    ...contracts.filter(({ level }) => level === 'error'),
    ...annotateFailures(({ mustPass, rank }) => !mustPass && namedRanks.has(rank)),
    ...annotateGate(report),
    ...annotateFailures(({ mustPass, rank }) => !mustPass && !namedRanks.has(rank)),
    ...(isErrored ? errored : []),
  ];
  const warnings = [
    ...annotateComparisons(report),
    ...failed
      .filter(({ outcomes: [{ effect }] }) => effect.kind === 'tolerated' && effect.because !== 'accepted')
      .map((found) => annotateCase(found, 'warning')),
    ...(isErrored ? [] : errored),
    ...contracts.filter(({ level }) => level === 'warning'),
    ...warningsElsewhere(report).map((message) => ({ level: 'warning' as const, title: 'llmcheck', message })),
  ];
  for (const annotation of errors.slice(0, maxAnnotations)) yield renderCommand(annotation);
  for (const annotation of warnings.slice(0, maxAnnotations)) yield renderCommand(annotation);
  const hidden = surveys.flatMap(countHidden).reduce((total, [, count]) => total + count, 0);
  yield renderCommand(annotateRest(report, errors.length + warnings.length + hidden, errors.length, warnings.length));
}

/** The gate names these cases one by one. */
const namedRanks: ReadonlySet<CaseRank> = new Set<CaseRank>(['regressed', 'broken', 'new']);

/** The last line: the headline, and how much is not annotated. */
function annotateRest(report: Report, total: number, errors: number, warnings: number): Annotation {
  const shown = Math.min(errors, maxAnnotations) + Math.min(warnings, maxAnnotations);
  const left = total - shown;
  const more =
    left > 0 ? `\n${formatCount(left, 'more problem')} not annotated: llmcheck report ${report.run.id} --verbose` : '';
  const message = `${headlineOf(report)}\n${describeCounts(report)}${more}`;
  return { level: 'notice', title: 'llmcheck', message };
}

/** One annotation a case, or for cases that failed alike, at the line of the first. */
function annotateCase({ suite, caseIds, mustPass, outcomes }: FailedCases, level: 'error' | 'warning'): Annotation {
  const [{ entry, rank, effect, variants, explanation }] = outcomes;
  const { trials, reasons, answer, before } = explanation;
  const lines = [
    ...(effect.kind === 'tolerated' ? [effect.reason] : []),
    ...(trials === '' ? [] : [trials]),
    ...reasons.slice(0, maxReasons).map((reason) => shortenAnswer(reasonText(reason, explanation))),
    ...(before === undefined ? [] : [`on the baseline: ${shortenAnswer(before)}`]),
    ...(answer === undefined ? [] : [`${before === undefined ? 'answer' : 'now'}: ${shortenAnswer(answer)}`]),
    ...(outcomes.length > 1 ? [`and ${formatCount(outcomes.length - 1, 'other answer')} of other variants`] : []),
  ];
  const word = rankWord(entry, rank) || 'failed';
  const where = nameVariants(variants, suite, toSafeLine);
  const title = `${nameCases(caseIds, toSafeLine)}: ${word}${mustPass ? ', must-pass' : ''} (${suite.suite} · ${where})`;
  return { level, title, message: lines.join('\n'), at: entry.at };
}

/** What fails the gate besides single cases, at the first line of its suite. */
function annotateGate(report: Report): Annotation[] {
  return findGateEntries(report).map(({ message, breach }) => {
    const path = report.suites.find(({ suite }) => suite === breach?.suite)?.path;
    const place = [breach?.suite, breach?.prompt, breach?.provider].filter((part) => part !== undefined).join(' · ');
    return {
      level: 'error',
      title: place === '' ? 'llmcheck' : place,
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
