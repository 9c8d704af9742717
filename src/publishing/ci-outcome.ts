import type { DriftFinding } from '../assessing/judge-drift.ts';
import type { Conclusion } from '../github/checks.ts';
import { defined } from '../json/defined.ts';
import { exitCodeOfJob, exitCodes, type JobVerdict } from '../model/comparison/exit-code.ts';
import type { Problem } from '../model/problem.ts';
import type { Report } from '../model/report/report.ts';
import { surveyCases, worstFirst } from '../reports/cases/failed-cases.ts';
import { maxAnnotations, renderCommand } from '../reports/ci/github.ts';
import { countAccepted } from '../reports/comparison.ts';
import { describeVerdict, shoutDecision } from '../reports/headline.ts';
import { reporters } from '../reports/index.ts';
import { codeBlock, codeSpan } from '../reports/markdown/text.ts';
import { locateReport, type ReportHeading, type RepositoryPaths } from '../reports/reporter.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import { clipText } from '../text/shorten.ts';
import type { RunOrigin } from './job.ts';

/** The texts to publish about a run, or about a run that could not start. */
export interface CiOutcome {
  readonly exitCode: number;
  readonly conclusion: Conclusion;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  /** Commands of GitHub Actions. */
  readonly annotations: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface ToPublish {
  readonly outcome: CiOutcome;
  /** The text of the outcome with links to another page, or to none. */
  readonly bodyWith: (page: CiPage | undefined) => string;
  readonly outcomeAs: (drift: DriftVerdict) => CiOutcome;
  readonly mask: Mask;
  readonly origin: RunOrigin;
  /** Undefined if the run could not start. */
  readonly report?: Report;
  readonly problems: readonly Problem[];
  readonly drift?: DriftFinding;
}

/** The place where an outcome is published. */
export interface CiPlace {
  /** The name of the job for people; empty outside of a job. */
  readonly label: string;
  readonly headSha?: string;
  readonly logUrl?: string;
  readonly page?: CiPage;
  /** Undefined outside of a repository. */
  readonly paths?: RepositoryPaths;
  readonly request?: CiRequest;
}

/** The HTML report, where a reader finds it. */
export interface CiPage {
  /** What a reader finds there: the page, a zip file with it, or the list of the run's artifacts. */
  readonly kind: 'page' | 'zip' | 'artifacts';
  /** Safe in Markdown. */
  readonly url: string;
}

export interface CiRequest {
  readonly noun: 'pull request' | 'merge request';
  readonly checkout: string;
  readonly baseRef: string;
}

export interface CiRun {
  readonly place: CiPlace;
  readonly exitCode: number;
  /** True if nothing was sent because the job has no secrets. */
  readonly isReplay: boolean;
  /** The verdict on drift. Set only if the run asked every model again. */
  readonly drift?: DriftVerdict;
}

/** The texts that replace the decision of a run that looked for drift. */
export interface DriftVerdict {
  readonly verdict: Exclude<JobVerdict, 'neutral'>;
  /** Markdown. */
  readonly note: string;
}

export function describeOutcome(report: Report, run: CiRun): CiOutcome {
  const { drift, place } = run;
  if (run.isReplay && lacksAnswersAlone(report)) return describeNeutral(report, place);
  const note = run.isReplay ? `> **From stored answers**: ${describeReplay(report, place)}\n\n` : '';
  const exitCode = drift === undefined ? run.exitCode : exitCodeOfJob(drift.verdict);
  const word = drift && driftWords[drift.verdict];
  const { body, annotations } = renderReport(report, place, {
    end: linkPage(report, place.page),
    ...defined({ exitCode: drift === undefined ? undefined : exitCode }),
    ...(word !== undefined && { word, mark: '⚠️' }),
  });
  const conclusion = word !== undefined ? 'neutral' : drift === undefined ? conclusionOf(report) : 'failure';
  return {
    exitCode,
    conclusion,
    title: word === undefined ? shoutDecision(report) : `${word.toLowerCase()}: ${describeVerdict(report)}`,
    body: `${drift === undefined ? '' : `> **Drift**: ${drift.note}\n\n`}${note}${body}`,
    annotations,
    outputs: { ...githubOutputs(report, exitCode), conclusion },
  };
}

/** The title's first word. A run that was compared with nothing keeps its own word. */
const driftWords: Readonly<Record<DriftVerdict['verdict'], string | undefined>> = {
  drift: 'DRIFT',
  unconfirmed: 'NOT CONFIRMED',
  blind: undefined,
};

function renderReport(report: Report, place: CiPlace, heading: ReportHeading) {
  const { paths, page } = place;
  const pageUrl = page?.kind === 'page' ? page.url : undefined;
  const located = paths === undefined ? report : locateReport(report, paths);
  const isCalm = heading.word !== undefined;
  const style = { color: false, width: 80, verbose: false, quiet: false, heading, isCalm, ...defined({ pageUrl }) };
  const render = (name: 'markdown' | 'github'): string => [...(reporters[name]?.render(located, style) ?? [])].join('');
  return { body: `${render('markdown')}${renderFoot(place)}`, annotations: render('github') };
}

/** A pull request whose job has no secrets is not at fault: its report is neutral, and says what to do. */
function describeNeutral(report: Report, place: CiPlace): CiOutcome {
  const exitCode = exitCodeOfJob('neutral');
  const sentence = countUnjudged(report);
  const headline = `NEUTRAL: ${sentence}`;
  const note = `> **Neutral**: ${describeReplay(report, place)}${describeCheckout(place)}`;
  const end = `${linkPage(report, place.page)}\n\n${note}`;
  return {
    exitCode,
    conclusion: 'neutral',
    title: `neutral: ${sentence}`,
    body: renderReport(report, place, { mark: '⚪', word: 'NEUTRAL', sentence, exitCode, end }).body,
    annotations: renderCommand({
      level: 'notice',
      title: 'llmcheck',
      message: `${headline}; ${describeReplay(report, place)}`,
    }),
    outputs: { ...githubOutputs(report, exitCode), headline, conclusion: 'neutral' },
  };
}

function countUnjudged({ totals }: Report): string {
  return `${totals.errored} of ${totals.planned} cells could not be judged from stored answers`;
}

function describeReplay(report: Report, { request }: CiPlace): string {
  const contracts = report.contracts === undefined ? '' : ' Contracts were checked.';
  return `the job of this ${request?.noun ?? 'run'} has no secrets, so nothing was sent; ${countUnjudged(report)}.${contracts}`;
}

/** The command that a maintainer runs with a key, after reading the code of the pull request. */
function describeCheckout({ request }: CiPlace): string {
  if (request === undefined) return '';
  const { checkout, baseRef } = request;
  const baseline = /^[\w./-]+$/.test(baseRef) ? ` --baseline git:origin/${baseRef}...` : '';
  return ` A maintainer who has read the change can run it with a key: ${codeSpan(`${checkout} && npx llmcheck run${baseline}`, 200)}.`;
}

/** True if a run from stored answers is incomplete only because of answers that need the missing key. */
function lacksAnswersAlone({ decision, suites, totals }: Report): boolean {
  const { outcome, incompleteBecause, interrupted } = decision;
  if (outcome !== 'incomplete' || interrupted !== undefined || totals.errored === 0) return false;
  if (incompleteBecause !== 'errors' && incompleteBecause !== 'nothing-evaluated') return false;
  // A missing key does not explain a file or suite without a case. If nothing was judged, that is one breach as well.
  const empty = decision.breaches.filter(({ code }) => code === 'nothing-evaluated').length;
  if (empty > (incompleteBecause === 'nothing-evaluated' && totals.passed + totals.failed === 0 ? 1 : 0)) return false;
  for (const suite of suites) {
    for (const { trials } of suite.cases()) {
      if (trials.some(({ status, error }) => status === 'errored' && error?.kind !== 'cacheMiss')) return false;
    }
  }
  return true;
}

function conclusionOf({ decision, totals, contracts }: Report): Conclusion {
  if (decision.interrupted !== undefined) return 'cancelled';
  // Under --allow-empty. Nothing was looked at, so nothing is a success.
  if (decision.outcome === 'passed' && totals.planned === 0 && contracts === undefined) return 'neutral';
  switch (decision.outcome) {
    case 'passed':
      return 'success';
    case 'inconclusive':
    case 'failed':
    case 'incomplete':
      return 'failure';
  }
}

/** The heading links to the page. Where no link leads to a case, the reader is told what to open. */
function linkPage(report: Report, page: CiPage | undefined): string {
  if (page === undefined) return '';
  const hint = page.kind === 'page' ? '' : `\n\n${pageHints[page.kind]}${describeWorstCase(report)}.`;
  return ` · [page](${page.url})${hint}`;
}

const pageHints = {
  zip: 'The page is a zip file: unpack it and open the HTML file',
  artifacts: 'The page is an artifact of the run: open the HTML file there',
};

/** The case in the first row of the table. */
function describeWorstCase(report: Report): string {
  const surveys = surveyCases(report, { maxEntries: 1, maxNames: 1, maxGroups: 1 });
  const [worst] = worstFirst(surveys.flatMap(({ failed }) => failed));
  const caseId = worst?.caseIds[0];
  return caseId === undefined ? '' : `, then the case ${codeSpan(caseId, 80)}`;
}

/** Names the job, because a request may have several comments. */
function renderFoot({ label, headSha = '', logUrl }: CiPlace): string {
  const name = label === '' ? [] : [codeSpan(label, 120)];
  const commit = /^[0-9a-f]{7,64}$/.test(headSha) ? [`commit \`${headSha.slice(0, 12)}\``] : [];
  const log = logUrl === undefined ? [] : [`[log](${logUrl})`];
  const parts = [...name, ...commit, ...log];
  return parts.length === 0 ? '' : `\n${parts.join(' · ')}\n`;
}

const maxProblemUnits = 5000;

/** The outcome of a run that could not start. `text` has the problems as they are printed. */
export function describeUsage(text: string, problems: readonly Problem[], place: CiPlace): CiOutcome {
  const shown = clipText(text.trim(), maxProblemUnits);
  return {
    exitCode: exitCodes.usage,
    conclusion: 'failure',
    title: 'could not start: fix the problems first (exit code 2)',
    body: `## ⛔ llmcheck could not start (exit code 2)\n\n${codeBlock(shown.split('\n'), '')}${renderFoot(place)}`,
    annotations: problems
      .slice(0, maxAnnotations)
      .map((problem) => annotateProblem(problem, place))
      .join(''),
    outputs: { outcome: 'usage', exitCode: String(exitCodes.usage), conclusion: 'failure' },
  };
}

/** At its line, with the next step. */
function annotateProblem({ severity, code, message, hint, at }: Problem, { paths }: CiPlace): string {
  return renderCommand({
    level: severity,
    title: `llmcheck: ${code}`,
    message: hint === undefined ? message : `${message}\nhint: ${hint}`,
    ...defined({ at: at && { ...at, file: paths?.fileOf(at.file) ?? at.file } }),
  });
}

/** The outputs of a run for later steps of the job. An unknown amount is an empty text. */
export function githubOutputs(report: Report, exitCode: number): Readonly<Record<string, string>> {
  const { decision, totals, suites, run } = report;
  const { planned, passed, failed, errored, skipped, passRate, costUsd, spentUsd } = totals;
  const comparisons = suites.flatMap(({ variants }) => variants.flatMap(({ comparison }) => comparison ?? []));
  const count = (key: 'regressed' | 'fixed' | 'flaky' | 'stillFailing'): number =>
    comparisons.reduce((sum, { cases }) => sum + cases[key].length, 0);
  const broken = decision.breaches.filter(({ code }) => code === 'case-broken' || code === 'must-pass');
  const accepted = countAccepted(report);
  const values = {
    headline: shoutDecision(report),
    outcome: decision.outcome,
    exitCode,
    passRate,
    costUsd,
    spentUsd,
    planned,
    passed,
    failed,
    errored,
    skipped,
    regressed: count('regressed'),
    broken: broken.length,
    fixed: count('fixed'),
    flaky: count('flaky'),
    stillFailing: count('stillFailing'),
    accepted: accepted.regressions,
    acceptedMustPass: accepted.mustPass,
    contractBreaks: decision.breaches.filter(({ code }) => code === 'contract-broken').length,
    runId: run.id,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === null ? '' : String(value)]));
}
