import type { Case, Criterion, LabelledAnswer, Suite } from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { sha256Hex } from '../text/sha256.ts';
import type { KnownAnswer } from './known-answers.ts';

/** A stored answer that a person is asked to label. Nothing of the judge's verdict is in it. */
export interface DrawnAnswer {
  /** The same for the same answer in every draw. */
  readonly id: string;
  readonly testCase: Case;
  readonly check: CheckSpec;
  readonly answer: string;
  readonly drawn: NonNullable<LabelledAnswer['drawn']>;
}

export interface DrawOptions {
  readonly size: number;
  readonly seed: number;
}

/** A distinct answer with what the judge said of it. */
interface Candidate extends Omit<DrawnAnswer, 'drawn'> {
  readonly isPass: boolean;
  /** Votes differed, or two trials of this very answer. */
  readonly isSplit: boolean;
}

/**
 * Draws half from answers that the judge passed and half from those it failed, and within each up to half from answers with
 * split votes. Those come first, and nothing else in the order depends on the verdict. The order of a group is fixed by the
 * seed, so the same draw again begins with the same answers.
 */
export function drawAnswers(
  suite: Suite,
  criterion: Criterion,
  answers: readonly KnownAnswer[],
  { size, seed }: DrawOptions,
): readonly DrawnAnswer[] {
  const rank = ({ id }: Pick<Candidate, 'id'>) => sha256Hex(`${seed} ${id}`);
  const candidates = findCandidates(suite, criterion, answers)
    .map((candidate) => ({ candidate, order: rank(candidate) }))
    .toSorted((a, b) => (a.order < b.order ? -1 : 1))
    .map(({ candidate }) => candidate);
  const groups = [true, false].map((isPass) =>
    [true, false].map((isSplit) => candidates.filter((one) => one.isPass === isPass && one.isSplit === isSplit)),
  );
  const sides = shareOut(
    size,
    groups.map((side) => side.reduce((sum, group) => sum + group.length, 0)),
  );
  const drawn = groups.flatMap((side, s) => {
    const parts = shareOut(
      sides[s] ?? 0,
      side.map((group) => group.length),
    );
    return side.flatMap((group, g) =>
      group.slice(0, parts[g]).map((one) => ({ one, drawn: { stratum: 2 * s + g + 1, of: group.length } })),
    );
  });
  return drawn
    .toSorted((a, b) => Number(b.one.isSplit) - Number(a.one.isSplit) || (rank(a.one) < rank(b.one) ? -1 : 1))
    .map(({ one: { isPass: _isPass, isSplit: _isSplit, ...rest }, drawn: from }) => ({ ...rest, drawn: from }));
}

/** Splits a number in two halves; what one of the two can't take goes to the other. */
function shareOut(total: number, [first = 0, second = 0]: readonly number[]): readonly [number, number] {
  const half = Math.min(first, Math.max(Math.ceil(total / 2), total - second));
  return [half, Math.min(second, total - half)];
}

/** The distinct answers of single questions that the judge gave a verdict on. A conversation is more than its last answer. */
function findCandidates(
  suite: Suite,
  { judge, assertion, name }: Criterion,
  answers: readonly KnownAnswer[],
): readonly Candidate[] {
  const isAsked = (check: { readonly assertion: string; readonly name?: string }) =>
    check.assertion === assertion && check.name === name;
  const cases = new Map([...suite.cases()].map((testCase) => [testCase.id, testCase]));
  const found = new Map<string, Candidate>();
  for (const { caseId, completion, checks } of answers) {
    const testCase = cases.get(caseId);
    const check = testCase?.checks.find((one) => one.asks === judge.id && isAsked(one));
    const said = checks.find((one) => one.judgement?.judge === judge.id && isAsked(one) && one.error === undefined);
    if (testCase === undefined || check === undefined || said?.judgement === undefined) continue;
    if (testCase.turns.length > 0 || completion.text === '') continue;
    const id = `${caseId}-${sha256Hex(`${name ?? assertion} ${completion.text}`).slice(0, 8)}`;
    const known = found.get(id);
    const isSplit = said.judgement.agreement < 1 || (known !== undefined && known.isPass !== said.pass);
    found.set(id, {
      id,
      testCase,
      check,
      answer: completion.text,
      isPass: known?.isPass ?? said.pass,
      isSplit: isSplit || known?.isSplit === true,
    });
  }
  return [...found.values()];
}
