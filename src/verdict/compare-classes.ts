import { defined } from '../json/defined.ts';
import type {
  ComparedCases,
  ComparedClassCell,
  ComparedClasses,
  ComparedRecall,
  MetricEvidence,
} from '../model/comparison/comparison.ts';
import { countStatus } from '../model/run/cell.ts';
import { type ClassPolicy, noClass } from '../model/suite/classes.ts';
import type { GatePolicy } from '../model/suite/gate-policy.ts';
import { classifyRows, createFindClass, truthOf } from '../record/count-classes.ts';
import { bootstrapF1, type PairedClassified, widenToUnseen } from '../stats/bootstrap-f1.ts';
import { type Classified, confusionMatrix, macroScores } from '../stats/classification.ts';
import { adjustHolm } from '../stats/multiplicity.ts';
import { groupBy } from '../text/group-by.ts';
import { compareRates } from './compare-rates.ts';
import { defaultMaxDrop } from './default-margins.ts';
import { isPaired } from './pair-cases.ts';

interface ClassOptions {
  readonly gate: Pick<GatePolicy, 'alpha' | 'scope'>;
}

/** A case that has a class, or an error instead of one, on both sides. */
interface ClassifiedPair extends PairedClassified {
  readonly caseId: string;
  readonly truth: string;
  /** Errored trials. */
  readonly errors: { readonly baseline: number; readonly candidate: number };
}

/** Compares how often the answers of two sides name the class of their case. */
export function compareClasses(cases: ComparedCases, policy: ClassPolicy, { gate }: ClassOptions): ComparedClasses {
  const { pairs, relabelled, unclassified } = pairClasses(cases, policy);
  const compared = pairs.filter(isComparable);
  return {
    cases: compared.length,
    f1: { evidence: compareF1(pairs, policy, gate.alpha), maxDrop: policy.f1.maxDrop ?? defaultMaxDrop },
    recall: compareRecalls(pairs, policy, gate),
    cells: compareCells(compared),
    changed: compared.filter(isChanged).length,
    relabelled,
    unclassified,
    vanished: findVanished(cases),
  };
}

function pairClasses(cases: ComparedCases, policy: ClassPolicy) {
  const findClass = createFindClass(policy);
  const pairs: ClassifiedPair[] = [];
  let [relabelled, unclassified] = [0, 0];
  for (const found of cases.values()) {
    const truth = isPaired(found) ? truthOf(found.candidate) : undefined;
    if (!isPaired(found) || truth === undefined) continue;
    const { baseline, candidate } = found;
    const accepted = classifyRows(baseline.trials, truth, findClass);
    const answers = classifyRows(candidate.trials, truth, findClass);
    if ((truthOf(baseline) ?? truth) !== truth) relabelled += 1;
    else if (accepted.length === 0 && baseline.trials.some(({ status }) => status !== 'errored')) unclassified += 1;
    else {
      const errors = {
        baseline: countStatus(baseline.trials, 'errored'),
        candidate: countStatus(candidate.trials, 'errored'),
      };
      const { caseId } = found;
      pairs.push({ caseId, truth, baseline: accepted, candidate: answers, group: candidate.group, errors });
    }
  }
  return { pairs, relabelled, unclassified };
}

function isComparable({ baseline, candidate }: PairedClassified): boolean {
  return baseline.length > 0 && candidate.length > 0;
}

function compareF1(pairs: readonly ClassifiedPair[], { names }: ClassPolicy, alpha: number): MetricEvidence {
  const compared = pairs.filter(isComparable);
  const compare = (cases: readonly PairedClassified[]) =>
    widenToUnseen(bootstrapF1(cases, { alpha, classes: names }), {
      cases: cases.map(({ candidate, group }) => ({ answers: candidate, group })),
      classes: names,
      alpha,
    });
  const valueOf = (answers: readonly Classified[]) => macroScores(confusionMatrix(answers), names).f1;
  const { delta, low, high, pWorse } = compare(compared);
  const hasErrors = pairs.some(({ errors }) => errors.baseline + errors.candidate > 0);
  return {
    baseline: valueOf(compared.flatMap(({ baseline }) => baseline)),
    candidate: valueOf(compared.flatMap(({ candidate }) => candidate)),
    delta,
    low,
    high,
    p: pWorse,
    n: compared.length,
    ...defined({ worstLow: hasErrors ? compare(pairs.map(countErrors).filter(isComparable)).low : undefined }),
  };
}

/** Errors can't help: they count as right answers of the baseline, and as answers without a class of the candidate. */
function countErrors({ truth, baseline, candidate, errors, group }: ClassifiedPair): PairedClassified {
  const add = (answers: readonly Classified[], found: string, count: number) => {
    const all = [...answers, ...Array.from({ length: count }, () => ({ truth, found }))];
    return all.map((answer) => ({ ...answer, weight: 1 / all.length }));
  };
  return {
    baseline: add(baseline, truth, errors.baseline),
    candidate: add(candidate, noClass, errors.candidate),
    group,
  };
}

function compareRecalls(
  pairs: readonly ClassifiedPair[],
  { recall: limits }: ClassPolicy,
  { alpha, scope }: ClassOptions['gate'],
): ReadonlyMap<string, ComparedRecall> {
  const byClass = groupBy(pairs, ({ truth }) => truth);
  const compared = [...byClass.keys()].sort().map((name): [string, ComparedRecall] => {
    const own = byClass.get(name) ?? [];
    const margin = limits[name]?.maxDrop;
    const rights = (side: 'baseline' | 'candidate') => own.map((pair) => pair[side].map(isRight));
    const results = {
      baseline: rights('baseline'),
      candidate: rights('candidate'),
      groups: own.map(({ group }) => group),
      baselineErrors: own.map(({ errors }) => errors.baseline),
      candidateErrors: own.map(({ errors }) => errors.candidate),
    };
    const maxDrop = margin ?? defaultMaxDrop;
    const rate = compareRates(results, { alpha, margin: maxDrop, scope, binary: true });
    return [name, { ...rate, maxDrop, isLimited: margin !== undefined }];
  });
  return new Map(adjustUnlimited(compared));
}

/** Corrects over all classes without a limit: one of many looks worse by chance, which is not worth a warning. */
function adjustUnlimited(compared: readonly [string, ComparedRecall][]): readonly [string, ComparedRecall][] {
  const free = compared.filter(([, { isLimited, evidence }]) => !isLimited && evidence.p !== null);
  const adjusted = adjustHolm(free.map(([, { evidence }]) => evidence.p ?? 1));
  const byName = new Map(free.map(([name], index) => [name, adjusted[index] ?? 1]));
  return compared.map(([name, one]) => {
    const p = byName.get(name);
    return [name, p === undefined ? one : { ...one, evidence: { ...one.evidence, p } }];
  });
}

function isRight({ truth, found }: Classified): 0 | 1 {
  return truth === found ? 1 : 0;
}

function isChanged({ baseline, candidate }: ClassifiedPair): boolean {
  const namesOf = (answers: readonly Classified[]) => JSON.stringify(answers.map(({ found }) => found).sort());
  return namesOf(baseline) !== namesOf(candidate);
}

type CountedCell = Omit<ComparedClassCell, 'entered'> & { baseline: number; candidate: number; entered: string[] };

function compareCells(pairs: readonly ClassifiedPair[]): readonly ComparedClassCell[] {
  const cells = new Map<string, CountedCell>();
  for (const { caseId, truth, baseline, candidate } of pairs) {
    for (const name of new Set([...baseline, ...candidate].map(({ found }) => found))) {
      const key = JSON.stringify([truth, name]);
      const found = name === noClass ? null : name;
      const cell = cells.get(key) ?? { truth, found, baseline: 0, candidate: 0, entered: [] };
      const [before, after] = [shareOf(name, baseline), shareOf(name, candidate)];
      cell.baseline += before;
      cell.candidate += after;
      if (name !== truth && after > before && cell.entered.length < maxEntered) cell.entered.push(caseId);
      cells.set(key, cell);
    }
  }
  const movedBy = ({ baseline, candidate }: ComparedClassCell) => Math.round(Math.abs(candidate - baseline) * 1e6);
  return [...cells]
    .sort(([a, one], [b, other]) => movedBy(other) - movedBy(one) || (a < b ? -1 : 1))
    .map(([, cell]) => cell);
}

function shareOf(name: string, answers: readonly Classified[]): number {
  return answers.filter(({ found }) => found === name).length / answers.length;
}

const maxEntered = 10;

/** Classes whose accepted cases were all removed since. */
function findVanished(cases: ComparedCases): ComparedClasses['vanished'] {
  const removed = new Map<string, number>();
  for (const { baseline, change } of cases.values()) {
    const truth = change === 'removed' && baseline !== undefined ? truthOf(baseline) : undefined;
    if (truth !== undefined) removed.set(truth, (removed.get(truth) ?? 0) + 1);
  }
  for (const { candidate } of cases.values()) {
    const truth = candidate === undefined ? undefined : truthOf(candidate);
    if (truth !== undefined) removed.delete(truth);
  }
  return [...removed].map(([name, count]) => ({ name, cases: count })).sort((a, b) => (a.name < b.name ? -1 : 1));
}
