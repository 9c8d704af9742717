import { describe, expect, test } from 'vitest';
import { startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject, statusesOf, type TempProject } from '../../support/temp-project.ts';

const words = Array.from({ length: 20 }, (_, index) => `w${index}`);

async function openProject() {
  const server = await startChatServer(({ text }) => wordOf(text));
  const project = openTempProject();
  project.write('llmcheck.config.yaml', '');
  project.write(
    'evals/a.eval.yaml',
    `suite: a
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
${words.map((word) => `  - { id: ${word}, vars: { word: ${word} } }`).join('\n')}
`,
  );
  return { project, env: server.env };
}

/** Makes one case of the baseline take longer than all others together. */
function slowDown(project: TempProject, caseId: string): void {
  const path = 'evals/a.baseline.jsonl';
  const setLatency = (line: string) =>
    line.replaceAll(/"latencyMs":[\d.]+/g, `"latencyMs":${line.includes(`"caseId":"${caseId}"`) ? 90_000 : 1000}`);
  project.write(path, project.read(path).split('\n').map(setLatency).join('\n'));
}

describe('shards', () => {
  test('run every case once, whatever an earlier shard wrote into the baseline', async () => {
    const { project, env } = await openProject();
    const ran: string[] = [];
    for (const [index, shard] of ['1/4', '2/4', '3/4', '4/4'].entries()) {
      const { code, report } = await project.report(['run', '--shard', shard, '--update-baseline'], { env });
      // What an earlier shard wrote has none of this shard's cases.
      expect(code).toBe(index === 0 ? 0 : 4);
      ran.push(...Object.keys(statusesOf(report)));
      slowDown(project, words[index] ?? '');
    }
    expect(ran.toSorted()).toEqual(words.toSorted());
  });

  test('may be empty where there are more of them than cases; a selection of nothing is a mistake in each', async () => {
    const { project, env } = await openProject();
    const run = (shard: string, filter: string) => project.report(['run', '-t', filter, '--shard', shard], { env });
    const [first, second] = [await run('1/2', 'w0'), await run('2/2', 'w0')];
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(first.report.totals.planned + second.report.totals.planned).toBe(1);
    expect([(await run('1/2', 'none')).code, (await run('2/2', 'none')).code]).toEqual([4, 4]);
  });

  test('are equally large whatever the baseline says of latencies', async () => {
    const { project, env } = await openProject();
    await project.run(['run', '--update-baseline'], { env });
    slowDown(project, 'w7');
    const { report } = await project.report(['run', '--shard', '1/2'], { env });
    expect(report.totals.planned).toBe(10);
  });

  test('are refused with --last-failed, which follows what the first shard writes', async () => {
    const { project, env } = await openProject();
    await project.run(['run'], { env });
    const runs = project.files('.llmcheck/runs');
    const { code, stderr } = await project.run(['run', '--last-failed', '--shard', '1/2'], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining('--last-failed with --shard')]);
    expect(project.files('.llmcheck/runs')).toEqual(runs);
  });
});
