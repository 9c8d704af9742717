import { expect, test } from 'vitest';
import { openJudgeProject } from './judge-project.ts';

const rubric = '[{ rubric: It is warm. }]';

test.each([
  ['no judge at all', { assert: rubric, judges: '[]' }, ['rubric needs a judge', 'tone.eval.yaml:6']],
  [
    'several judges and none named',
    { assert: rubric, judges: '[openai:gpt-4o, openai:o3]' },
    ['rubric names no judge, and the suite has several', 'tone.eval.yaml:6'],
  ],
  [
    'a judge that is not there',
    { assert: '[{ rubric: { value: x, judge: strikt } }]' },
    ['"strikt" is not a judge of this suite', 'did you mean "strict"?', 'tone.eval.yaml:6'],
  ],
  [
    'the model under test',
    { assert: rubric, judges: '[{ id: own, use: openai:gpt-4o-mini }]' },
    ['judge itself', 'provider "mini"', 'sameModel: true', 'tone.eval.yaml:4'],
  ],
  [
    'a name that a provider has',
    { assert: rubric, judges: '[{ id: mini, use: openai:gpt-4o }]' },
    ['id of a provider'],
  ],
  ['an even number of votes', { assert: '[{ rubric: { value: x, votes: 2 } }]' }, ['must be odd', 'tone.eval.yaml:6']],
  [
    'a question without the answer',
    { assert: '[{ choice: { value: "Polite?", choices: [{ choice: a, score: 1 }] } }]' },
    ['holds no {answer}', 'write {answer} where the answer belongs', 'tone.eval.yaml:6'],
  ],
  [
    'a key that no judge has',
    { assert: rubric, judges: '[{ id: a, use: openai:gpt-4o, minKapa: 1 }]' },
    ['"minKapa"', 'minKappa'],
  ],
  [
    'an adapter without embeddings',
    { assert: '[{ similar: { value: x, provider: "exec:cat" } }]' },
    ['the adapter exec gives no embeddings', 'tone.eval.yaml:6'],
  ],
])('%s is a usage error with its place', async (_, suite, wanted) => {
  const { code, stderr } = await openJudgeProject(suite).run(['validate']);
  expect(code).toBe(2);
  for (const text of wanted) expect(stderr).toContain(text);
});

test('a judge of the config that no check asks may be the model under test', async () => {
  const project = openJudgeProject({ assert: '[{ equals: red }]', judges: '[openai:gpt-4o-mini]' });
  expect((await project.run(['validate'])).code).toBe(0);
});

test('sameModel lets a model judge itself', async () => {
  const judges = '[{ id: own, use: openai:gpt-4o-mini, sameModel: true }]';
  expect((await openJudgeProject({ assert: rubric, judges }).run(['validate'])).code).toBe(0);
});

test('validate warns of a judge without its key', async () => {
  const judges = '[{ id: far, use: openai:gpt-4o, baseURL: http://127.0.0.1:9/v1, apiKeyEnv: JUDGE_KEY }]';
  const { stderr } = await openJudgeProject({ assert: rubric, judges }).run(['validate'], {
    env: { OPENAI_API_KEY: 'x' },
  });
  expect(stderr).toContain('JUDGE_KEY is not set');
});
