import type { Report, SuiteReport } from '../../model/report/report.ts';
import { encodeAddressPart } from '../../text/addresses/encode-address.ts';
import { formatCount } from '../../text/format-amount.ts';
import { type CaseExplanation, isAnswerDiff, reasonText } from '../cases/explain-case.ts';
import {
  type CaseGroup,
  type CaseOutcome,
  countHidden,
  type FailedCases,
  type SuiteSurvey,
  worstFirst,
} from '../cases/failed-cases.ts';
import { wordBesideMark } from '../cases/gate-effect.ts';
import { nameCases, nameVariants } from '../cases/name-cases.ts';
import { compareOnOneLine } from '../render-diff.ts';
import {
  codeCell,
  codeList,
  codeSpan,
  codeWithChanges,
  details,
  diffBlock,
  placeCell,
  type Section,
  tableHead,
  tableRow,
} from './text.ts';

/** The cases that broke, the worst first. Cases that failed alike share a row with the old and the new answer. */
export function caseTable(report: Report, surveys: readonly SuiteSurvey[], pageUrl?: string): Section {
  const failed = worstFirst(surveys.flatMap((survey) => survey.failed));
  const hasBefore = failed.some(({ outcomes }) => outcomes.some(({ explanation }) => explanation.before !== undefined));
  const isOneSuite = report.suites.length === 1;
  const items = failed.flatMap((found) =>
    found.outcomes.map((outcome, index) => {
      const [before, now] = answerCells(outcome.explanation);
      const cells = [
        index === 0 ? caseCell(found, isOneSuite, pageUrl) : '',
        ...(hasBefore ? [before] : []),
        now,
        reasonCell(found, outcome),
      ];
      return () => tableRow(cells);
    }),
  );
  const titles = ['case', ...(hasBefore ? ['before', 'now'] : ['answer']), 'why'];
  const hidden = surveys.flatMap(countHidden);
  const total = hidden.reduce((sum, [, count]) => sum + count, 0);
  const parts = hidden.map(([rank, count]) => `${count} ${rank}`).join(', ');
  const more =
    total === 0
      ? ''
      : `\n… and ${formatCount(total, 'more case', 'more cases')} (${parts}): \`llmcheck report\` lists them all.\n`;
  return { head: tableHead(titles), items, tail: `${more}\n`, noun: 'cases' };
}

const answerColumns = 160;
const reasonColumns = 160;

/** The names, the must-pass mark, and the place of the first case. */
function caseCell({ suite, caseIds, mustPass, outcomes }: FailedCases, isOneSuite: boolean, pageUrl?: string): string {
  const { at, prompt, provider } = outcomes[0].entry;
  const name = nameCases(caseIds, (id) => {
    const cell = codeCell(id, 80);
    return pageUrl === undefined ? cell : `[${cell}](${pageUrl}${caseAddress([suite.suite, id, prompt, provider])})`;
  });
  return [
    `${name}${mustPass ? ' **must-pass**' : ''}`,
    ...(isOneSuite ? [] : [codeCell(suite.suite, 60)]),
    placeCell(at, 100),
  ].join('<br>');
}

/** The address of a case in the HTML report, as the page reads it. Brackets would end the link in Markdown. */
function caseAddress(parts: readonly string[]): string {
  const encode = (part: string): string => encodeAddressPart(part).replaceAll('(', '%28').replaceAll(')', '%29');
  return `#/case/${parts.map(encode).join('/')}`;
}

function answerCells({ before, answer }: CaseExplanation): readonly [before: string, now: string] {
  if (before === undefined || answer === undefined) {
    return [
      before === undefined ? '–' : codeCell(before, answerColumns),
      answer === undefined ? '–' : codeCell(answer, answerColumns),
    ];
  }
  const { expected, found } = compareOnOneLine({ expected: before, found: answer });
  return [codeWithChanges(expected, answerColumns), codeWithChanges(found, answerColumns)];
}

function reasonCell({ suite }: FailedCases, { entry, effect, rank, variants, explanation }: CaseOutcome): string {
  const { reasons, trials } = explanation;
  const word = wordBesideMark(entry, rank);
  const why = reasons.slice(0, 2).map((reason) => {
    const text = isAnswerDiff(reason, explanation) ? reason.label : reasonText(reason, explanation);
    return codeCell(text, reasonColumns);
  });
  const evidence = [
    ...(word === '' ? [] : [`**${word}**`]),
    ...(effect.kind === 'tolerated' ? [effect.reason] : []),
    ...(suite.variants.length > 1 ? [nameVariants(variants, suite, (name) => codeCell(name, 40))] : []),
    ...(trials === '' ? [] : [trials]),
  ];
  return [...why, ...(evidence.length === 0 ? [] : [evidence.join(', ')])].join('<br>');
}

/** Cases that could not be judged, grouped by their message. */
export function erroredSection(surveys: readonly SuiteSurvey[]): Section {
  const items = surveys.flatMap(({ suite, errored }) =>
    errored.map((group) => {
      const { reason, count } = group;
      const where = nameVariants(group.variants, suite, (name) => codeSpan(name, 40));
      return () =>
        `- **${formatCount(count, 'case')}** with ${where}: ${codeSpan(reason.replaceAll('`', "'"), 300)}: ${nameGroup(group)}\n`;
    }),
  );
  return { head: '**Could not be judged**\n\n', items, tail: '\n', noun: 'messages of errors' };
}

/** Both answers of cases whose answers are too long for the table. */
export function answerSection(failed: readonly FailedCases[]): Section {
  const items = failed.flatMap(({ suite, caseIds, outcomes }) => {
    const [{ explanation }] = outcomes;
    const { answer, before } = explanation;
    if (answer === undefined || before === undefined || answer === before) return [];
    if (Math.max(answer.length, before.length) <= answerColumns && !/\n/.test(answer + before)) return [];
    const place = `${suite.suite} · ${caseIds[0] ?? ''}`;
    return [() => details('Answers', place, diffBlock({ expected: before, found: answer }))];
  });
  return { head: '', items, tail: '', noun: 'differences of answers' };
}

/** Tolerated cases, grouped by the reason. */
export function toleratedLines(survey: SuiteSurvey): readonly string[] {
  return survey.tolerated.map(
    (group) => `- ${formatCount(group.count, 'case')} tolerated, ${codeSpan(group.reason, 100)}: ${nameGroup(group)}\n`,
  );
}

function nameGroup({ cases, count }: CaseGroup): string {
  return codeList(
    cases.map(({ caseId }) => caseId),
    count,
    100,
  );
}

/** `with v2 (mini and big)`; empty if the suite has one variant. */
export function variantsOf(suite: SuiteReport, variants: CaseGroup['variants']): string {
  if (suite.variants.length === 1) return '';
  return ` with ${nameVariants(variants, suite, (name) => codeSpan(name, 40))}`;
}
