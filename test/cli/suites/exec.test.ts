import { expect, test } from 'vitest';
import { openTempProject, statusesOf, trialsOf } from '../../support/temp-project.ts';

const env = { PATH: process.env['PATH'] ?? '' };

test('a program answers; one that crashes or never ends is errored and named', { tags: 'slow' }, async () => {
  const project = openTempProject('exec');
  const ended = await project.report(['run', '-t', '{plain,crash}'], { env });
  expect(ended.code).toBe(3);
  expect(statusesOf(ended.report)).toEqual({ crash: 'errored', plain: 'passed' });
  const crash = trialsOf(ended.report).find(({ caseId }) => caseId === 'crash');
  expect(crash?.error?.message).toContain('the program fell over');
  const endless = await project.report(['run', '-t', 'endless', '--timeout', '500ms'], { env });
  expect([endless.code, trialsOf(endless.report)[0]?.error?.kind]).toEqual([3, 'timeout']);
});

test('an answer is cached until the program changes', { tags: 'slow' }, async () => {
  const project = openTempProject('exec');
  const argv = ['run', '-t', 'plain'];
  const first = await project.report(argv, { env });
  const second = await project.report(argv, { env });
  project.write('evals/answer.mjs', `// another version\n${project.read('evals/answer.mjs')}`);
  const third = await project.report(argv, { env });
  expect([first, second, third].map(({ report }) => report.totals.cached)).toEqual([0, 1, 0]);
});

test('an answer is neither stored nor recorded once the program has changed while the run goes on', {
  tags: ['slow'],
}, async () => {
  const project = openTempProject();
  project.write(
    'evals/words.eval.yaml',
    `recordings: words.jsonl
prompts: [{ id: v1, text: "{{ word }}" }]
providers: [{ id: app, use: "exec:node answer.mjs" }]
defaults: { assert: [{ contains: good }] }
cases: [{ id: a, vars: { word: one } }, { id: b, vars: { word: change } }, { id: c, vars: { word: two } }]
`,
  );
  const program = `import { appendFileSync, readFileSync } from 'node:fs';
const isLast = readFileSync(0, 'utf8').includes('change');
if (isLast) appendFileSync(import.meta.filename, '// another version');
console.log('good');
`;
  project.write('evals/answer.mjs', program);
  const runs = [];
  for (let run = 0; run < 2; run += 1) {
    runs.push(await project.report(['run', '-j', '1', '--record'], { env }));
    project.write('evals/answer.mjs', program);
  }
  expect(runs.map(({ code, report }) => [code, report.totals.cached])).toEqual([
    [0, 0],
    [0, 1],
  ]);
  expect(project.read('evals/words.jsonl').match(/"caseId":"\w"/g)).toEqual(['"caseId":"a"']);
  expect(runs[0]?.stderr.match(/The code of provider app changed while the run went on/g)).toHaveLength(1);
});

test('a program that is not there is a provider error that names it', async () => {
  const project = openTempProject('exec');
  project.write(
    'evals/exec.eval.yaml',
    project.read('evals/exec.eval.yaml').replace('node answer.mjs', './nowhere.sh'),
  );
  const { code, report } = await project.report(['run'], { env });
  expect(code).toBe(3);
  expect(trialsOf(report)[0]?.error?.message).toContain('nowhere.sh');
});
