import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type BatchServer, startBatchServer } from '../../support/batch-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject, type TempProject, withoutDraws } from '../../support/temp-project.ts';

const spawnCli = prepareSpawn();

/** One of them fails, so that the verdict has something to lose. */
const fateOf = (word: string) => (word === 'three' ? 'wrong' : word);

for (const api of ['openai', 'anthropic', 'gemini'] as const) {
  const tags = api === 'openai' ? [] : ['slow'];
  describe(`a batch run on ${api} that is killed by SIGKILL`, { tags }, () => {
    let whole: ReturnType<typeof runWhole> | undefined;

    async function runWhole() {
      const server = await startBatchServer(api, fateOf);
      const project = openTempProject();
      project.write('evals/batched.eval.yaml', server.suite());
      return project.report(['run', '--batch'], { env: server.env });
    }

    /** Kills a run, and returns what it leaves behind: each `open` is a copy of its project. */
    async function killWhere(onSubmit: 'hang' | 'answer') {
      const server = await startBatchServer(api, fateOf);
      server.isHeld = true;
      server.onSubmit = onSubmit;
      const killed = openTempProject();
      killed.write('evals/batched.eval.yaml', server.suite());
      const { child, ended } = spawnCli(['run', '--batch'], { cwd: killed.root, env: server.env });
      await server.taken(1);
      // The request that follows a submission is the first look at its batch.
      if (onSubmit === 'answer') await server.waitFor(server.requests.length + 1);
      child.kill('SIGKILL');
      expect(await ended).toMatchObject({ signal: 'SIGKILL' });
      server.isHeld = false;
      server.onSubmit = 'answer';
      const open = () => {
        const project = openTempProject();
        cpSync(killed.root, project.root, { recursive: true });
        return project;
      };
      return { server, open };
    }

    async function expectSame(project: TempProject, argv: readonly string[], env: BatchServer['env']) {
      whole ??= runWhole();
      const expected = await whole;
      const { code, report } = await project.report(argv, { env });
      expect(code).toBe(expected.code);
      expect(withoutDraws(report)).toEqual(withoutDraws(expected.report));
      expect(report.totals.spentUsd).toBe(expected.report.totals.spentUsd);
      expect(project.files('.llmcheck/batches')).toEqual([]);
    }

    test('after its batch was taken, before it was answered goes on without handing it in again, to the same report', {
      tags: ['slow'],
    }, async () => {
      const { server, open } = await killWhere('hang');
      await expectSame(open(), ['run', '--batch'], server.env);
      // The fresh trials of the one that fails are asked live.
      expect([server.submissions.length, server.liveCount]).toEqual([1, 6]);
      // As if the provider had not got it: it is simply run.
      server.forgetAll();
      const { code } = await open().report(['run', '--batch'], { env: server.env });
      expect([code, server.submissions.length, server.liveCount]).toEqual([1, 2, 12]);
    });

    test('while it waits for its batch goes on without handing it in again, to the same report, also if it is resumed', {
      tags: ['slow'],
    }, async () => {
      const { server, open } = await killWhere('answer');
      await expectSame(open(), ['run', '--batch'], server.env);
      expect([server.submissions.length, server.liveCount]).toEqual([1, 6]);
      await expectSame(open(), ['run', '--resume'], server.env);
      expect([server.submissions.length, server.liveCount]).toEqual([1, 12]);
    });
  });
}
