import { describe, expect, test } from 'vitest';
import { startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

type Env = Readonly<Record<string, string>>;

/** A suite whose prompt was edited since it was accepted: every fifth word is answered wrongly since then. */
async function openEdited(count: number): Promise<{ readonly project: TempProject; readonly env: Env }> {
  const { env } = await startChatServer(({ text }) =>
    /^Please.*[05]$/.test(text) ? 'wrong' : wordOf(text.replace('Please say', 'Say')),
  );
  const project = openTempProject();
  const words = Array.from({ length: count }, (_, index) => `w${index + 1}`);
  const suite = suiteOf(words, 2);
  project.write('llmcheck.config.yaml', '');
  project.write('evals/words.eval.yaml', suite);
  await project.run(['run', '--update-baseline'], { env });
  project.write('evals/words.eval.yaml', suite.replace('Say:', 'Please say:'));
  return { project, env };
}

function suiteOf(words: readonly string[], trials: number): string {
  return `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
defaults: { trials: ${trials}, assert: [{ equals: "{{ word }}" }] }
cases:
${words.map((word) => `  - { id: ${word}, vars: { word: ${word} } }`).join('\n')}
`;
}

/** Runs both shards, one after the other; gives the paths of their records. */
async function runShards(project: TempProject, env: Env, ...flags: readonly string[]): Promise<readonly string[]> {
  const before = project.files('.llmcheck/runs');
  for (const shard of ['1/2', '2/2']) await project.run(['run', '--shard', shard, ...flags], { env });
  return project.files('.llmcheck/runs').filter((file) => !before.includes(file));
}

describe('shards of a run whose prompt was edited', () => {
  test.each([5, 23])(
    'what one of them found broken is broken in the whole, of %i cases',
    { tags: ['slow'] },
    async (count) => {
      const { project, env } = await openEdited(count);
      const merged = await project.report(['merge', ...(await runShards(project, env))]);
      expect([merged.code, merged.report.decision.outcome]).toEqual([1, 'failed']);
      expect(merged.report.decision.breaches.map(({ code }) => code)).toContain('case-broken');
    },
  );

  test.each([
    ['edited', 2],
    ['edited', 3],
    ['edited', 4],
    ['edited', 6],
    ['drifted', 2],
    ['drifted', 4],
  ] as const)(
    'one case of 12 that broke is broken in the whole: %s, %i small shards',
    { tags: ['slow'] },
    async (what, shards) => {
      let hasBroken = false;
      const { env } = await startChatServer(({ text }) =>
        hasBroken && text.endsWith('w7') && (what === 'drifted' || text.startsWith('Please'))
          ? 'wrong'
          : wordOf(text.replace('Please say', 'Say')),
      );
      const project = openTempProject();
      const words = Array.from({ length: 12 }, (_, index) => `w${index + 1}`);
      const suite = suiteOf(words, 1);
      project.write('llmcheck.config.yaml', '');
      project.write('evals/words.eval.yaml', suite);
      await project.run(['run', '--update-baseline'], { env });
      hasBroken = true;
      if (what === 'edited') project.write('evals/words.eval.yaml', suite.replace('Say:', 'Please say:'));
      const before = project.files('.llmcheck/runs');
      const flags = ['--cache', 'off', ...(what === 'drifted' ? ['--drift'] : [])];
      const codes: number[] = [];
      for (let index = 1; index <= shards; index += 1) {
        codes.push((await project.run(['run', '--shard', `${index}/${shards}`, ...flags], { env })).code);
      }
      const records = project.files('.llmcheck/runs').filter((file) => !before.includes(file));
      const merged = await project.report(['merge', ...records]);
      expect([Math.max(...codes), merged.code, merged.report.decision.outcome]).toEqual([1, 1, 'failed']);
    },
  );

  test('that were compared with other baselines are no parts of one run', async () => {
    const { project, env } = await openEdited(4);
    const records = await runShards(project, env, '--update-baseline');
    expect(project.read('evals/words.baseline.jsonl')).toContain('Please say');
    const { code, stderr } = await project.run(['merge', ...records]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(`${records[1]} was compared with another baseline of suite words than ${records[0]}`),
    ]);
  });
});
