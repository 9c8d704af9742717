import { expect, test } from 'vitest';
import type { Cell } from '../../src/model/run/cell.ts';
import type { RunHeader } from '../../src/model/run/record.ts';
import type { Plan } from '../../src/plan/build-plan.ts';
import { indexCells, openCells } from '../../src/plan/find-cells.ts';
import { buildCell } from '../support/build-case.ts';
import { settings } from '../support/build-summary.ts';
import { openTempProject } from '../support/temp-project.ts';

const suiteText = (id: string, expected: string) => `suite: ${id}
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: own, use: "replay:answers.jsonl" }]
defaults: { trials: 2, assert: [{ equals: ${expected} }] }
cases: [{ id: one, vars: { word: a } }, { id: two, vars: { word: b } }]
`;

test('the cells of a stored run’s suites are those of the files today, by suite', async () => {
  const project = openTempProject();
  project.write('answers.jsonl', '');
  for (const id of ['a', 'b']) project.write(`evals/${id}.eval.yaml`, suiteText(id, `of-${id}`));
  project.write('evals/broken.eval.yaml', 'suite: [');
  const suites = ['a', 'b', 'broken', 'gone'].map((suite) => ({ suite, path: `evals/${suite}.eval.yaml` }));
  // A cost limit would ask for the prices of models.
  const header = { settings: { ...settings, maxCostUsd: 1 }, suites } as unknown as RunHeader;
  const find = openCells(header, { root: project.root, env: {} });
  const found = async (...[suite, prompt, provider, caseId]: Parameters<typeof find>) => {
    const cell = await find(suite, prompt, provider, caseId);
    return cell && [cell.key, cell.checks[0]?.params];
  };
  expect(await found('a', 'v1', 'own', 'two')).toMatchObject([
    { suite: 'a', prompt: 'v1', provider: 'own', caseId: 'two', trial: 0 },
    { value: 'of-a' },
  ]);
  expect((await found('b', 'v1', 'own', 'one'))?.[1]).toMatchObject({ value: 'of-b' });
  for (const [suite, prompt, provider, caseId] of [
    ['other', 'v1', 'own', 'one'],
    ['broken', 'v1', 'own', 'one'],
    ['gone', 'v1', 'own', 'one'],
    ['a', 'v2', 'own', 'one'],
    ['a', 'v1', 'other', 'one'],
    ['a', 'v1', 'own', 'three'],
  ] as const) {
    expect(await found(suite, prompt, provider, caseId)).toBeUndefined();
  }
  // A suite is loaded once.
  project.write('evals/a.eval.yaml', suiteText('a', 'changed'));
  expect((await found('a', 'v1', 'own', 'one'))?.[1]).toMatchObject({ value: 'of-a' });
});

test('the first trial of a case is found, and the plan is walked once', () => {
  const keyOf = (provider: string, trial: number) => ({ ...buildCell().key, provider, trial });
  const cells = ['p', 'q'].flatMap((provider) => [0, 1].map((trial) => buildCell({ key: keyOf(provider, trial) })));
  let walked = 0;
  const plan = {
    providerKeys: ['p', 'q'],
    *cells(key: string): Iterable<Cell> {
      walked += 1;
      yield* cells.filter((cell) => cell.key.provider === key);
    },
  } as unknown as Plan;
  const find = indexCells(plan);
  for (const provider of ['p', 'q', 'p'])
    expect(find('triage', 'v1', provider, 'refund')?.key).toEqual(keyOf(provider, 0));
  expect([find('triage', 'v1', 'r', 'refund'), walked]).toEqual([undefined, 2]);
});
