import { defined } from '../../json/defined.ts';
import type {
  PageCaseGroup,
  PageFailure,
  PageFailures,
  PageLimit,
  PageOutcome,
  PageText,
} from '../../model/report/page.ts';
import type { Report } from '../../model/report/report.ts';
import { clipText } from '../../text/shorten.ts';
import { reasonText } from '../cases/explain-case.ts';
import {
  type CaseGroup,
  type CaseOutcome,
  countHidden,
  type FailedCases,
  type SuiteSurvey,
  surveyCases,
  worstFirst,
} from '../cases/failed-cases.ts';
import { rankWord } from '../cases/gate-effect.ts';
import { listLoosened } from '../cases/loosened-cases.ts';
import { nameCases, nameVariants } from '../cases/name-cases.ts';
import { findGateEntries } from '../run-facts.ts';

/** The cases that did not pass, in the same groups as in every other report. */
export function buildPageFailures(report: Report): PageFailures {
  const surveys = surveyCases(report, { maxEntries, maxNames: maxGroupNames, maxGroups });
  const hidden = surveys.flatMap(countHidden);
  return {
    loosened: listLoosened(report, (text) => clipText(text, maxReasonChars)),
    entries: worstFirst(surveys.flatMap(({ failed }) => failed)).map(buildFailure),
    hidden: hidden.reduce((sum, [, count]) => sum + count, 0),
    errored: surveys.flatMap((survey) => survey.errored.map((group) => buildGroup(survey, group))),
    tolerated: surveys.flatMap((survey) => survey.tolerated.map((group) => buildGroup(survey, group))),
    limits: buildLimits(report),
  };
}

const maxEntries = 20;
const maxGroups = 20;
const maxGroupNames = 20;
const maxIds = 100;
const maxReasons = 5;
const maxAnswerChars = 6000;
const maxReasonChars = 1000;
const contextChars = 300;

function buildFailure({ suite, caseIds, mustPass, outcomes }: FailedCases): PageFailure {
  const { at } = outcomes[0].entry;
  return {
    suite: suite.suite,
    title: nameCases(caseIds, asIs),
    caseIds: caseIds.slice(0, maxIds),
    count: caseIds.length,
    at: { file: at.file, line: at.line, column: at.column },
    ...defined({ mustPass: mustPass || undefined }),
    outcomes: outcomes.map((outcome) => buildOutcome(suite, outcome)),
  };
}

function buildOutcome(suite: FailedCases['suite'], outcome: CaseOutcome): PageOutcome {
  const { entry, variants, effect, rank, explanation } = outcome;
  const { prompt, provider, status, change } = entry;
  const { input, trials, reasons } = explanation;
  return {
    prompt,
    provider,
    status,
    ...cutSides(explanation),
    reasons: reasons.slice(0, maxReasons).map((reason) => clipText(reasonText(reason, explanation), maxReasonChars)),
    ...defined({
      variants: suite.variants.length > 1 ? nameVariants(variants, suite, asIs) : undefined,
      word: rankWord(entry, rank) || undefined,
      change,
      tolerated: effect.kind === 'tolerated' ? effect.reason : undefined,
      isAccepted: rank === 'accepted' || undefined,
      trials: trials || undefined,
      input: input === undefined ? undefined : cut(input, maxReasonChars),
    }),
  };
}

/** Both answers. Long answers are cut to the parts around the first difference. */
function cutSides({ before, answer }: CaseOutcome['explanation']): Pick<PageOutcome, 'before' | 'now'> {
  const start = before === undefined || answer === undefined ? 0 : findStart(before, answer);
  return defined({
    before: before === undefined ? undefined : cut(before, maxAnswerChars, start),
    now: answer === undefined ? undefined : cut(answer, maxAnswerChars, start),
  });
}

function findStart(before: string, now: string): number {
  if (Math.max(before.length, now.length) <= maxAnswerChars) return 0;
  let alike = 0;
  while (alike < before.length && before[alike] === now[alike]) alike += 1;
  const start = Math.max(0, alike - contextChars);
  return /[\uDC00-\uDFFF]/.test(before.charAt(start)) ? start + 1 : start;
}

function cut(text: string, maxChars: number, start = 0): PageText {
  if (start === 0 && text.length <= maxChars) return text;
  return { text: (start > 0 ? '…' : '') + clipText(text.slice(start), maxChars), ofChars: text.length };
}

function buildGroup({ suite }: SuiteSurvey, { reason, count, cases, variants }: CaseGroup): PageCaseGroup {
  const [first] = variants;
  return {
    suite: suite.suite,
    reason: clipText(reason, maxReasonChars),
    count,
    caseIds: cases.map(({ caseId }) => caseId),
    ...defined({
      variants: suite.variants.length > 1 ? nameVariants(variants, suite, asIs) : undefined,
      prompt: first?.prompt,
      provider: first?.provider,
    }),
  };
}

/** Broken limits besides single cases. Variants that missed the same limit share a line. */
function buildLimits(report: Report): readonly PageLimit[] {
  const groups = new Map<
    string,
    { readonly message: string; readonly names: { prompt: string; provider: string }[] }
  >();
  const entries = findGateEntries(report).filter(({ breach }) => breach?.caseId === undefined);
  for (const { breach, message } of entries) {
    const { suite, prompt, provider } = breach ?? {};
    const own = breach?.message ?? message;
    const key = JSON.stringify([breach?.code, suite, own]);
    const group = groups.get(key) ?? { message: own, names: [] };
    if (prompt !== undefined && provider !== undefined) group.names.push({ prompt, provider });
    groups.set(key, group);
  }
  return [...groups].slice(0, maxLimits).map(([key, { message, names }]) => {
    const [, suiteName] = JSON.parse(key) as readonly [unknown, string | null];
    const suite = report.suites.find((one) => one.suite === suiteName);
    const isNamed = suite !== undefined && names.length > 0;
    return {
      text: clipText(message, maxReasonChars),
      ...defined({
        suite: suiteName ?? undefined,
        variants: isNamed ? nameVariants(names, suite, asIs) : undefined,
      }),
    };
  });
}

const maxLimits = 50;

/** The page escapes each text itself. */
function asIs(text: string): string {
  return text;
}
