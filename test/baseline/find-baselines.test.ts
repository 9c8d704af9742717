import { expect, test } from 'vitest';
import { openBaselines } from '../../src/baseline/find-baselines.ts';
import { renderBaseline } from '../../src/baseline/write-baseline.ts';
import type { BaselineCase } from '../../src/model/comparison/baseline.ts';
import { contentOf } from '../support/baseline-rows.ts';
import { buildVariant } from '../support/build-summary.ts';
import { gitEnv, initRepository } from '../support/git.ts';
import { openTempProject } from '../support/temp-project.ts';

function baselineOf(...caseIds: readonly string[]): string {
  const cases = caseIds.map((caseId): BaselineCase => {
    const trials = [{ trial: 0, status: 'passed' as const, checks: [] }];
    return { type: 'case', prompt: 'v1', provider: 'p', caseId, caseHash: 'h', trials };
  });
  const { planned: _planned, observed: _observed, ...recorded } = buildVariant(1);
  const variant = { ...recorded, type: 'variant', models: [] } as const;
  return [...renderBaseline(contentOf({ suite: 's', variants: [variant], cases }))].join('');
}

test.each([
  ['the same cases', ['a', 'b'], false],
  ['fewer cases', ['a'], true],
  ['no case', [], true],
  ['more cases', ['a', 'b', 'c'], true],
])('a change whose baseline has %s beside that of its ref', (_, caseIds, isOther) => {
  const project = openTempProject();
  project.write('s.baseline.jsonl', baselineOf('a', 'b'));
  initRepository(project.root);
  project.write('s.baseline.jsonl', baselineOf(...caseIds));
  const { root } = project;
  const find = openBaselines({ source: 'git:main' }, { root, cwd: root, env: gitEnv });
  const found = find({ id: 's', path: 's.eval.yaml' });
  expect(found !== undefined && 'own' in found).toBe(isOther);
});
