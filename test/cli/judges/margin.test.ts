import { expect, test } from 'vitest';
import type { JudgedMargin } from '../../../src/model/comparison/comparison.ts';
import { startJudgeServer, verdict } from '../../support/judge-server.ts';
import type { TempProject } from '../../support/temp-project.ts';
import { type JudgeSuite, openJudgeProject, writeJudgeSuite } from './judge-project.ts';

const rubric = '[{ rubric: The answer is good. }]';
const judges = '[{ id: strict, use: openai:gpt-4o, labels: strict.jsonl }]';
const words = Array.from({ length: 100 }, (_, n) => `w${n}`);
/** The judge finds 57 of 66 good and 30 of 34 bad answers: J is 0.68 at its lower 80 % bound. */
const labels = Array.from({ length: 100 }, (_, n) =>
  JSON.stringify({ answer: `${n}`, label: n % 3 === 0 ? 'fail' : 'pass' }),
).join('\n');

const startJudge = () =>
  startJudgeServer(({ parts }) => {
    const answer = parts['answer'] ?? '';
    if (!/^\d+$/.test(answer)) return verdict(!answer.includes('bad'));
    const n = Number(answer);
    return verdict((n % 3 !== 0 && n % 7 !== 0) || n % 11 === 0);
  });

/** Accepts the suite as it is, and changes the prompt without changing an answer. */
async function openAccepted(env: Record<string, string>, suite: JudgeSuite, measure: boolean): Promise<TempProject> {
  const project = openJudgeProject({ judges, ...suite });
  project.write('evals/strict.jsonl', `${labels}\n`);
  if (measure) await project.run(['judge', 'check'], { env });
  await project.run(['run', '--no-baseline'], { env });
  expect((await project.run(['baseline', 'accept'], { env })).code).toBe(0);
  writeJudgeSuite(project, {
    judges,
    ...suite,
    prompts: `  - { id: v1, messages: [{ role: system, content: "Echo." }, { role: user, content: "Say: {{ word }}" }] }`,
  });
  return project;
}

interface Comparison {
  readonly outcome: string;
  readonly certainty: { readonly kind: string };
  readonly notes: readonly string[];
  readonly advice: readonly string[];
  readonly judgedMargin?: JudgedMargin;
}

/** Reads the first comparison of a JSON report. */
function comparisonOf(json: string): Comparison {
  return JSON.parse(json).suites[0].variants[0].comparison;
}

test('a measured judge makes the margin smaller, and the stored record alone says the same', {
  tags: 'slow',
}, async () => {
  const { env } = await startJudge();
  const project = await openAccepted(env, { assert: rubric, words }, true);
  const { report, stdout } = await project.report(['run'], { env });
  const { outcome, certainty, judgedMargin, notes, advice } = comparisonOf(stdout);
  expect(judgedMargin).toEqual({
    maxDrop: 0.05,
    margin: expect.closeTo(0.05 * (judgedMargin?.least?.youdenLow ?? 0), 12),
    judged: 1,
    least: { judge: 'strict', labels: 100, youdenLow: expect.closeTo(0.68, 1) },
    unmeasured: [],
  });
  // 100 unchanged cases exclude a drop of 3.7 points, which is less than 5 and more than 3.4.
  expect([outcome, certainty.kind]).toEqual(['passed', 'unseen']);
  expect(notes.join()).toContain(
    'the margin of 5 pts is 3.4 pts of the judge\'s verdicts: judge "strict" shows at least 0.68 of a true drop',
  );
  expect(advice.join()).toContain("to certify 3.4 pts of the judge's verdicts");
  project.write('evals/tone.judges.json', '{"format": 1, "validations": []}');
  const again = await project.run(['report', report.run.id, '-r', 'json']);
  expect(comparisonOf(again.stdout)).toMatchObject({ outcome, judgedMargin });
  for (const format of ['terminal', 'markdown']) {
    const shown = await project.run(['report', report.run.id, '-r', format]);
    expect(shown.stdout.replace(/\s+/g, ' ')).toContain("is 3.4 pts of the judge's verdicts");
  }
});

test('without labels the margin stays, and the report says of whose verdicts', { tags: 'slow' }, async () => {
  const { env } = await startJudge();
  const project = await openAccepted(env, { assert: rubric, words }, false);
  const { stdout } = await project.report(['run'], { env });
  expect(comparisonOf(stdout)).toMatchObject({
    outcome: 'passed',
    judgedMargin: { maxDrop: 0.05, margin: 0.05, judged: 1, unmeasured: ['strict'] },
  });
  expect(comparisonOf(stdout).notes.join()).toContain("the margin is 5 pts of the judge's verdicts");
});

test.each([
  ['only rules', ['x1', 'x2'], 0],
  ['a rule and a judge, one each', ['x1', 'w bad'], 0.5],
  ['only the judge', ['w bad', 'w bad too'], 1],
  ['both at once, which the rule decides', ['x bad', 'x1'], 0],
])('failures of %s', { tags: 'slow' }, async (_, failing, judged) => {
  const { env } = await startJudge();
  const suite = { assert: '[{ rubric: The answer is good. }, { contains: w }]', words: [...failing, 'w1', 'w2'] };
  const project = await openAccepted(env, suite, true);
  const { judgedMargin } = comparisonOf((await project.report(['run'], { env })).stdout);
  expect(judgedMargin?.judged ?? 0).toBe(judged);
  const youdenLow = judgedMargin?.least?.youdenLow ?? 1;
  expect(judgedMargin?.margin ?? 0.05).toBeCloseTo(0.05 * (1 - judged + judged * youdenLow), 12);
});

test('a suite without judges keeps its margin, and says nothing of verdicts', async () => {
  const { env } = await startJudge();
  const project = await openAccepted(env, { assert: '[{ contains: w }]', words: ['w1'] }, false);
  expect(comparisonOf((await project.report(['run'], { env })).stdout).judgedMargin).toBeUndefined();
});
