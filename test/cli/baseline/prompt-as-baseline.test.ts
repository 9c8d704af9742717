import { describe, expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { wordSuite } from '../../support/github-job.ts';
import { openTempProject } from '../../support/temp-project.ts';

describe('--baseline with the id of a prompt', () => {
  async function openProject() {
    const project = openTempProject();
    const { env } = await startEchoServer();
    const second = '{ id: v1, text: "Say: {{ word }}" }, { id: v2, text: "Say: {{word}}" }';
    project.write('evals/words.eval.yaml', wordSuite('words').replace('{ id: v1, text: "Say: {{ word }}" }', second));
    return { project, env };
  }

  test.each(['run', 'validate'])('is a usage error of %s with the flag that compares prompts', async (command) => {
    const { project, env } = await openProject();
    const { code, stderr } = await project.run([command], { env: { ...env, LLMCHECK_BASELINE: 'v1' } });
    expect([code, stderr]).toEqual([2, expect.stringContaining('--baseline v1 is a prompt id')]);
    expect(stderr).toContain('--compare v1,OTHER');
  });

  test('the flag of the hint compares them', async () => {
    const { project, env } = await openProject();
    expect(await project.run(['run', '--compare', 'v1,v2'], { env })).toMatchObject({ code: 0 });
  });

  test('a file with the name of a prompt is read', async () => {
    const { project, env } = await openProject();
    await project.run(['run', '-q'], { env });
    await project.run(['baseline', 'accept'], { env });
    project.write('v1', project.read('evals/words.baseline.jsonl'));
    expect(await project.run(['run', '--baseline', 'v1'], { env })).toMatchObject({ code: 0 });
  });
});
