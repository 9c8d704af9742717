import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type GithubJobs, openGithubJobs } from '../../support/github-job.ts';

const suite = 'evals/words.eval.yaml';

function countedSuite(count: number, prompt = 'Say: {{ word }}'): string {
  const words = Array.from({ length: count }, (_, index) => `w${index}`);
  return `suite: words
prompts: [{ id: v1, text: ${JSON.stringify(prompt)} }]
providers: [{ id: mini, use: "openai:gpt-4o-mini", params: { max_tokens: 20 } }]
cases:
${words.map((word) => `  - { id: ${word}, vars: { word: ${word} }, assert: [{ equals: ${word} }] }\n`).join('')}`;
}

async function openChange(count: number, prompt: string): Promise<GithubJobs> {
  const jobs = await openGithubJobs({ [suite]: countedSuite(count) });
  await jobs.project.run(['run', '--update-baseline', '-q'], { env: jobs.providerEnv });
  jobs.push('accept');
  jobs.git('checkout', '-qb', 'change');
  jobs.git('clean', '-qdfx', '.llmcheck');
  jobs.project.write(suite, countedSuite(count, prompt));
  jobs.push('change');
  return jobs;
}

/** Four jobs, each with its shard, and the one that merges them. */
async function runFour(jobs: GithubJobs) {
  const planned: (string | undefined)[] = [];
  for (const shard of [1, 2, 3, 4]) {
    const args = `--baseline git:main... --shard ${shard}/4`;
    const { outputs } = await jobs.act({ args, matrix: { shard }, runId: 5 });
    planned.push(outputs['planned']);
    cpSync(jobs.project.path('.llmcheck/runs'), jobs.project.path(`job/shards/${shard}`), { recursive: true });
    jobs.git('clean', '-qdfx', '.llmcheck');
  }
  const merged = await jobs.act({ flags: ['--check-run', '--merge', 'job/shards'], args: '', job: 'verdict' });
  return { planned: planned.map(Number).sort((a, b) => a - b), merged };
}

describe('four shards of few cases', { tags: 'slow' }, () => {
  test.each([
    [2, [0, 0, 1, 1]],
    [5, [1, 1, 1, 2]],
  ])('find that a change breaks all %i', async (count, parts) => {
    const jobs = await openChange(count, 'Say: not {{ word }}');
    const { planned, merged } = await runFour(jobs);
    expect(planned).toEqual(parts);
    expect([merged.code, merged.outputs['headline']]).toEqual([1, expect.stringMatching(/^FAILED: .*100 → 0 %$/)]);
    expect(jobs.github.checks).toMatchObject([{ conclusion: 'failure' }]);
  });

  test('find that a change breaks one of three', async () => {
    const jobs = await openChange(3, 'Say: {% if word == "w1" %}not {% endif %}{{ word }}');
    const { merged } = await runFour(jobs);
    expect([merged.code, merged.outputs['broken']]).toEqual([1, '1']);
  });

  test('pass where nothing broke, although a shard is empty', async () => {
    const jobs = await openChange(3, 'Say: {% if word %}{{ word }}{% endif %}');
    const { planned, merged } = await runFour(jobs);
    expect([planned[0], merged.code, merged.outputs['outcome'], merged.outputs['planned']]).toEqual([
      0,
      0,
      'passed',
      '3',
    ]);
  });
});
