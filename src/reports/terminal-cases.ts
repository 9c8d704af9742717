import type { CaseReport, Report, SuiteReport } from '../model/report.ts';
import { shortenToWidth, wrapToWidth } from '../terminal/display-width.ts';
import { formatCount } from '../text/format-amount.ts';
import { sanitizeTerminal, toSafeLine } from '../text/sanitize.ts';
import { clipText } from '../text/shorten.ts';
import { type CaseExplanation, type CaseReason, describeSkip, explainCase, isAnswerDiff } from './explain-case.ts';
import { createFindStanding } from './find-standing.ts';
import { indentText, linkPlace, type Paint } from './paint.ts';
import { caseRanks, rankCase, rankNouns, rankWord } from './rank-case.ts';
import { renderDiff } from './render-diff.ts';
import {
  type CaseGroup,
  type CaseName,
  countHidden,
  type RankedCase,
  type SuiteSurvey,
  surveyCases,
} from './survey-cases.ts';

/** What the lists of a report's cases have in common. */
export interface CaseListing {
  readonly report: Report;
  readonly paint: Paint;
  readonly surveys: ReadonlyMap<SuiteReport, SuiteSurvey>;
}

export function listCases(report: Report, paint: Paint): CaseListing {
  const limits = paint.verbose
    ? { maxCases: 0, maxNames: Number.POSITIVE_INFINITY, maxGroups: Number.POSITIVE_INFINITY }
    : { maxCases, maxNames: 5, maxGroups: 20 };
  const surveys = surveyCases(report, limits);
  return { report, paint, surveys: new Map(surveys.map((survey) => [survey.suite, survey])) };
}

/** The worst cases one by one, then those that the gate lets through by name, then the errored ones by their message. */
export function* renderCases({ report, paint, surveys }: CaseListing, suite: SuiteReport): Iterable<string> {
  const survey = surveys.get(suite);
  if (survey === undefined) return;
  for (const ranked of paint.verbose ? readRanked(report, survey) : survey.worst) {
    yield* renderCase(ranked, paint);
    yield '';
  }
  const hidden = paint.verbose ? [] : countHidden(survey);
  if (hidden.length > 0) {
    const total = hidden.reduce((sum, [, count]) => sum + count, 0);
    const parts = hidden.map(([rank, count]) => `${count} ${rankNouns[rank]}`).join(', ');
    const where = `llmcheck report ${toSafeLine(report.run.id)} --verbose`;
    yield* indentText(`… and ${formatCount(total, 'more case', 'more cases')} (${parts}): ${where}`, paint, 2);
    yield '';
  }
  const tolerated = paint.verbose ? [] : survey.tolerated;
  for (const { reason, count, cases } of tolerated) {
    const names = listNames(cases, count);
    const text = `tolerated (${count}), ${toSafeLine(reason)}: ${names}`;
    yield* indentText(`${paint.colors.dim('·')} ${text}`, paint, 2);
  }
  if (tolerated.length > 0) yield '';
  for (const group of survey.errored) {
    yield* renderErrored(group, paint);
    yield '';
  }
}

/** Why cells were left out. The counts add up to those of the table; observed cells have lines of their own. */
export function renderSkipped({ run }: Report, suite: SuiteReport, paint: Paint): string[] {
  const skipped = suite.variants.reduce((sum, variant) => sum + variant.skipped, 0);
  if (skipped === 0 && suite.variants.every(({ observed }) => observed === 0)) return [];
  const gated = createReasons();
  const observed = createReasons();
  for (const { observe, trials } of suite.cases({ statuses: ['skipped', 'failed', 'flaky', 'errored'] })) {
    for (const { status, confirmation, skip } of trials) {
      if (status !== 'skipped' || confirmation === true) continue;
      (observe ? observed : gated).add(skip === undefined ? unknownReason : describeSkip(skip), 1);
    }
  }
  // A run that ends early leaves cells without a row.
  const unreached = skipped - gated.total();
  if (unreached > 0) {
    gated.add(run.stopReason === undefined ? unknownReason : describeSkip({ reason: run.stopReason }), unreached);
  }
  return [
    ...gated.list().map(([reason, count]) => `skipped ${formatCount(count, 'cell')}: ${toSafeLine(reason)}`),
    ...observed
      .list()
      .map(([reason, count]) => `skipped ${formatCount(count, 'observed cell')}: ${toSafeLine(reason)}`),
  ].flatMap((line) => indentText(`${paint.colors.dim('–')} ${line}`, paint, 2));
}

const unknownReason = 'no reason was recorded';

function createReasons() {
  const counts = new Map<string, number>();
  return {
    add(reason: string, count: number): void {
      const key = counts.size < maxSkipReasons || counts.has(reason) ? reason : 'other reasons';
      counts.set(key, (counts.get(key) ?? 0) + count);
    },
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    list: () => [...counts],
  };
}

const maxCases = 20;
const maxSkipReasons = 20;
const maxReasons = 5;

/** Everything in order, read once a rank, so that a run of any size is never held. */
function* readRanked(report: Report, { suite, counts, tolerated }: SuiteSurvey): Iterable<RankedCase> {
  const findStanding = createFindStanding(report, suite);
  for (const rank of caseRanks) {
    if (counts[rank] === 0 && (rank !== 'tolerated' || tolerated.length === 0)) continue;
    for (const entry of suite.cases({ statuses: ['failed', 'flaky'] })) {
      const standing = findStanding(entry);
      if (rankCase(entry, standing) === rank) yield { suite, entry, standing, rank };
    }
  }
}

function renderErrored({ reason, cases, count }: CaseGroup, paint: Paint): string[] {
  const mark = paint.colors.yellow('!');
  return [
    ...indentText(`${mark} ${formatCount(count, 'case')} errored: ${toSafeLine(reason)}`, paint, 2),
    ...indentText(paint.colors.dim(listNames(cases, count)), paint, 6),
  ];
}

function renderCase({ entry, standing, rank }: RankedCase, paint: Paint): string[] {
  const { colors } = paint;
  const explanation = explainCase(entry);
  const { trials, reasons, answer, before } = explanation;
  const mark = entry.status === 'flaky' ? colors.yellow('~') : colors.red('✗');
  const word = rankWord(entry, rank);
  const tolerated = standing.kind === 'tolerated' ? standing.reason : '';
  const remarks = [toSafeLine(trials), toSafeLine(tolerated)];
  const painted = word === 'regressed' ? colors.bold(colors.red(word)) : word;
  const inBrackets = [word === 'broken' || word === 'failing' ? '' : painted, ...remarks].filter((part) => part !== '');
  const shown = paint.verbose ? reasons : reasons.slice(0, maxReasons);
  const isCompared = before !== undefined && answer !== undefined;
  const hasDiff = isCompared || shown.some(({ diff }) => diff !== undefined);
  return [
    ...indentText(
      `${mark} ${caseLabel(entry)}${inBrackets.length === 0 ? '' : ` (${inBrackets.join('; ')})`}`,
      paint,
      2,
    ),
    ...renderPlace(entry, paint),
    ...shown.flatMap((reason) => renderReason(reason, entry, explanation, paint)),
    ...(reasons.length > shown.length ? [`    … and ${reasons.length - shown.length} more reasons`] : []),
    ...(isCompared ? renderAnswers(before, answer, paint) : []),
    ...(answer !== undefined && (!hasDiff || paint.verbose) ? renderAnswer(answer, paint) : []),
  ];
}

/** One that is too long for a line is no link: its parts would each be another. */
function renderPlace({ at }: CaseReport, paint: Paint): string[] {
  const lines = indentText(paint.colors.dim(toSafeLine(`${at.file}:${at.line}`)), paint, 4);
  const [line, ...rest] = lines;
  return line === undefined || rest.length > 0 ? lines : [linkPlace(line, at.file, paint)];
}

function renderReason(found: CaseReason, { trials }: CaseReport, explanation: CaseExplanation, paint: Paint): string[] {
  const { label, reason, diff, count } = found;
  const times = trials.length > 1 && count > 1 ? ` (in ${count} trials)` : '';
  const style = { colors: paint.colors, width: paint.width - 6, maxLines: paint.verbose ? 200 : 12 };
  const lines = diff === undefined || isAnswerDiff(found, explanation) ? [] : renderDiff(diff, style);
  return [
    ...indentText(`${toSafeLine(label)}: ${toSafeLine(reason)}${times}`, paint, 4),
    ...lines.map((line) => `      ${line}`),
  ];
}

/** What the baseline answered beside what came now. */
function renderAnswers(before: string, answer: string, paint: Paint): string[] {
  if (before === answer)
    return indentText('the answer reads as on the baseline:', paint, 4).concat(renderAnswer(answer, paint));
  const style = { colors: paint.colors, width: paint.width - 6 };
  const limits = paint.verbose ? { maxLines: 200 } : { maxLines: 12, maxUnits: 4000 };
  const sides = { expected: showEmpty(before), found: showEmpty(answer) };
  return [
    ...indentText('answer on the baseline and now:', paint, 4),
    ...renderDiff(sides, { ...style, ...limits }).map((line) => `      ${line}`),
  ];
}

function showEmpty(answer: string): string {
  return answer === '' ? '(empty)' : answer;
}

function renderAnswer(answer: string, paint: Paint): string[] {
  const { colors, width } = paint;
  if (answer === '') return ['    answer: (empty)'];
  if (!paint.verbose) {
    const line = shortenToWidth(sanitizeTerminal(clipText(answer, 4000)), (width - 12) * 2);
    return indentText(`answer: ${colors.dim(line)}`, paint, 4);
  }
  const clipped = clipText(answer, maxVerboseUnits);
  const lines = wrapToWidth(sanitizeTerminal(clipped, { keepNewlines: true }), width - 6);
  const cut = clipped.length < answer.length ? [`      … ${answer.length - clipped.length} more characters`] : [];
  return ['    answer:', ...lines.map((line) => `      ${colors.dim(line)}`), ...cut];
}

/** 64 KiB is what a baseline keeps; more of one answer belongs into a file. */
const maxVerboseUnits = 65_536;

function caseLabel({ caseId, prompt, provider }: CaseName): string {
  return `${toSafeLine(caseId)} · ${toSafeLine(prompt)} × ${toSafeLine(provider)}`;
}

function listNames(cases: readonly CaseName[], count: number): string {
  const more = count > cases.length ? ` and ${count - cases.length} more` : '';
  return `${cases.map(caseLabel).join(', ')}${more}`;
}
