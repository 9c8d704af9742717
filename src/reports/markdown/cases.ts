import type { Report } from '../../model/report.ts';
import { formatCount } from '../../text/format-amount.ts';
import { explainCase } from '../cases/explain-case.ts';
import { caseRanks, rankWord } from '../cases/gate-effect.ts';
import { type CaseName, countHidden, type RankedCase, type SuiteSurvey } from '../cases/survey-cases.ts';
import { changeWords } from '../comparison.ts';
import {
  closeDetails,
  codeCell,
  codeList,
  codeSpan,
  details,
  diffBlock,
  openDetails,
  type Section,
  tableHead,
  tableRow,
} from './text.ts';

/** `3 regressed, 1 flaky, 2 fixed`, over the whole report. */
export function summarizeCases({ suites }: Report, surveys: readonly SuiteSurvey[]): string {
  const ranked = caseRanks.map((rank) => [sum(surveys.map(({ counts }) => counts[rank])), rank] as const);
  const errored = sum(surveys.flatMap((survey) => survey.errored.map(({ count }) => count)));
  const comparisons = suites.flatMap(({ variants }) => variants.flatMap(({ comparison }) => comparison ?? []));
  const others = (['fixed', 'stillFailing'] as const).map((key) => {
    return [sum(comparisons.map(({ cases }) => cases[key].length)), changeWords[key]] as const;
  });
  const groups = surveys.flatMap((survey) => survey.tolerated);
  const accepted = sum(groups.filter(({ key }) => key === 'accepted').map(({ count }) => count));
  const parts = [...ranked, [errored, 'errored'] as const, ...others, [accepted, 'accepted in this change'] as const]
    .filter(([count]) => count > 0)
    .map(([count, noun]) => `**${count}** ${noun}`);
  return parts.length === 0 ? 'No case failed.' : parts.join(' · ');
}

/** What broke, the worst first: one row for each case with its old and its new answer. */
export function caseTable(report: Report, surveys: readonly SuiteSurvey[]): Section {
  const worst = sortByRank(surveys.flatMap((survey) => survey.worst));
  const explained = worst.map((ranked) => ({ ...ranked, explanation: explainCase(ranked.entry) }));
  const hasBefore = explained.some(({ explanation }) => explanation.before !== undefined);
  const isOneOfMany = report.suites.flatMap(({ variants }) => variants).length > 1;
  const items = explained.map(({ suite, entry, effect, rank, explanation }) => {
    const { caseId, prompt, provider, at } = entry;
    const { trials, reasons, answer, before } = explanation;
    const word = rankWord(entry, rank) || 'failed';
    const tolerated = effect.kind === 'tolerated' ? `<br>${effect.reason}` : '';
    const [was, now] = focusOnChange(before, answer);
    const why = reasons.slice(0, 2).map(({ label, reason }) => codeCell(`${label}: ${reason}`, 160));
    const cells = [
      `**${word}**${tolerated}`,
      [
        codeCell(caseId, 80),
        ...(isOneOfMany ? [codeCell(`${suite.suite} · ${prompt} × ${provider}`, 80)] : []),
        codeCell(`${at.file}:${at.line}`, 100),
      ].join('<br>'),
      ...(hasBefore ? [was === undefined ? '–' : codeCell(was, answerColumns)] : []),
      now === undefined ? '–' : codeCell(now, answerColumns),
      [...why, ...(trials === '' ? [] : [trials])].join('<br>'),
    ];
    return () => tableRow(cells);
  });
  const titles = ['', 'case', ...(hasBefore ? ['on the baseline'] : []), hasBefore ? 'now' : 'answer', 'why'];
  const hidden = surveys.flatMap(countHidden).reduce((total, [, count]) => total + count, 0);
  const more = hidden === 0 ? '' : `\n… and ${formatCount(hidden, 'more case', 'more cases')}.\n`;
  return { head: tableHead(titles), items, tail: `${more}\n`, noun: 'cases' };
}

/** Cases that could not be judged, grouped by their message. */
export function erroredSection(surveys: readonly SuiteSurvey[]): Section {
  const items = surveys.flatMap(({ errored }) =>
    errored.map(({ reason, cases, count }) => {
      return () =>
        `- **${formatCount(count, 'case')}**: ${codeSpan(reason, 300)}: ${codeList(cases.map(nameOf), count, 100)}\n`;
    }),
  );
  return { head: '### Could not be judged\n\n', items, tail: '\n', noun: 'messages of errors' };
}

/** Both answers of each case, as a difference. */
export function answerSection(worst: readonly RankedCase[]): Section {
  const items = sortByRank(worst).flatMap(({ suite, entry }) => {
    const { answer, before } = explainCase(entry);
    if (answer === undefined || before === undefined || answer === before) return [];
    const place = `${suite.suite} · ${nameOf(entry)}`;
    return [() => details('Answers', place, diffBlock({ expected: before, found: answer }))];
  });
  return { head: '', items, tail: '', noun: 'differences of answers' };
}

/** The names of cases that need no attention. */
export function otherCasesSection({ suites }: Report, surveys: readonly SuiteSurvey[]): Section {
  const compared = suites.flatMap((suite) =>
    suite.variants.flatMap(({ prompt, provider, comparison }) => {
      if (comparison === undefined) return [];
      const place = codeSpan(`${suite.suite} · ${prompt} × ${provider}`, 100);
      return otherLists.flatMap((key) => {
        const ids = comparison.cases[key];
        return ids.length === 0
          ? []
          : [
              () =>
                `- ${changeWords[key]} (${ids.length}), ${place}: ${codeList(ids.slice(0, maxIds), ids.length, 60)}\n`,
            ];
      });
    }),
  );
  const tolerated = surveys.flatMap((survey) =>
    survey.tolerated.map(({ reason, cases, count }) => {
      return () => `- tolerated (${count}), ${codeSpan(reason, 100)}: ${codeList(cases.map(nameOf), count, 100)}\n`;
    }),
  );
  const items = [...compared, ...tolerated];
  return { head: openDetails('Other cases'), items, tail: closeDetails, noun: 'lists of other cases' };
}

const answerColumns = 160;
const maxIds = 50;

/** Known failures are among the tolerated ones. */
const otherLists = ['fixed', 'added', 'removed', 'redefined'] as const;

function sortByRank(cases: readonly RankedCase[]): readonly RankedCase[] {
  return cases.toSorted((a, b) => caseRanks.indexOf(a.rank) - caseRanks.indexOf(b.rank));
}

/** Answers that begin alike are shown from shortly before their first difference on. */
function focusOnChange(
  before: string | undefined,
  answer: string | undefined,
): readonly [string | undefined, string | undefined] {
  if (before === undefined || answer === undefined) return [before, answer];
  let alike = 0;
  while (alike < before.length && before[alike] === answer[alike]) alike += 1;
  const start = alike - contextUnits;
  if (start < contextUnits) return [before, answer];
  return [`…${before.slice(start)}`, `…${answer.slice(start)}`];
}

const contextUnits = 30;

function nameOf({ caseId, prompt, provider }: CaseName): string {
  return `${caseId} · ${prompt} × ${provider}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
