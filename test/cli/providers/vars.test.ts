import { expect, test } from 'vitest';
import { startServer } from '../../support/http-server.ts';
import { openTempProject, plannedTrialsOf } from '../../support/temp-project.ts';

test('a provider of one’s own is given the variables that it names, and an answer is kept for these', {
  tags: 'slow',
}, async () => {
  const server = await startServer(({ body }) => ({ body: { text: body } }));
  const project = openTempProject();
  project.write('say.mjs', 'export default ({ vars, messages }) => JSON.stringify([vars, messages[0].content]);\n');
  project.write(
    'print.mjs',
    'process.stdin.toArray().then((parts) => console.log(JSON.stringify([JSON.parse(parts.join("")).vars])));\n',
  );
  project.write(
    'evals/a.eval.yaml',
    `prompts: [{ id: p, text: "{{ q }}" }]
providers:
  - { id: module, use: "module:../say.mjs", vars: [context, none] }
  - { id: exec, use: "exec:node ../print.mjs", vars: [context] }
  - { id: http, use: "http:shop", baseURL: "${server.url}", request: { on: "{{ vars.context }}", q: "{{ prompt }}" } }
  - { id: without, use: "module:../say.mjs" }
cases:
  - { id: a, vars: { q: Hi, context: [1], secret: golden }, providers: [module], assert: [{ equals: '[{"context":[1]},"Hi"]' }] }
  - { id: b, vars: { q: Hi, context: [1], secret: golden }, providers: [exec], assert: [{ equals: '[{"context":[1]}]' }] }
  - { id: c, vars: { q: Hi, context: [1], secret: golden }, providers: [http], assert: [{ equals: '{"on":[1],"q":"Hi"}' }] }
  - { id: d, vars: { q: Hi, context: [1], secret: golden }, providers: [without], assert: [{ equals: '[null,"Hi"]' }] }
  - { id: e, vars: { q: Hi, context: [2], secret: golden }, providers: [module], assert: [{ equals: '[{"context":[2]},"Hi"]' }] }
`,
  );
  for (const cached of [0, 5]) {
    const { report } = await project.report(['run', '--no-baseline']);
    const trials = plannedTrialsOf(report);
    expect(trials.map(({ caseId, status }) => [caseId, status])).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((id) => [id, 'passed']),
    );
    expect(trials.filter((trial) => trial.cached).length).toBe(cached);
  }
});
