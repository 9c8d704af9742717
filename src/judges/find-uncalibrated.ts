import { relative } from 'node:path';
import type { JudgeCalibration } from '../model/calibration.ts';
import type { Criterion, Suite } from '../model/suite.ts';
import { calibrationPathOf } from '../project/project-paths.ts';
import { quote } from '../text/shorten.ts';
import { readCalibrations } from './calibration-file.ts';
import { hashLabels } from './hash-labels.ts';

/** Why judges of a suite may not decide yet, a sentence each; nothing is read where no judge has a `minKappa`. */
export function findUncalibrated(suite: Suite, root: string, cwd: string): readonly string[] {
  const demanding = suite.criteria.filter(({ judge }) => judge.judging?.minKappa !== undefined);
  if (demanding.length === 0) return [];
  const path = calibrationPathOf(root, suite.path);
  const calibrations = readCalibrations(path, relative(cwd, path));
  return demanding.flatMap((criterion) => describeLack(criterion, calibrations, suite) ?? []);
}

/** Undefined where the judge may decide by this criterion. */
export function describeLack(
  criterion: Criterion,
  calibrations: readonly JudgeCalibration[],
  { path: suitePath, labels }: Pick<Suite, 'path' | 'labels'>,
): string | undefined {
  const minKappa = criterion.judge.judging?.minKappa;
  if (minKappa === undefined) return undefined;
  const own = calibrations.filter(({ judge }) => judge === criterion.judge.id);
  const measured = own.find(({ stamp }) => stamp === criterion.stamp);
  const lead = `judge ${quote(criterion.judge.id)} may not decide by ${describeCriterion(criterion)}`;
  const wanted = `minKappa is ${minKappa}`;
  if (measured === undefined) {
    const before = own.some(({ assertion, name }) => assertion === criterion.assertion && name === criterion.name);
    const what = before
      ? 'it was measured before the judge or the check changed'
      : 'its agreement with people was never measured';
    return `${lead}: ${what}, and ${wanted}; run llmcheck judge check ${suitePath}`;
  }
  if (measured.labels !== undefined && measured.labels !== hashLabels(labels, criterion))
    return `${lead}: it was measured before its labels changed, and ${wanted}; run llmcheck judge check ${suitePath}`;
  const { kappa, low, high, cases } = measured;
  if (kappa === null) return `${lead}: its kappa over ${cases} labelled answers can't be said, and ${wanted}`;
  if (kappa >= minKappa) return undefined;
  return `${lead}: kappa ${kappa.toFixed(2)} [${show(low)}, ${show(high)}] over ${cases} labelled answers, and ${wanted}`;
}

export function describeCriterion({ assertion, name }: Pick<Criterion, 'assertion' | 'name'>): string {
  return name === undefined ? assertion : quote(name);
}

function show(bound: number | null): string {
  return bound === null ? '–' : bound.toFixed(2);
}
