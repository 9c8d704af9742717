import { defined } from '../../json/defined.ts';
import { type ContractReport, isBreak, type LocatedFinding } from '../../model/comparison/finding.ts';
import type { Report } from '../../model/report/report.ts';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { formatCount } from '../../text/format-amount.ts';
import { sanitizeTerminal, toSafeLine } from '../../text/sanitize.ts';
import { clipText } from '../../text/shorten.ts';
import { reasonText } from '../cases/explain-case.ts';
import { countHidden, type FailedCases, type SuiteSurvey, surveyCases, worstFirst } from '../cases/failed-cases.ts';
import { type CaseRank, rankWord } from '../cases/gate-effect.ts';
import { listLoosened } from '../cases/loosened-cases.ts';
import { nameCases, nameVariants } from '../cases/name-cases.ts';
import { describeComparison, describeMetrics } from '../comparison.ts';
import { headlineOf } from '../headline.ts';
import { type JobStyle, locateReport, type Reporter } from '../reporter.ts';
import { describeCounts, describeRejected, findGateEntries, warningsElsewhere } from '../run-facts.ts';

export const github: Reporter = {
  summary: 'annotations of GitHub Actions at the line of each case that broke',
  extension: 'txt',
  locate: locateReport,
  render: renderGithub,
};

function* renderGithub(report: Report, { isCalm = false }: Pick<JobStyle, 'isCalm'>): Iterable<string> {
  const { errors, warnings, hidden } = listAnnotations(report, maxAnnotations);
  for (const annotation of errors.slice(0, maxAnnotations)) {
    yield renderCommand(isCalm ? { ...annotation, level: 'warning' } : annotation);
  }
  for (const annotation of warnings.slice(0, maxAnnotations)) yield renderCommand(annotation);
  yield renderCommand(annotateRest(report, errors.length + warnings.length + hidden, errors.length, warnings.length));
}

interface Annotations {
  readonly errors: readonly Annotation[];
  readonly warnings: readonly Annotation[];
  /** Cases that are in neither list. */
  readonly hidden: number;
}

/** The annotations, most important first: at least `max` errors and `max` warnings if there are. */
export function listAnnotations(report: Report, max: number): Annotations {
  // Twice the limit, because both errors and warnings are chosen from these.
  const surveys = surveyCases(report, { maxEntries: 2 * max, isEachAlone: true, maxNames: 1, maxGroups: max });
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
    ...failures.flatMap(annotateBlame),
    ...annotateGate(report),
    ...annotateFailures(({ mustPass, rank }) => !mustPass && !namedRanks.has(rank)),
    ...(isErrored ? errored : []),
  ];
  const warnings = [
    ...annotateLoosened(report),
    ...annotateComparisons(report),
    ...failed
      .filter(({ outcomes: [{ effect }] }) => effect.kind === 'tolerated' && effect.because !== 'accepted')
      .map((found) => annotateCase(found, 'warning')),
    ...(isErrored ? [] : errored),
    ...contracts.filter(({ level }) => level === 'warning'),
    ...warningsElsewhere(report).map((message) => ({ level: 'warning' as const, title: 'llmcheck', message })),
  ];
  const hidden = surveys.flatMap(countHidden).reduce((total, [, count]) => total + count, 0);
  return { errors, warnings, hidden };
}

/** The gate names these cases one by one. */
const namedRanks: ReadonlySet<CaseRank> = new Set<CaseRank>(['regressed', 'broken', 'new']);

/** The last line: the headline, and the number of problems without an annotation. */
function annotateRest(report: Report, total: number, errors: number, warnings: number): Annotation {
  const shown = Math.min(errors, maxAnnotations) + Math.min(warnings, maxAnnotations);
  const left = total - shown;
  const more =
    left > 0 ? `\n${formatCount(left, 'more problem')} not annotated: llmcheck report ${report.run.id} --verbose` : '';
  const message = `${headlineOf(report)}\n${describeCounts(report)}${more}`;
  return { level: 'notice', title: 'llmcheck', message };
}

/** One annotation for a case, or for cases that failed alike, at the line of the first. */
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

/** A search for the edit that broke a case ends at a line of the prompt. */
function annotateBlame({ suite, outcomes: [{ entry }] }: FailedCases): readonly Annotation[] {
  const { caseId, prompt, blame } = entry;
  if (blame?.at === undefined) return [];
  const title = toSafeLine(`breaks ${caseId} (${suite.suite} · ${prompt})`);
  return [{ level: 'error', title, message: shortenAnswer(blame.sentence), at: blame.at }];
}

/** Gate failures that do not belong to a single case, at the first line of the suite. */
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

/** One warning for all cases that pass under edited checks alone. */
function annotateLoosened(report: Report): readonly Annotation[] {
  const { entries, hidden } = listLoosened(report, shortenAnswer);
  if (entries.length === 0) return [];
  const lines = entries.map(({ place, change, reason }) => {
    return `${place}: ${change}${reason === undefined ? '' : `; under the accepted checks: ${reason}`}`;
  });
  const message = [...lines, ...(hidden === 0 ? [] : [`and ${hidden} more`])].join('\n');
  return [{ level: 'warning', title: 'loosened checks', message }];
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

/** A message that GitHub Actions shows at a line of a changed file. */
export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
  readonly at?: { readonly file: string; readonly line: number; readonly column?: number };
}

/** GitHub shows ten errors and ten warnings of a step and drops the others. */
export const maxAnnotations = 10;

const maxTitleColumns = 200;
const maxMessageUnits = 8000;

/** A workflow command on one line. No text in it can end the command or start another one. */
export function renderCommand({ level, title, message, at }: Annotation): string {
  const place =
    at === undefined || at.file === '' ? [] : [`file=${escapeProperty(toSafeLine(at.file))}`, `line=${at.line}`];
  const properties = [
    ...place,
    ...(place.length === 0 || at?.column === undefined ? [] : [`col=${at.column}`]),
    `title=${escapeProperty(shortenToWidth(toSafeLine(title), maxTitleColumns))}`,
  ];
  const text = sanitizeTerminal(clipText(message, maxMessageUnits), { keepNewlines: true });
  return `::${level} ${properties.join(',')}::${escapeData(text)}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

type Entry = ContractReport['entries'][number];

/** Breaks are errors; other findings and rejected stored answers are warnings. Each is at the line of its schema. */
function annotateContracts(entries: readonly Entry[]): readonly Annotation[] {
  return entries.flatMap((entry) => [
    ...entry.findings
      .filter(({ severity, approved }) => severity !== 'info' && approved !== true)
      .map((finding) => annotate(entry, finding)),
    ...(entry.observed ?? [])
      .filter(({ rejected, unjudged = 0 }) => rejected > 0 || unjudged > 0)
      .map((seen): Annotation => {
        const title = [entry.suite, entry.prompt, 'stored answers'].filter((part) => part !== undefined).join(' · ');
        return { level: 'warning', title, message: [seen.message, ...describeRejected(seen)].join('\n') };
      }),
  ]);
}

/** Contract findings as annotations. Findings beyond GitHub's limit are only counted. */
export function* renderContractGithub({ entries }: ContractReport): Iterable<string> {
  const all = annotateContracts(entries);
  let hidden = 0;
  for (const level of ['error', 'warning'] as const) {
    const own = all.filter((annotation) => annotation.level === level);
    for (const annotation of own.slice(0, maxAnnotations)) yield renderCommand(annotation);
    hidden += Math.max(0, own.length - maxAnnotations);
  }
  if (hidden > 0) {
    const message = `and ${hidden} more contract findings; the terminal report lists them all`;
    yield renderCommand({ level: 'notice', title: 'llmcheck', message });
  }
}

function annotate({ suite, prompt }: Entry, finding: LocatedFinding): Annotation {
  const { ruleId, path, message, fingerprint, at, direction } = finding;
  return {
    level: isBreak(finding) ? 'error' : 'warning',
    title: [suite, prompt, `${direction} contract`, ruleId].filter((part) => part !== undefined).join(' · '),
    message: toSafeLine(`${path === '' ? '(root)' : path}: ${message} (${fingerprint})`),
    ...defined({ at }),
  };
}
