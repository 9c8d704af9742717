import { defined } from '../json/defined.ts';
import type { CheckedJudges, CheckedSuite } from '../measuring/check-judges.ts';
import { formatPercent, formatUsd } from '../text/format-amount.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { quote } from '../text/shorten.ts';

const format = 1;
/** More are in the JSON. */
const maxShownWrong = 10;

/** What `judge check` prints. */
export function describeJudges({ suites, spentUsd }: CheckedJudges): string {
  if (suites.length === 0) return '';
  const lines = suites.flatMap((suite) => [
    ...suite.criteria.flatMap((found) => [...describeCriterion(suite.suite, found), '']),
    ...(suite.file === undefined ? [] : [`${suite.isChanged ? 'wrote' : 'unchanged'} ${suite.file}`]),
  ]);
  return `${[...lines, `spent ${spentUsd === undefined ? 'unknown' : formatUsd(spentUsd)}`].join('\n')}\n`;
}

type Found = CheckedSuite['criteria'][number];

function describeCriterion(suite: string, found: Found): readonly string[] {
  const { calibration, criterion, errored, confusion, positions, lengthBias, lack } = found;
  const { judge, assertion, name, cases, agreement, kappa, low, high } = calibration;
  const head = `${suite}: judge ${judge} on ${assertion}${name === undefined ? '' : ` ${quote(name)}`} (${criterion.judge.adapter}:${criterion.judge.model})`;
  return [
    toSafeLine(head),
    row('labelled', `${cases}${errored === 0 ? '' : `, and ${errored} without a word of the judge`}`),
    row('agreement', agreement === null ? '–' : formatPercent(agreement)),
    row('kappa', kappa === null ? 'unknown: the labels or the verdicts are all alike' : interval(kappa, low, high)),
    ...confusion
      .filter(({ said, label, count }) => said !== label && count > 0)
      .map(({ said, label, count }) =>
        row('', `${count} × said ${wordOf(said, assertion)}, labelled ${wordOf(label, assertion)}`),
      ),
    ...(positions === undefined
      ? []
      : [row('position', `first won ${positions.first}, second ${positions.second}, neither ${positions.tie}`)]),
    row(
      'length',
      lengthBias.rho === null
        ? describeNoCorrelation(agreement)
        : `rank correlation ${interval(lengthBias.rho, lengthBias.low, lengthBias.high)} of length and excess`,
    ),
    ...describeWrong(found),
    ...(lack === undefined ? [] : [toSafeLine(`  ${lack}`)]),
  ];
}

function describeWrong({ wrong, calibration: { assertion } }: Found): readonly string[] {
  const shown = wrong.slice(0, maxShownWrong).map(({ label, said, verdict, error }) => {
    const { file, line } = label.at;
    const word =
      said === undefined
        ? `no word: ${error ?? ''}`
        : `said ${wordOf(said, assertion)}, labelled ${wordOf(label.label, assertion)}: ${verdict?.reason ?? ''}`;
    return toSafeLine(`  ${file}:${line} ${label.id}: ${word}`);
  });
  return wrong.length > maxShownWrong
    ? [...shown, `  and ${wrong.length - maxShownWrong} more (--json has all)`]
    : shown;
}

/** A judge that is never wrong has no bias; of others, a correlation can be unknown. */
function describeNoCorrelation(agreement: number | null): string {
  return agreement === 1 ? 'no bias to be seen' : 'unknown: the answers are all of one length, or too few were judged';
}

/** Of a comparison the words are those of its labels. */
function wordOf(word: string, assertion: string): string {
  if (assertion !== 'pairwise') return word;
  return word === 'pass' ? 'win' : word === 'fail' ? 'loss' : word;
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(9)}  ${value}`;
}

function interval(value: number, low: number | null, high: number | null): string {
  return low === null || high === null ? round(value) : `${round(value)} [${round(low)}, ${round(high)}]`;
}

/** Without the minus of a zero. */
function round(value: number): string {
  return value.toFixed(2).replace(/^-(?=0\.00$)/, '');
}

/** The same for scripts, with every wrong case. */
export function buildJudgeJson({ suites, spentUsd }: CheckedJudges): string {
  const shown = suites.map(({ suite, criteria, file }) => ({
    suite,
    ...defined({ file }),
    judges: criteria.map(({ calibration, errored, confusion, positions, lengthBias, wrong, lack, criterion }) => ({
      ...calibration,
      minKappa: criterion.judge.judging?.minKappa ?? null,
      mayDecide: lack === undefined,
      ...defined({ why: lack }),
      errored,
      confusion,
      positions: positions ?? null,
      lengthBias,
      wrong: wrong.map(({ label, said, verdict, error }) => ({
        id: label.id,
        at: { file: label.at.file, line: label.at.line },
        label: label.label,
        said: said ?? null,
        reason: verdict?.reason ?? error ?? '',
        answer: label.answer,
      })),
    })),
  }));
  return `${JSON.stringify({ format, spentUsd: spentUsd ?? null, suites: shown }, undefined, 2)}\n`;
}
