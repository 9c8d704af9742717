import type { CellRow } from '../../model/record.ts';
import type { CaseReport, Report, SuiteReport } from '../../model/report.ts';
import { shortenToWidth, wrapToWidth } from '../../terminal/display-width.ts';
import { formatCount } from '../../text/format-amount.ts';
import { sanitizeTerminal, toSafeLine } from '../../text/sanitize.ts';
import { clipText } from '../../text/shorten.ts';
import {
  type CaseExplanation,
  type CaseReason,
  describeSkip,
  explainCase,
  isAnswerDiff,
} from '../cases/explain-case.ts';
import { caseRanks, createFindGateEffect, rankCase, rankWord } from '../cases/gate-effect.ts';
import {
  type CaseGroup,
  type CaseName,
  countHidden,
  type RankedCase,
  type SuiteSurvey,
  surveyCases,
} from '../cases/survey-cases.ts';
import { indentText, linkPlace, type Paint } from '../paint.ts';
import { renderDiff } from '../render-diff.ts';

interface CaseListing {
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

/** The worst cases one by one, then the tolerated ones by reason, then the errored ones by message. */
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
    const parts = hidden.map(([rank, count]) => `${count} ${rank}`).join(', ');
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

/** Why cells were skipped. The counts add up to those of the table; observed cells have lines of their own. */
export function renderSkipped({ run }: Report, suite: SuiteReport, paint: Paint): string[] {
  const skipped = suite.variants.reduce((sum, variant) => sum + variant.skipped, 0);
  if (skipped === 0 && suite.variants.every(({ observed }) => observed === 0)) return [];
  const gated = new Map<string, number>();
  const observed = new Map<string, number>();
  let unreached = skipped;
  for (const { observe, trials } of suite.cases({ statuses: ['skipped', 'failed', 'flaky', 'errored'] })) {
    for (const { status, confirmation, skip } of trials) {
      if (status !== 'skipped' || confirmation === true) continue;
      if (!observe) unreached -= 1;
      countReason(observe ? observed : gated, skip, 1);
    }
  }
  // A run that ends early leaves cells without a row.
  if (unreached > 0) countReason(gated, run.stopReason && { reason: run.stopReason }, unreached);
  const render =
    (noun: string) =>
    ([reason, count]: [string, number]) =>
      indentText(`${paint.colors.dim('–')} skipped ${formatCount(count, noun)}: ${toSafeLine(reason)}`, paint, 2);
  return [...[...gated].flatMap(render('cell')), ...[...observed].flatMap(render('observed cell'))];
}

function countReason(counts: Map<string, number>, skip: CellRow['skip'], count: number): void {
  const reason = skip === undefined ? 'no reason was recorded' : describeSkip(skip);
  const key = counts.size < maxSkipReasons || counts.has(reason) ? reason : 'other reasons';
  counts.set(key, (counts.get(key) ?? 0) + count);
}

const maxCases = 20;
const maxSkipReasons = 20;
const maxReasons = 5;

/** Every case in order. Reads the cases once for each rank, so that memory does not grow with the run. */
function* readRanked(report: Report, { suite, counts, tolerated }: SuiteSurvey): Iterable<RankedCase> {
  const findEffect = createFindGateEffect(report, suite);
  for (const rank of caseRanks) {
    if (counts[rank] === 0 && (rank !== 'tolerated' || tolerated.length === 0)) continue;
    for (const entry of suite.cases({ statuses: ['failed', 'flaky'] })) {
      const effect = findEffect(entry);
      if (rankCase(entry, effect) === rank) yield { suite, entry, effect, rank };
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

function renderCase({ entry, effect, rank }: RankedCase, paint: Paint): string[] {
  const { colors } = paint;
  const explanation = explainCase(entry);
  const { trials, reasons, answer, before } = explanation;
  const mark = entry.status === 'flaky' ? colors.yellow('~') : colors.red('✗');
  const word = rankWord(entry, rank);
  const tolerated = effect.kind === 'tolerated' ? effect.reason : '';
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

/** A place that takes several lines is no link: each line would be a link of its own. */
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

/** The baseline's answer beside the new one. */
function renderAnswers(before: string, answer: string, paint: Paint): string[] {
  if (before === answer) {
    return [...indentText('the answer reads as on the baseline:', paint, 4), ...renderAnswer(answer, paint)];
  }
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

/** 64 KiB is what a baseline keeps of an answer. */
const maxVerboseUnits = 65_536;

function caseLabel({ caseId, prompt, provider }: CaseName): string {
  return `${toSafeLine(caseId)} · ${toSafeLine(prompt)} × ${toSafeLine(provider)}`;
}

function listNames(cases: readonly CaseName[], count: number): string {
  const more = count > cases.length ? ` and ${count - cases.length} more` : '';
  return `${cases.map(caseLabel).join(', ')}${more}`;
}
