import type { Report, SuiteReport } from '../../model/report/report.ts';
import type { CellRow } from '../../model/run/record.ts';
import { displayWidth, shortenToWidth, wrapToWidth } from '../../terminal/display-width.ts';
import { formatCount, listFirst } from '../../text/format-amount.ts';
import { sanitizeTerminal, toSafeLine } from '../../text/sanitize.ts';
import { clipText } from '../../text/shorten.ts';
import {
  type CaseExplanation,
  type CaseReason,
  describeSkip,
  isAnswerDiff,
  reasonText,
} from '../cases/explain-case.ts';
import {
  type CaseGroup,
  type CaseOutcome,
  countHidden,
  type FailedCases,
  readFailedCases,
  type SuiteSurvey,
  surveyCases,
  worstFirst,
} from '../cases/failed-cases.ts';
import { wordBesideMark } from '../cases/gate-effect.ts';
import { nameCases, nameVariants } from '../cases/name-cases.ts';
import { indentText, linkPlace, type Paint } from '../paint.ts';
import { compareOnOneLine, renderDiff, type SidePart } from '../render-diff.ts';

interface CaseListing {
  readonly report: Report;
  readonly paint: Paint;
  readonly surveys: ReadonlyMap<SuiteReport, SuiteSurvey>;
  /** The cases to show in full. The others take one line each. */
  readonly inFull: ReadonlySet<FailedCases>;
}

export function listCases(report: Report, paint: Paint, { isShort = false } = {}): CaseListing {
  const all = Number.POSITIVE_INFINITY;
  const limits = paint.verbose
    ? { maxEntries: 0, maxNames: all, maxGroups: all }
    : { maxEntries: isShort ? maxShort : maxEntries, maxNames: 5, maxGroups: 20 };
  const surveys = surveyCases(report, limits);
  const failed = surveys.flatMap((survey) => survey.failed);
  return {
    report,
    paint,
    surveys: new Map(surveys.map((survey) => [survey.suite, survey])),
    inFull: isShort ? new Set() : chooseInFull(failed, paint),
  };
}

/** Chooses the worst cases that fit on a screen, at least one. */
function chooseInFull(failed: readonly FailedCases[], paint: Paint): ReadonlySet<FailedCases> {
  const chosen = new Set<FailedCases>();
  let room = maxLines;
  for (const found of worstFirst(failed)) {
    room -= renderFailed(found, paint).length;
    if (room < 0 && chosen.size > 0) break;
    chosen.add(found);
  }
  return chosen;
}

const maxEntries = 20;
const maxShort = 7;
/** Lines of the cases in full, about one screen. */
const maxLines = 22;

/** The worst cases one by one, then the tolerated ones by reason, then the errored ones by message. */
export function* renderCases(listing: CaseListing, suite: SuiteReport): Iterable<string> {
  const { report, paint, surveys, inFull } = listing;
  const survey = surveys.get(suite);
  if (survey === undefined) return;
  for (const failed of paint.verbose ? readFailedCases(report, survey) : survey.failed) {
    const isWhole = paint.verbose || inFull.has(failed);
    yield* isWhole ? renderFailed(failed, paint) : renderInOneLine(failed, paint);
  }
  yield* renderHidden(listing, survey);
  for (const group of paint.verbose ? [] : survey.tolerated) {
    const text = `${formatCount(group.count, 'case')} tolerated, ${toSafeLine(group.reason)}: ${listNames(group)}`;
    yield* indentText(`${paint.colors.dim('·')} ${text}`, paint, 2);
  }
  for (const group of survey.errored) yield* renderErrored(group, suite, paint);
}

/** The number of hidden cases, and the command that shows them. */
function* renderHidden({ report, paint }: CaseListing, survey: SuiteSurvey): Iterable<string> {
  const hidden = paint.verbose ? [] : countHidden(survey);
  const total = hidden.reduce((sum, [, count]) => sum + count, 0);
  const shown = survey.failed.reduce((sum, { caseIds }) => sum + caseIds.length, 0);
  if (total === 0 && shown <= survey.failed.length) return;
  const parts = hidden.length > 1 ? ` (${hidden.map(([rank, count]) => `${count} ${rank}`).join(', ')})` : '';
  const more = total === 0 ? 'each case by itself' : `${formatCount(total, 'more case', 'more cases')}${parts}`;
  yield* indentText(`… ${more}: llmcheck report ${toSafeLine(report.run.id)} --verbose`, paint, 2);
}

/** The reasons for skipped cells. The counts add up to the table's; observed cells have separate lines. */
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
  // Cells that a run did not reach have no row.
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

const maxSkipReasons = 20;
const maxReasons = 3;

function renderErrored(group: CaseGroup, suite: SuiteReport, paint: Paint): string[] {
  const where = nameVariants(group.variants, suite, toSafeLine);
  const title = `${formatCount(group.count, 'case')} could not be judged with ${where}`;
  return [
    ...indentText(`${paint.colors.yellow('!')} ${title}: ${toSafeLine(group.reason)}`, paint, 2),
    ...indentText(paint.colors.dim(listNames(group)), paint, 4),
  ];
}

function listNames({ cases, count }: CaseGroup): string {
  const names = cases.map(({ caseId }) => toSafeLine(caseId));
  return listFirst(names, names.length, count);
}

/** Cases that failed alike: name, place, question, both answers and the reasons. */
function renderFailed(failed: FailedCases, paint: Paint): string[] {
  const { outcomes, caseIds } = failed;
  return outcomes.flatMap((outcome, index) => [
    ...renderTitle(failed, outcome, index, paint),
    ...(index === 0 ? renderPlace(outcome, caseIds.length > 1, paint) : []),
    ...renderAnswers(outcome.explanation, paint),
    ...renderReasons(outcome, paint),
  ]);
}

/** `✗ refund-3  must-pass · v2 (mini and big) · 5 of 5 fresh trials failed`. */
function renderTitle(failed: FailedCases, outcome: CaseOutcome, index: number, paint: Paint): string[] {
  const { colors } = paint;
  const { suite, caseIds, mustPass } = failed;
  const { entry, effect, rank, variants, explanation } = outcome;
  const isWarning = effect.kind === 'tolerated' || entry.status === 'flaky';
  const mark = isWarning ? colors.yellow('~') : colors.red('✗');
  const word = wordBesideMark(entry, rank);
  const remarks = [
    ...(mustPass && index === 0 ? [colors.bold(colors.red('must-pass'))] : []),
    ...(word === '' ? [] : [word]),
    nameVariants(variants, suite, toSafeLine),
    ...(explanation.trials === '' ? [] : [explanation.trials]),
    ...(effect.kind === 'tolerated' ? [toSafeLine(effect.reason)] : []),
  ];
  const name = index === 0 ? `${mark} ${colors.bold(nameCases(caseIds, toSafeLine))}  ` : '';
  return indentText(`${name}${remarks.join(' · ')}`, paint, index === 0 ? 2 : 4);
}

/** A place that wraps is not linked, because each line would become a separate link. */
function renderPlace({ entry, explanation }: CaseOutcome, isFirstOfMany: boolean, paint: Paint): string[] {
  const { at, caseId } = entry;
  const place = toSafeLine(`${at.file}:${at.line}`);
  const caseName = isFirstOfMany ? `${toSafeLine(caseId)}: ` : '';
  const room = paint.width - 4 - displayWidth(place) - 4 - displayWidth(caseName);
  const { input } = explanation;
  const question =
    input === undefined || room < minQuestion ? '' : `${caseName}"${shortenToWidth(toOneLine(input), room)}"`;
  const [line = '', ...rest] = indentText(paint.colors.dim(place), paint, 4);
  if (rest.length > 0) return [line, ...rest];
  return [`${linkPlace(line, at.file, paint)}${question === '' ? '' : `  ${paint.colors.dim(question)}`}`];
}

const minQuestion = 20;

/** The answer on the baseline beside the new one. */
function renderAnswers({ before, answer }: CaseExplanation, paint: Paint): string[] {
  if (answer === undefined) return [];
  const { colors } = paint;
  if (before === undefined || before === answer) {
    const label = before === undefined ? 'answer' : 'answer (as on the baseline)';
    return paint.verbose
      ? [`    ${label}:`, ...renderWhole(answer, paint)]
      : renderSide(label, [{ text: toOneLine(answer), isChanged: false }], colors.dim, paint);
  }
  if (paint.verbose && /\n/.test(before + answer)) {
    const style = { colors, width: paint.width - 6, maxLines: 200 };
    const lines = renderDiff({ expected: showEmpty(before), found: showEmpty(answer) }, style);
    return ['    on the baseline (-) and now (+):', ...lines.map((line) => `      ${line}`)];
  }
  const sides = compareOnOneLine({ expected: before, found: answer });
  return [
    ...renderSide('was', sides.expected, colors.red, paint),
    ...renderSide('now', sides.found, colors.green, paint),
  ];
}

function showEmpty(answer: string): string {
  return answer === '' ? '(empty)' : answer;
}

function toOneLine(text: string): string {
  const line = clipText(text, maxLineUnits)
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  return showEmpty(sanitizeTerminal(line));
}

const maxLineUnits = 4000;

/** `now  send it to the [shipping] team`: at most two lines. */
function renderSide(
  label: string,
  parts: readonly SidePart[],
  paintText: (text: string) => string,
  paint: Paint,
): string[] {
  const text = parts.map((part) => (part.isChanged ? markChange(part.text) : part.text)).join('');
  const width = paint.width - 4 - 2 - displayWidth(label);
  const shown = paint.verbose ? text : shortenToWidth(text, (width - 1) * maxSideLines);
  return wrapToWidth(shown, width).map((line, index) => {
    return `    ${index === 0 ? label : ' '.repeat(displayWidth(label))}  ${paintText(line)}`;
  });
}

const maxSideLines = 2;

/** Brackets mark the change even in colour, because bold text alone is hard to see. */
function markChange(text: string): string {
  const [, before = '', core = '', after = ''] = /^( *)(.*?)( *)$/s.exec(text) ?? [];
  return core === '' ? text.replaceAll(' ', '·') : `${before}[${core}]${after}`;
}

function renderWhole(answer: string, { colors, width }: Paint): string[] {
  if (answer === '') return ['      (empty)'];
  const clipped = clipText(answer, maxVerboseUnits);
  const lines = wrapToWidth(sanitizeTerminal(clipped, { keepNewlines: true }), width - 6);
  const cut = clipped.length < answer.length ? [`      … ${answer.length - clipped.length} more characters`] : [];
  return [...lines.map((line) => `      ${colors.dim(line)}`), ...cut];
}

/** A baseline keeps 64 KiB of an answer. */
const maxVerboseUnits = 65_536;

function renderReasons({ entry, explanation }: CaseOutcome, paint: Paint): string[] {
  const { reasons } = explanation;
  const shown = paint.verbose ? reasons : reasons.slice(0, maxReasons);
  return [
    ...shown.flatMap((reason) => renderReason(reason, entry.trials.length, explanation, paint)),
    ...(reasons.length > shown.length ? [`    … and ${reasons.length - shown.length} more reasons`] : []),
  ];
}

function renderReason(found: CaseReason, trials: number, explanation: CaseExplanation, paint: Paint): string[] {
  const { diff, count } = found;
  const times = count > 1 && count < trials ? ` (in ${count} trials)` : '';
  const text = `${toSafeLine(reasonText(found, explanation))}${times}`;
  const line = paint.verbose ? text : shortenToWidth(text, (paint.width - 6) * 2);
  const style = { colors: paint.colors, width: paint.width - 6, maxLines: paint.verbose ? 200 : 12 };
  // If both answers are shown, the check's own difference is shown only with --verbose.
  const isRepeated = explanation.before !== undefined || diff?.found === explanation.answer;
  const isShown = paint.verbose ? !isAnswerDiff(found, explanation) : !isRepeated;
  const lines = diff === undefined || !isShown ? [] : renderDiff(diff, style);
  return [...indentText(line, paint, 4), ...lines.map((one) => `      ${one}`)];
}

/** The short form for cases beyond the first screen. */
function renderInOneLine({ suite, caseIds, mustPass, outcomes }: FailedCases, paint: Paint): string[] {
  const [outcome] = outcomes;
  const { entry, effect, rank, variants, explanation } = outcome;
  const word = wordBesideMark(entry, rank);
  const { answer, before, isAgent, reasons } = explanation;
  const isWarning = effect.kind === 'tolerated' || entry.status === 'flaky';
  const mark = isWarning ? paint.colors.yellow('~') : paint.colors.red('✗');
  const isNew = answer !== undefined && answer !== before && !isAgent;
  const why = isNew ? `now ${toOneLine(answer)}` : (reasons[0]?.reason ?? '');
  const remarks = [
    ...(mustPass ? ['must-pass'] : []),
    ...(word === '' ? [] : [word]),
    nameVariants(variants, suite, toSafeLine),
    ...(why === '' ? [] : [toSafeLine(why)]),
  ];
  const text = `${nameCases(caseIds, toSafeLine)}  ${remarks.join(' · ')}`;
  return [`  ${mark} ${shortenToWidth(text, paint.width - 4)}`];
}
