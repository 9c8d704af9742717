import { defined } from '../json/defined.ts';
import type { ComparedCases, ComparedSide, JudgedMargin } from '../model/comparison.ts';
import type { RecordedCheck, RecordedJudge } from '../model/record.ts';
import { judgedMargin } from '../stats/agreement.ts';
import { isPaired } from './pair-cases.ts';

/** The tolerated drop where judges decide; undefined where rules alone do. */
export function findJudgedMargin(
  cases: ComparedCases,
  sides: { readonly baseline: ComparedSide; readonly candidate: ComparedSide },
  { judges, maxDrop }: { readonly judges: readonly RecordedJudge[]; readonly maxDrop: number },
): JudgedMargin | undefined {
  if (judges.length === 0) return undefined;
  const judged = shareOfJudged(cases, sides, judges);
  if (judged === 0) return undefined;
  const unmeasured = [...new Set(judges.filter(({ measured }) => measured === undefined).map(({ judge }) => judge))];
  const [least] = judges
    .flatMap(({ judge, measured }) => (measured === undefined ? [] : [{ judge, ...measured }]))
    .toSorted((a, b) => a.youdenLow - b.youdenLow);
  const margin = least === undefined ? maxDrop : judgedMargin(maxDrop, least.youdenLow, judged);
  return { maxDrop, margin, judged, unmeasured, ...defined({ least }) };
}

/** Of the failed trials on both sides, the share that judges alone failed; 1 where none failed. */
function shareOfJudged(
  cases: ComparedCases,
  { baseline, candidate }: { readonly baseline: ComparedSide; readonly candidate: ComparedSide },
  judges: readonly RecordedJudge[],
): number {
  let [failed, judged] = [0, 0];
  for (const pair of cases.values()) {
    if (!isPaired(pair)) continue;
    for (const side of [baseline, candidate]) {
      const { trials } = side === baseline ? pair.baseline : pair.candidate;
      for (const row of trials) {
        if (row.status !== 'failed') continue;
        failed += 1;
        if (isFailedByJudges(side.checksOf(row), judges)) judged += 1;
      }
    }
  }
  return failed === 0 ? 1 : judged / failed;
}

function isFailedByJudges(checks: readonly RecordedCheck[], judges: readonly RecordedJudge[]): boolean {
  const counted = checks.filter(({ weight = 1, required = false }) => weight > 0 || required);
  const failing = counted.filter(({ pass }) => !pass);
  // Below the case's threshold although every check passed: the scores of all of them decide.
  const deciding = failing.length > 0 ? failing : counted;
  return deciding.length > 0 && deciding.every((check) => isJudged(check, judges));
}

function isJudged({ assertion, judgement }: RecordedCheck, judges: readonly RecordedJudge[]): boolean {
  // Whether a judge is among its parts is not recorded, so the smaller margin holds.
  if (combinators.has(assertion)) return true;
  return judges.some((known) => known.judge === judgement?.judge && known.assertion === assertion);
}

const combinators: ReadonlySet<string> = new Set(['not', 'anyOf', 'allOf']);
