import { describe, expect, test } from 'vitest';
import { startChatServer, wordOf } from '../../support/chat-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject } from '../../support/temp-project.ts';

const words = Array.from({ length: 3 }, (_, index) => `w${index}`);
const spawnCli = prepareSpawn();

function sorted(texts: readonly (string | undefined)[]): readonly string[] {
  return texts.map(String).toSorted((a, b) => a.localeCompare(b));
}

async function openProject() {
  const server = await startChatServer(({ text }) => wordOf(text));
  const project = openTempProject();
  project.write('llmcheck.config.yaml', '');
  project.write(
    'evals/a.eval.yaml',
    `suite: a
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
recordings: a.recordings.jsonl
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
${words.map((word) => `  - { id: ${word}, vars: { word: ${word} } }`).join('\n')}
`,
  );
  const env: Record<string, string> = server.env;
  const runAll = (argvs: readonly (readonly string[])[]) =>
    Promise.all(argvs.map((argv) => spawnCli(argv, { cwd: project.root, env }).ended));
  const caseIdsIn = (file: string) => sorted([...project.read(file).matchAll(/"caseId":"(\w+)"/g)].map(([, id]) => id));
  return { project, env, runAll, caseIdsIn };
}

// A dozen processes take their time on a busy computer.
describe('processes that write one file at once', { timeout: 120_000 }, () => {
  test('accept one case each, and every case is in the baseline', { tags: 'slow' }, async () => {
    const { project, env, runAll, caseIdsIn } = await openProject();
    const runs: string[] = [];
    for (const word of words) {
      const { report } = await project.report(['run', '-t', word, '--cache', 'use'], { env });
      runs.push(report.run.id);
    }
    const ended = await runAll(runs.map((id) => ['baseline', 'accept', '--run', id]));
    expect(ended.map(({ code }) => code)).toEqual(words.map(() => 0));
    expect(caseIdsIn('evals/a.baseline.jsonl')).toEqual(words);
    expect(project.files('evals')).toEqual(['evals/a.baseline.jsonl', 'evals/a.eval.yaml']);
  });

  test('record one case each, and every answer is in the recordings', { tags: 'slow' }, async () => {
    const { project, runAll, caseIdsIn } = await openProject();
    const ended = await runAll(words.map((word) => ['run', '--record', '-t', word]));
    expect(ended.map(({ code }) => code)).toEqual(words.map(() => 0));
    expect(caseIdsIn('evals/a.recordings.jsonl')).toEqual(words);
    expect(project.files('evals')).toEqual(['evals/a.eval.yaml', 'evals/a.recordings.jsonl']);
  });

  test('begin one project, and each file is written once', { tags: 'slow' }, async () => {
    const project = openTempProject();
    const ended = await Promise.all(words.map(() => spawnCli(['init'], { cwd: project.root }).ended));
    expect(ended.map(({ code }) => code)).toEqual(words.map(() => 0));
    const written = ended.flatMap(({ stdout }) => [...stdout.matchAll(/^wrote +(\S+)/gm)].map(([, file]) => file));
    expect(sorted(written)).toEqual(sorted([...new Set(written)]));
    expect(project.read('.gitignore')).toBe('.llmcheck/\n');
  });
});
