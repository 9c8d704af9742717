import { describe, expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { initRepository, runGit } from '../../support/git.ts';
import { startGithubServer } from '../../support/github-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const token = 'ghs_0123456789abcdef';

async function openJob(theme: 'echo' | 'recordings') {
  const project = openTempProject(theme);
  const github = await startGithubServer(token);
  const git = (...argv: readonly string[]) => runGit(project.root, ...argv);
  const sha = initRepository(project.root);
  return {
    project,
    github,
    git,
    sha,
    async act(
      { event = 'pull_request', headSha = sha, workflowSha = sha, from = 'acme/shop' },
      env: Readonly<Record<string, string>> = {},
      args = '--no-baseline',
    ) {
      const head = { sha: headSha, repo: { full_name: from } };
      const pull = event.startsWith('pull_request') ? { pull_request: { number: 7, head, base: { ref: 'main' } } } : {};
      project.write('.llmcheck/event.json', JSON.stringify(pull));
      const result = await project.run(['ci', 'github', '--comment', '--check-run', '--args', args, '--baseline', ''], {
        env: {
          ...env,
          PATH: process.env['PATH'] ?? '',
          GITHUB_TOKEN: token,
          GITHUB_REPOSITORY: 'acme/shop',
          GITHUB_EVENT_NAME: event,
          GITHUB_EVENT_PATH: project.path('.llmcheck/event.json'),
          GITHUB_SHA: workflowSha,
          GITHUB_API_URL: github.url,
          GITHUB_GRAPHQL_URL: `${github.url}/graphql`,
          GITHUB_STEP_SUMMARY: project.path('.llmcheck/summary.md'),
        },
      });
      return { ...result, summary: project.read('.llmcheck/summary.md') };
    },
  };
}

const fork = { from: 'eve/shop' };

describe('on a fork without secrets', () => {
  test('recordings that are missing or stale are 3, as everywhere', { tags: 'slow' }, async () => {
    const job = await openJob('recordings');
    const missing = await job.act(fork);
    expect([missing.code, missing.stderr + missing.summary]).toEqual([3, expect.not.stringContaining('Neutral')]);
    expect(job.github.checks.map(({ conclusion }) => conclusion)).toEqual(['failure']);
    const server = await startEchoServer();
    await job.project.run(['run', '--record'], { env: server.env });
    expect((await job.act(fork)).code).toBe(0);
    const suite = job.project.read('evals/echo.eval.yaml');
    job.project.write('evals/echo.eval.yaml', suite.replace('Say:', 'Please say:'));
    const stale = await job.act(fork);
    expect([stale.code, stale.summary.includes('Neutral')]).toEqual([3, false]);
  });

  test('a suite whose key is missing is neutral, also beside recordings that answer, and not beside ones that do not', {
    tags: 'slow',
  }, async () => {
    const job = await openJob('recordings');
    const server = await startEchoServer();
    const suite = job.project.read('evals/echo.eval.yaml');
    await job.project.run(['run', '--record'], { env: server.env });
    const other = suite.replace('suite: echo', 'suite: other').replace(/^recordings:.*\n/m, '');
    job.project.write('evals/other.eval.yaml', other);
    const both = await job.act(fork);
    expect([both.code, both.summary.includes('Neutral')]).toEqual([0, true]);
    job.project.write('evals/echo.eval.yaml', suite.replace('Say:', 'Please say:'));
    expect((await job.act(fork)).code).toBe(3);
  });

  test('--record chooses no stored answers: the mistake of the suite is named', async () => {
    const job = await openJob('recordings');
    const suite = job.project.read('evals/echo.eval.yaml');
    const other = suite.replace('suite: echo', 'suite: other').replace(/^recordings:.*\n/m, '');
    job.project.write('evals/other.eval.yaml', other);
    const { code, summary } = await job.act(fork, {}, '--no-baseline --record');
    expect([code, summary]).toEqual([2, expect.stringContaining('names no recordings file')]);
    expect(summary).not.toContain('--cache replay');
  });
});

describe('a report that would appear on a commit that was not tested', () => {
  test.each([
    ['pull_request_target', { event: 'pull_request_target' }, 'pull_request_target'],
    ['another commit than the head', { headSha: 'a'.repeat(40), workflowSha: 'b'.repeat(40) }, 'the checkout is at'],
    ['a job for another commit', { event: 'workflow_run', workflowSha: 'b'.repeat(40) }, 'the checkout is at'],
  ])('is not published, and says so: %s', async (_what, event, said) => {
    const job = await openJob('echo');
    const { env } = await startEchoServer();
    const { code, stdout, stderr, summary } = await job.act(event, env);
    expect([code, stderr]).toEqual([0, expect.stringContaining('nothing is published to GitHub')]);
    expect(stderr).toContain(said);
    expect(summary).toContain('**Not published**');
    expect(stdout).not.toContain('::');
    expect(job.github.requests).toEqual([]);
  });

  test('the head, its merge into the base, and a push are published', { tags: ['slow'] }, async () => {
    const job = await openJob('echo');
    const { env } = await startEchoServer();
    await job.act({ workflowSha: 'b'.repeat(40) }, env);
    await job.act({ headSha: 'a'.repeat(40) }, env);
    await job.act({ event: 'push' }, env);
    expect(job.github.checks.map(({ head_sha: sha }) => sha)).toEqual([job.sha, 'a'.repeat(40), job.sha]);
  });
});

test.each([
  [['--run', 'latest', '--merge', 'shards'], '--run and --merge: only one run can be published'],
  [['--run', 'latest', 'evals'], '--run takes no paths of suites'],
  [['--merge', 'shards', 'evals'], '--merge takes no paths of suites'],
  [['--merge', 'shards', '--args', '--trials 2'], "--merge can't be combined with --args --trials 2"],
  [['--run', 'latest', '--baseline', 'git:main'], "--run can't be combined with --baseline git:main"],
  [['--run', 'latest', '--blame', '1'], '--blame asks the cases of this run again'],
  [['--blame', 'much'], '--blame: "much" is not an amount above 0'],
  [['--blame', 'Infinity'], '--blame: "Infinity" is not an amount above 0'],
  [['--blame', '0x10'], '--blame: "0x10" is not an amount above 0'],
])('ci github %j is a usage error, since a stored run keeps its flags', async (argv, message) => {
  const { code, stderr } = await openTempProject().run(['ci', 'github', ...argv]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test.each([
  ['github', '--version', "unknown option '--version'"],
  ['github', '-V', "unknown option '-V'"],
  ['github', '--help', "unknown option '--help'"],
  ['gitlab', '--version', "unknown option '--version'"],
])('ci %s takes %s after --args for a flag of the run, and does not end green', async (service, flag, message) => {
  const { code, stderr } = await openTempProject().run(['ci', service, '--args', flag, '--baseline', '']);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test('a flag that no command knows gets no hint to --args', async () => {
  const { code, stderr } = await openTempProject().run(['ci', 'github', '--bogus']);
  expect([code, stderr]).toEqual([2, expect.stringContaining("unknown option '--bogus'")]);
  expect(stderr).not.toContain('--args');
});

test('flags of the run whose value may be left out stay after --args', async () => {
  const { stderr } = await openTempProject('echo').run(['ci', 'github', '--args', '--bail', '--run', 'latest']);
  expect(stderr).toContain("--run can't be combined with --args --bail");
});
