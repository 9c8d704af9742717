import { join } from 'node:path';

/** `evals/triage.eval.yaml` has its baseline beside it in `evals/triage.baseline.jsonl`. */
export function baselinePathOf(root: string, suitePath: string): string {
  return join(root, `${suitePath.replace(/(?:\.eval)?\.(?:ya?ml|[cm]?[jt]s)$/i, '')}.baseline.jsonl`);
}
