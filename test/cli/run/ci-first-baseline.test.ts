import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type GithubJobs, type JobOptions, openGithubJobs, wordSuite } from '../../support/github-job.ts';
import { openGitlabJobs } from '../../support/gitlab-job.ts';
import { runCli } from '../../support/run-cli.ts';

const suite = 'evals/words.eval.yaml';
const baseline = 'evals/words.baseline.jsonl';
const gate: JobOptions = { args: '', flags: ['--comment', '--check-run'] };

interface Repository {
  git(...argv: readonly string[]): string;
  push(message?: string): string;
  readonly project: GithubJobs['project'];
}

/** As a runner fetches it: the target is a branch of the remote, and the head is detached. */
function leaveMain(jobs: Repository): void {
  jobs.git('update-ref', 'refs/remotes/origin/main', jobs.git('rev-parse', 'main'));
  jobs.git('checkout', '-q', '--detach');
}

/** Runs and accepts what is there, failing cases too. */
async function accept({ project }: Repository, env: Readonly<Record<string, string>>): Promise<void> {
  await project.run(['run', '--no-baseline', '-q'], { env });
  const { code, stderr } = await project.run(['baseline', 'accept', '--known-failures', '--force'], { env });
  expect([code, stderr]).toEqual([0, expect.anything()]);
}

/** Main has a suite of which one case fails. It never had a baseline, if none is wanted. */
async function openMain(options: { readonly isAccepted?: boolean; readonly text?: string } = {}): Promise<GithubJobs> {
  const jobs = await openGithubJobs({ [suite]: options.text ?? wordSuite('words', ['red']) });
  if (options.isAccepted === true) {
    await accept(jobs, jobs.providerEnv);
    jobs.push('accept');
  }
  leaveMain(jobs);
  return jobs;
}

function breakAll({ project }: Repository, path = suite, id = 'words'): void {
  project.write(path, wordSuite(id, ['red']).replace('Say:', 'Say: not'));
}

describe('the first baseline, which a change adds', () => {
  test('accepts the failing cases in it, and the verdict names them', { tags: 'slow' }, async () => {
    const jobs = await openMain();
    await accept(jobs, jobs.providerEnv);
    jobs.push('the pull request of the bot');
    const { code, outputs, stdout, summary } = await jobs.act(gate);
    const said = 'first baseline: 2 of 3 cases pass; failing cases accepted by this change: ';
    expect([code, outputs['outcome'], outputs['headline']]).toEqual([0, 'passed', `PASSED: ${said}red`]);
    const [comment] = jobs.github.comments;
    expect(comment?.body).toContain(`### 🟡 llmcheck PASSED: ${said}\`red\` (exit code 0)`);
    expect(summary).toContain('accepted in this change, which adds the first baseline');
    const [check] = jobs.github.checks;
    expect([check?.conclusion, check?.output.title]).toEqual(['success', `PASSED: ${said}red`]);
    expect(stdout).toMatch(new RegExp(`^::notice [^:]*::.*${said}red`, 'm'));
  });

  test('says so where every case passes', { tags: 'slow' }, async () => {
    const jobs = await openMain({ text: wordSuite('words') });
    await accept(jobs, jobs.providerEnv);
    jobs.push('first');
    const { code, outputs } = await jobs.act(gate);
    expect([code, outputs['headline']]).toEqual([0, 'PASSED: first baseline: all 3 cases pass']);
  });

  test('is shown on the terminal and in the JSON report', { tags: 'slow' }, async () => {
    const jobs = await openMain();
    await accept(jobs, jobs.providerEnv);
    jobs.push('first');
    const env = { ...jobs.providerEnv, PATH: process.env['PATH'] ?? '' };
    const shown = await jobs.project.run(['run', '--baseline', 'git:origin/main...'], { env });
    expect([shown.code, shown.stdout]).toEqual([
      0,
      expect.stringMatching(
        /PASSED {2}first baseline: 2 of 3 cases pass; failing cases accepted by\n.*this change: red/,
      ),
    ]);
    const { report } = await jobs.project.report(['run', '--baseline', 'git:origin/main...'], { env });
    expect(report.suites[0]?.variants[0]).toMatchObject({ comparison: { isFirst: true, outcome: 'passed' } });
  });

  test('counts in a merge queue, and under --require-conclusive', { tags: 'slow' }, async () => {
    const jobs = await openMain();
    const base = jobs.github.head ?? '';
    await accept(jobs, jobs.providerEnv);
    const head = jobs.push('first');
    const { code, outputs } = await jobs.act({
      flags: ['--check-run'],
      args: '--require-conclusive',
      event: 'merge_group',
      payload: { merge_group: { head_sha: head, base_sha: base } },
    });
    expect([code, outputs['headline']]).toEqual([0, expect.stringContaining('first baseline: 2 of 3 cases pass')]);
  });

  test('counts for the merged run of shards', { tags: ['slow'] }, async () => {
    const jobs = await openMain();
    await accept(jobs, jobs.providerEnv);
    jobs.push('first');
    jobs.git('clean', '-qdfx', '.llmcheck');
    for (const shard of [1, 2]) {
      await jobs.act({ args: `--baseline git:main... --shard ${shard}/2`, matrix: { shard }, runId: 5 });
      cpSync(jobs.project.path('.llmcheck/runs'), jobs.project.path(`job/shards/${shard}`), { recursive: true });
      jobs.git('clean', '-qdfx', '.llmcheck');
    }
    const { code, outputs } = await jobs.act({ flags: ['--check-run', '--merge', 'job/shards'], args: '' });
    expect([code, outputs['headline']]).toEqual([0, expect.stringContaining('first baseline: 2 of 3 cases pass')]);
  });

  test('counts on GitLab', { tags: 'slow' }, async () => {
    const jobs = await openGitlabJobs({ [suite]: wordSuite('words', ['red']) });
    leaveMain(jobs);
    await accept(jobs, jobs.envOf());
    jobs.push('first');
    expect((await jobs.act({ args: '' })).code).toBe(0);
    expect(jobs.gitlab.notes[0]?.body).toContain('first baseline: 2 of 3 cases pass');
  });

  test('never accepts a must-pass case that fails', { tags: 'slow' }, async () => {
    const jobs = await openMain({ text: wordSuite('words', ['red']).replace('id: red,', 'id: red, mustPass: true,') });
    await accept(jobs, jobs.providerEnv);
    jobs.push('first');
    const { code, outputs } = await jobs.act(gate);
    expect([code, outputs['outcome'], outputs['conclusion'], outputs['broken']]).toEqual([1, 'failed', 'failure', '1']);
  });

  test('does not accept what it does not hold: a case that passed when it was accepted', { tags: 'slow' }, async () => {
    const jobs = await openMain();
    await accept(jobs, jobs.providerEnv);
    breakAll(jobs);
    jobs.push('accept one prompt, and bring another');
    const { code, outputs } = await jobs.act(gate);
    expect([code, outputs['outcome']]).toEqual([1, 'failed']);
  });

  test('leaves an explicit limit as it is', { tags: 'slow' }, async () => {
    const jobs = await openMain({ text: `${wordSuite('words', ['red'])}gate: { passRate: { min: 0.9 } }\n` });
    await accept(jobs, jobs.providerEnv);
    jobs.push('first');
    expect((await jobs.act(gate)).code).toBe(1);
  });
});

/** The way of a change that breaks every case, and would like its own baseline to count as a first one. */
interface Way {
  readonly isMainAccepted?: false;
  readonly play: (jobs: GithubJobs) => Promise<void>;
  readonly says: RegExp;
}

const ways: Readonly<Record<string, Way>> = {
  'removes the baseline in an earlier change': {
    play: async (jobs) => {
      jobs.git('checkout', '-q', 'main');
      jobs.git('rm', '-q', baseline);
      jobs.push('remove the baseline');
      leaveMain(jobs);
      breakAll(jobs);
      await accept(jobs, jobs.providerEnv);
    },
    says: /every case must pass: origin\/main had one until commit [0-9a-f]{12}; take it back with `git checkout/,
  },
  'renames the file and the suite': {
    play: async (jobs) => {
      jobs.git('rm', '-q', baseline, suite);
      breakAll(jobs, 'evals/terms.eval.yaml', 'terms');
      await accept(jobs, jobs.providerEnv);
    },
    says: /every case must pass: this change removes evals\/words\.baseline\.jsonl, or its suite; keep the id/,
  },
  'leaves the old baseline behind without its suite': {
    play: async (jobs) => {
      jobs.git('rm', '-q', suite);
      breakAll(jobs, 'evals/terms.eval.yaml', 'terms');
      await accept(jobs, jobs.providerEnv);
    },
    says: /every case must pass: this change removes evals\/words\.baseline\.jsonl, or its suite/,
  },
  'moves the folder of a project, and renames the suite': {
    play: async (jobs) => {
      jobs.git('rm', '-q', baseline, suite);
      jobs.project.write('shop/llmcheck.config.yaml', '{}\n');
      breakAll(jobs, 'shop/evals/terms.eval.yaml', 'terms');
      await accept({ ...jobs, project: { ...jobs.project, run: runIn(jobs, 'shop') } }, jobs.providerEnv);
    },
    says: /every case must pass: this change removes evals\/words\.baseline\.jsonl/,
  },
  'begins before main had a baseline': {
    isMainAccepted: false,
    play: async (jobs) => {
      const old = jobs.git('rev-parse', 'HEAD');
      await accept(jobs, jobs.providerEnv);
      jobs.git('checkout', '-q', 'main');
      jobs.push('accept on main');
      leaveMain(jobs);
      jobs.git('checkout', '-q', old);
      breakAll(jobs);
      await accept(jobs, jobs.providerEnv);
    },
    says: /every case must pass: origin\/main has one by now; merge origin\/main into this branch/,
  },
  'begins before main had a baseline of it in another folder': {
    isMainAccepted: false,
    play: async (jobs) => {
      const old = jobs.git('rev-parse', 'HEAD');
      jobs.git('checkout', '-q', 'main');
      jobs.git('mv', suite, 'evals/other.eval.yaml');
      await accept(jobs, jobs.providerEnv);
      jobs.push('move and accept on main');
      leaveMain(jobs);
      jobs.git('checkout', '-q', old);
      breakAll(jobs);
      await accept(jobs, jobs.providerEnv);
    },
    says: /every case must pass: origin\/main has one by now, evals\/other\.baseline\.jsonl; merge/,
  },
};

function runIn({ project }: GithubJobs, folder: string): GithubJobs['project']['run'] {
  return (argv, options) => runCli(argv, { cwd: project.path(folder), ...options });
}

describe('a change can not make its baseline a first one, if it', { tags: 'slow' }, () => {
  test.each(Object.entries(ways))('%s', { tags: 'slow' }, async (_, { isMainAccepted = true, play, says }) => {
    const jobs = await openMain({ isAccepted: isMainAccepted });
    await play(jobs);
    jobs.push('change');
    const folder = jobs.project.files('shop').length > 0 ? 'shop' : '.';
    const { code, outputs, stderr } = await jobs.act({ ...gate, folder });
    expect([code, outputs['outcome'], stderr]).toEqual([1, 'failed', expect.stringMatching(says)]);
    expect(jobs.github.comments[0]?.body).toMatch(/is not taken as a first baseline/);
  });

  /** These are compared with the baseline of main all the same. The report names what the change accepts. */
  test.each<[string, (jobs: GithubJobs) => Promise<void>]>([
    [
      'removes and adds it again',
      async (jobs) => {
        jobs.git('rm', '-q', baseline);
        jobs.push('remove');
        breakAll(jobs);
        await accept(jobs, jobs.providerEnv);
      },
    ],
    [
      'moves the suite to another folder',
      async (jobs) => {
        jobs.git('rm', '-q', baseline, suite);
        breakAll(jobs, 'evals/shop/words.eval.yaml');
        await accept(jobs, jobs.providerEnv);
      },
    ],
    [
      'moves the suite, and puts another in its place',
      async (jobs) => {
        breakAll(jobs, 'evals/shop/words.eval.yaml');
        jobs.project.write(suite, wordSuite('decoy'));
        jobs.git('rm', '-q', '--cached', baseline);
        jobs.project.write(baseline, '');
        jobs.git('clean', '-qfd', '--', baseline);
        await accept(jobs, jobs.providerEnv);
      },
    ],
    [
      'renames the suite in its file',
      async (jobs) => {
        jobs.git('rm', '-q', baseline);
        breakAll(jobs, suite, 'terms');
        await accept(jobs, jobs.providerEnv);
      },
    ],
  ])('%s', async (_, play) => {
    const jobs = await openMain({ isAccepted: true });
    await play(jobs);
    jobs.push('change');
    const { outputs } = await jobs.act(gate);
    expect(outputs['headline']).toMatch(/this change accepts 2 regressions/);
    expect(outputs['headline']).not.toContain('first baseline');
  });

  test('is in a shallow clone', async () => {
    const jobs = await openMain();
    await accept(jobs, jobs.providerEnv);
    jobs.push('first');
    jobs.project.write('.git/shallow', `${jobs.git('rev-parse', 'origin/main')}\n`);
    const found = await jobs.act({ flags: [], args: '--baseline git:origin/main' });
    expect([found.code, found.stderr]).toEqual([
      1,
      expect.stringMatching(/every case must pass: the history of origin\/main is not in this clone.*fetch-depth: 0/),
    ]);
  });

  test('is compared with a branch that was fetched too long ago', async () => {
    const jobs = await openMain();
    const old = jobs.git('rev-parse', 'HEAD');
    await accept(jobs, jobs.providerEnv);
    const base = jobs.push('accept on main');
    breakAll(jobs);
    await accept(jobs, jobs.providerEnv);
    const sha = jobs.push('change');
    expect(jobs.git('rev-parse', 'origin/main')).toBe(old);
    const head = { sha, repo: { full_name: 'acme/shop' } };
    const payload = { pull_request: { number: 7, head, base: { ref: 'main', sha: base } } };
    const { outputs } = await jobs.act({ ...gate, payload });
    expect(outputs['headline']).toMatch(/this change accepts 2 regressions/);
  });

  test('can not find its target, or what both have in common', async () => {
    const jobs = await openMain();
    await accept(jobs, jobs.providerEnv);
    jobs.push('first');
    jobs.git('update-ref', '-d', 'refs/remotes/origin/main');
    jobs.git('branch', '-qD', 'main');
    const lost = await jobs.act(gate);
    expect([lost.code, lost.stderr]).toEqual([2, expect.stringContaining('There is no commit "main"')]);
    const tree = jobs.git('mktree', '--missing', '-z');
    jobs.git('update-ref', 'refs/remotes/origin/main', jobs.git('commit-tree', '-m', 'empty', tree));
    const apart = await jobs.act(gate);
    expect([apart.code, apart.stderr]).toEqual([2, expect.stringContaining('have no commit in common')]);
  });
});
