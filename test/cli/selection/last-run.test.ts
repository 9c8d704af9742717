import { copyFileSync, utimesSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject, statusesOf } from '../../support/temp-project.ts';

const suite = `suite: a
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases: [{ id: one, vars: { word: one } }, { id: two, vars: { word: two } }]
`;

const future = new Date('2099-12-31T23:59:59Z');

/** A server that answers one of the words wrongly, which changes between runs. */
async function openProject() {
  let wrong = 'one';
  const server = await startChatServer(({ text }) => (wordOf(text) === wrong ? 'wrong' : wordOf(text)));
  const project = openTempProject();
  project.write('llmcheck.config.yaml', '');
  project.write('evals/a.eval.yaml', suite);
  const { env } = server;
  const run = async (word: string, now?: Date) => {
    wrong = word;
    const clock = now === undefined ? {} : { now: () => now };
    const { report } = await project.report(['run', '--cache', 'off'], { env, ...clock });
    return report.run.id;
  };
  return { project, env, run };
}

describe('a record that is dated in the future', () => {
  test.each([
    ['was written by a clock that was wrong', true],
    ['has a name of the future alone', false],
  ])('is not the last run once another one was made: it %s', { tags: ['slow'] }, async (_, isWrittenThen) => {
    const { project, env, run } = await openProject();
    const wrong = await run('one', future);
    const path = project.path(`.llmcheck/runs/${wrong}.jsonl`);
    if (isWrittenThen) utimesSync(path, future, future);
    const id = await run('two');

    const failed = await project.report(['run', '--last-failed'], { env });
    expect(statusesOf(failed.report)).toEqual({ two: 'failed' });
    expect(failed.stderr).toMatch(new RegExp(`--last-failed: .* in run ${id}, \\d+ seconds? old`));

    const last = failed.report.run.id;
    const reported = await project.run(['report', '-r', 'json']);
    expect([reported.code, reported.stderr]).toEqual([0, expect.stringContaining(`report of run ${last}, `)]);
    expect(reported.stdout).toContain(last);
    const accepted = await project.run(['baseline', 'accept']);
    expect([accepted.code, accepted.stderr]).toEqual([0, expect.stringContaining(`accepting run ${last}, `)]);
    const named = await project.run(['baseline', 'accept', '--run', wrong]);
    expect(named.stderr).toMatch(
      new RegExp(`accepting run ${wrong}, dated \\d+ days in the future: a clock was wrong`),
    );
  });

  test('is not the last run for good under another name either', async () => {
    const { project, run } = await openProject();
    const first = await run('one');
    copyFileSync(project.path(`.llmcheck/runs/${first}.jsonl`), project.path('.llmcheck/runs/zzz.jsonl'));
    const second = await run('two');
    const { stderr } = await project.run(['report', '-r', 'json']);
    expect(stderr).toContain(`report of run ${second}, `);
  });
});

test('--last-failed names the first of the cases that are gone, and runs the others', { tags: ['slow'] }, async () => {
  const server = await startChatServer(() => 'wrong');
  const project = openTempProject();
  const words = ['a', 'b', 'c', 'd', 'e', 'f', 'kept'];
  const write = (some: readonly string[]) =>
    project.write(
      'evals/a.eval.yaml',
      suite.replace(/cases:.*\n/, `cases: [${some.map((id) => `{ id: ${id}, vars: { word: ${id} } }`).join(', ')}]\n`),
    );
  write(words);
  await project.run(['run'], { env: server.env });
  write(['kept']);
  const { code, stdout } = await project.run(['run', '--last-failed'], { env: server.env });
  expect(code).toBe(1);
  const said = stdout.replaceAll(/\s+/g, ' ');
  expect(said).toContain('--last-failed: 6 of its cases no longer exist: a/a, a/b, a/c, a/d, a/e');
  expect(said).not.toContain('a/f');
});
