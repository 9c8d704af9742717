import { join } from 'node:path';
import { refuseOutside } from './project-boundary.ts';

/**
 * `evals/triage.eval.yaml` has its baseline beside it in `evals/triage.baseline.jsonl`. Throws a `UserError` where that
 * leads out of the project.
 */
export function baselinePathOf(root: string, suitePath: string): string {
  return checkedPath(root, pathBeside(root, suitePath, 'baseline.jsonl'));
}

/** The same of `evals/triage.judges.json`, which holds what was measured of the suite's judges. */
export function calibrationPathOf(root: string, suitePath: string): string {
  return checkedPath(root, pathBeside(root, suitePath, 'judges.json'));
}

/** Such a path for those who neither read nor write the file. */
export function pathBeside(root: string, suitePath: string, ending: 'baseline.jsonl' | 'judges.json'): string {
  return join(root, `${suitePath.replace(/(?:\.eval)?\.(?:ya?ml|[cm]?[jt]s)$/i, '')}.${ending}`);
}

function checkedPath(root: string, path: string): string {
  refuseOutside(path, { root, cwd: root });
  return path;
}
