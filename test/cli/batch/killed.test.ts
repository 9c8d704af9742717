import { describe, expect, test } from 'vitest';
import { startBatchServer } from '../../support/batch-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject, withoutTimes } from '../../support/temp-project.ts';

const spawnCli = prepareSpawn();

/** One of them fails, so that the verdict has something to lose. */
const fateOf = (word: string) => (word === 'three' ? 'wrong' : word);

for (const api of ['openai', 'anthropic', 'gemini'] as const) {
  const tags = api === 'openai' ? [] : ['slow'];
  describe(`a batch run on ${api} that is killed by SIGKILL`, { tags }, () => {
    async function runWhole() {
      const server = await startBatchServer(api, fateOf);
      const project = openTempProject();
      project.write('evals/batched.eval.yaml', server.suite());
      return project.report(['run', '--batch'], { env: server.env });
    }

    for (const [moment, onSubmit, again, momentTags] of [
      ['after its batch was taken, before it was answered', 'hang', ['run', '--batch'], []],
      ['while it waits for its batch', 'answer', ['run', '--batch'], ['slow']],
      ['while it waits for its batch, then resumed', 'answer', ['run', '--resume'], ['slow']],
    ] as const) {
      test(`${moment} goes on without handing it in again, to the same report`, { tags: [...momentTags] }, async () => {
        const expected = await runWhole();
        const server = await startBatchServer(api, fateOf);
        server.isHeld = true;
        server.onSubmit = onSubmit;
        const project = openTempProject();
        project.write('evals/batched.eval.yaml', server.suite());
        const { child, ended } = spawnCli(['run', '--batch'], { cwd: project.root, env: server.env });
        await server.taken(1);
        // The request that follows a submission is the first look at its batch.
        if (onSubmit === 'answer') await server.waitFor(server.requests.length + 1);
        child.kill('SIGKILL');
        expect(await ended).toMatchObject({ signal: 'SIGKILL' });
        server.isHeld = false;
        server.onSubmit = 'answer';
        const { code, report } = await project.report(again, { env: server.env });
        // The confirmation trials of the one that fails are asked live.
        expect([server.submissions.length, server.liveCount]).toEqual([1, 3]);
        expect(code).toBe(expected.code);
        expect(withoutTimes(report)).toEqual(withoutTimes(expected.report));
        expect(report.totals.spentUsd).toBe(expected.report.totals.spentUsd);
        expect(project.files('.llmcheck/batches')).toEqual([]);
      });
    }

    test('before it had handed anything in, is simply run', { tags: ['slow'] }, async () => {
      const server = await startBatchServer(api, fateOf);
      const project = openTempProject();
      project.write('evals/batched.eval.yaml', server.suite());
      server.onSubmit = 'hang';
      const { child, ended } = spawnCli(['run', '--batch'], { cwd: project.root, env: server.env });
      await server.taken(1);
      child.kill('SIGKILL');
      await ended;
      // As if the provider had not got it.
      server.forgetAll();
      server.onSubmit = 'answer';
      const { code } = await project.report(['run', '--batch'], { env: server.env });
      expect([code, server.submissions.length, server.liveCount]).toEqual([1, 2, 3]);
    });
  });
}
