import { expect, test } from 'vitest';
import { openTempProject } from '../../support/temp-project.ts';

interface Figures {
  readonly latencyMs: object;
  readonly comparison: { readonly latencyMs: object };
}

/** Each case has an answer of 20 ms, and one of 1000 ms that its check can't judge. */
function openProject() {
  const project = openTempProject();
  const ids = ['a', 'b', 'c'];
  project.write('llmcheck.config.yaml', '');
  project.write('evals/check.sh', `grep -q odd && exit 7; echo '{"pass": true}'\n`);
  project.write(
    'evals/words.eval.yaml',
    `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
recordings: words.jsonl
defaults: { trials: 2, assert: [{ exec: sh check.sh }] }
cases:
${ids.map((id) => `  - { id: ${id}, vars: { word: ${id} } }`).join('\n')}
`,
  );
  const lines = ids.flatMap((caseId) =>
    [
      { text: 'said', latencyMs: 20 },
      { text: 'odd', latencyMs: 1000 },
    ].map((completion, trial) => ({ format: 1, prompt: 'v1', provider: 'mini', caseId, trial, completion })),
  );
  project.write('evals/words.jsonl', lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return project;
}

test('a cell that its check could not judge is in no figure of latency', { timeout: 60_000 }, async () => {
  const project = openProject();
  await project.run(['cache', 'import', 'evals/words.jsonl']);
  await project.run(['run', '--max-errors', '3']);
  expect((await project.run(['baseline', 'accept', '--force'])).code).toBe(0);
  const run = await project.report(['run', '--max-errors', '3']);
  const resumed = await project.report(['run', '--resume', '--max-errors', '3']);
  for (const { report } of [run, resumed]) {
    const [variant] = report.suites.flatMap(({ variants }) => variants as readonly unknown[]) as readonly Figures[];
    expect(report.totals.errored).toBe(3);
    expect(variant?.latencyMs).toEqual({ p50: 20, p95: 20 });
    expect(variant?.comparison.latencyMs).toMatchObject({ baseline: 20, candidate: 20 });
  }
});
