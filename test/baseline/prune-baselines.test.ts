import { expect, test } from 'vitest';
import { pruneBaselines } from '../../src/baseline/prune-baselines.ts';
import { buildCase, buildPrompt, buildProvider, buildSuite } from '../support/build-case.ts';
import { openProject, passed, rowOf, triage } from './record-project.ts';

test('baselines lose what their suites no longer have: cases, prompts and providers', async () => {
  const project = openProject();
  const rows = [rowOf('a', { prompt: 'v2' }), rowOf('a', { provider: 'q' }), rowOf('b', { provider: 'q' })];
  const variants = [{}, { prompt: 'v2' }, { provider: 'q' }];
  await project.accept(project.write({ cases: { a: passed, b: passed }, variants, more: rows }));
  const prune = (...cases: readonly string[]) => {
    const suite = buildSuite(
      cases.map((id) => buildCase({ id })),
      { ...triage, prompts: [buildPrompt({ id: 'v1' })], providers: [buildProvider({ id: 'p' })] },
    );
    const none = buildSuite([], { id: 'none', path: 'evals/none.eval.yaml' });
    return pruneBaselines({ root: project.root, suites: [none, suite] }, project.root);
  };
  const pruned = { suite: 'triage', file: 'evals/triage.baseline.jsonl' };
  expect(prune('a', 'b')).toEqual([{ ...pruned, removed: 3 }]);
  expect(prune('a', 'b')).toEqual([{ ...pruned, removed: 0 }]);
  expect(prune('b', 'c')).toEqual([{ ...pruned, removed: 1 }]);
  const left = project.rows();
  expect([
    left?.variants.map(({ prompt, provider }) => [prompt, provider]),
    left?.cases.map(({ caseId }) => caseId),
  ]).toEqual([[['v1', 'p']], ['b']]);
});
