import { expect, test } from 'vitest';
import { startEchoServer } from '../support/chat-server.ts';
import { openTempProject, statusesOf } from '../support/temp-project.ts';

test('--last-failed runs what did not pass, and no case that the suite itself skips', async () => {
  const project = openTempProject();
  const { env } = await startEchoServer();
  project.write(
    'evals/a.eval.yaml',
    `prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [openai:gpt-4o-mini]
cases:
  - { id: good, vars: { word: good }, assert: [{ equals: good }] }
  - { id: bad, vars: { word: bad }, assert: [{ equals: other }] }
  - { id: idle, vars: { word: idle }, skip: not yet, assert: [{ equals: idle }] }
`,
  );
  const first = await project.report(['run'], { env });
  expect(statusesOf(first.report)).toEqual({ good: 'passed', bad: 'failed', idle: 'skipped' });
  const second = await project.report(['run', '--last-failed'], { env });
  expect(statusesOf(second.report)).toEqual({ bad: 'failed' });
});
