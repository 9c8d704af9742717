import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type GithubJobs,
  type JobOptions,
  type JobResult,
  openGithubJobs,
  wordSuite,
} from '../../support/github-job.ts';

/**
 * Every kind of job on GitHub in one place. Each row says what a person sees: the comment, the check, the annotations, the
 * outputs and the exit code. Other files test the same subjects in more detail: ci-jobs (monorepo, shards), ci-forks,
 * ci-untrusted, ci-merge-queue, ci-newest (re-runs, late runs, 150 comments, faults), ci-drift (schedule), ci-errors
 * (permissions), ci-baseline-age; test/action runs the workflows (protected main, first baseline, shards, a fork, a nightly run).
 */
interface Row {
  readonly files?: Readonly<Record<string, string>>;
  readonly hasBaseline?: false;
  /** What happens before; the result of its last job is what the row is about. */
  readonly play: (jobs: GithubJobs) => Promise<JobResult>;
  readonly shows: Shown;
}

interface Shown {
  /** Of each comment of the robot: its verdict. */
  readonly comments: readonly string[];
  /** Where the links of the comments to the page lead: the page itself, and cases in it. */
  readonly links?: readonly string[];
  /** The newest check of each name: its conclusion. */
  readonly checks: readonly string[];
  /** Levels of the annotations, without repetitions. */
  readonly annotations: readonly string[];
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly code: number;
}

const suite = 'evals/words.eval.yaml';
const gate: JobOptions = { args: '', flags: ['--comment', '--check-run', '--baseline', 'git:main...'] };
const pageUrl = 'https://github.example/acme/shop/actions/runs/9/artifacts/1';

/** A job that uploads its page between two steps. The result is that of the step that runs. */
async function actWithPage(jobs: GithubJobs, options: JobOptions): Promise<JobResult> {
  const runId = 9;
  const result = await jobs.act({ ...options, runId, flags: [...(options.flags ?? []), '--publish-later'] });
  const published = await jobs.act({ ...options, runId, flags: ['--publish', '--page-url', pageUrl], args: '' });
  expect(published.code).toBe(0);
  return result;
}

const denied = { status: 403, body: { message: 'Resource not accessible by integration' } };

const passed: Shown = {
  comments: ['PASSED'],
  checks: ['success'],
  annotations: ['notice'],
  outputs: { outcome: 'passed', conclusion: 'success', exitCode: '0' },
  code: 0,
};
const failed: Shown = {
  comments: ['FAILED'],
  checks: ['failure'],
  // Two of three broken cases are confirmed: the third is a warning, and more calls would change nothing.
  annotations: ['error', 'notice', 'warning'],
  outputs: { outcome: 'failed', conclusion: 'failure', exitCode: '1', broken: '1' },
  code: 1,
};
const neutral: Shown = {
  comments: ['NEUTRAL'],
  checks: ['neutral'],
  annotations: ['notice'],
  outputs: { conclusion: 'neutral', exitCode: '0' },
  code: 0,
};

/** The pull request asks for other words, so that every case breaks. */
function breakAll(jobs: GithubJobs): string {
  jobs.project.write(suite, wordSuite('words').replace('Say:', 'Say: not'));
  return jobs.push('break');
}

const monorepo = {
  'packages/a/llmcheck.config.yaml': '{}\n',
  'packages/b/llmcheck.config.yaml': '{}\n',
  'packages/a/evals/words.eval.yaml': wordSuite('a-words', ['red']),
  'packages/b/evals/words.eval.yaml': wordSuite('b-words'),
};

const rows: Readonly<Record<string, Row>> = {
  'a pull request that breaks a prompt': {
    play: (jobs) => {
      breakAll(jobs);
      return actWithPage(jobs, gate);
    },
    shows: { ...failed, links: ['page', 'green', 'red', 'seven'] },
  },
  'a monorepo with two jobs': {
    files: monorepo,
    hasBaseline: false,
    play: async (jobs) => {
      await jobs.act({ folder: 'packages/a' });
      return jobs.act({ folder: 'packages/b' });
    },
    shows: { ...passed, comments: ['FAILED', 'PASSED'], checks: ['failure', 'success'] },
  },
  'a matrix of shards, and the merged run': {
    files: { [suite]: wordSuite('words', ['red']) },
    hasBaseline: false,
    play: async (jobs) => {
      for (const shard of [1, 2]) {
        await jobs.act({ args: `--no-baseline --shard ${shard}/2`, matrix: { shard }, runId: 5 });
        cpSync(jobs.project.path('.llmcheck/runs'), jobs.project.path(`job/shards/${shard}`), { recursive: true });
        jobs.git('clean', '-qdfx', '.llmcheck');
      }
      expect([jobs.github.comments, jobs.github.checks]).toEqual([[], []]);
      const flags = ['--comment', '--check-run', '--merge', 'job/shards'];
      return actWithPage(jobs, { flags, args: '', job: 'verdict' });
    },
    shows: {
      ...failed,
      links: ['page', 'red'],
      annotations: ['error', 'notice'],
      outputs: { outcome: 'failed', planned: '3', failed: '1', exitCode: '1' },
    },
  },
  'a fork without keys': {
    hasBaseline: false,
    play: (jobs) =>
      actWithPage(jobs, {
        from: 'eve/shop',
        hasKey: false,
        flags: ['--comment', '--check-run'],
        args: '--no-baseline',
      }),
    shows: { ...neutral, links: ['page'] },
  },
  Dependabot: {
    hasBaseline: false,
    play: (jobs) => jobs.act({ actor: 'dependabot[bot]', hasKey: false }),
    shows: neutral,
  },
  pull_request_target: {
    play: (jobs) => jobs.act({ ...gate, event: 'pull_request_target' }),
    shows: { ...passed, comments: [], checks: [], annotations: [] },
  },
  merge_group: {
    play: (jobs) => {
      const base = jobs.github.head;
      const head = breakAll(jobs);
      return jobs.act({
        flags: ['--comment', '--check-run'],
        args: '',
        event: 'merge_group',
        payload: { merge_group: { head_sha: head, base_sha: base } },
      });
    },
    shows: { ...failed, comments: [] },
  },
  'a pull request that changes no suite': {
    play: (jobs) => {
      jobs.project.write('README.md', 'words\n');
      jobs.push('readme');
      return jobs.act({ ...gate, args: '--changed main... --allow-empty' });
    },
    // Nothing was looked at, so nothing is a success.
    shows: { ...passed, checks: ['neutral'], outputs: { outcome: 'passed', conclusion: 'neutral', exitCode: '0' } },
  },
  'a push': {
    play: (jobs) => jobs.act({ event: 'push', args: '' }),
    shows: { ...passed, comments: [] },
  },
  'a schedule, with drift': {
    play: (jobs) => {
      jobs.answers.set('red', 'sorry');
      return jobs.act({ event: 'schedule', flags: ['--issue', '--check-run'], args: '' });
    },
    shows: {
      comments: [],
      checks: ['neutral'],
      annotations: ['notice', 'warning'],
      outputs: { drift: 'confirmed', issueUrl: 'https://github.example/i/20', conclusion: 'neutral', exitCode: '0' },
      code: 0,
    },
  },
  'a re-run': {
    play: async (jobs) => {
      breakAll(jobs);
      await jobs.act({ ...gate, runId: 11 });
      return jobs.act({ ...gate, runId: 11, attempt: 2 });
    },
    shows: failed,
  },
  'a late run of an older commit': {
    play: async (jobs) => {
      const one = jobs.push('one');
      breakAll(jobs);
      await jobs.act({ ...gate, runId: 12 });
      jobs.git('checkout', '-q', one);
      return jobs.act({ ...gate, runId: 11 });
    },
    // The newer commit keeps its comment. The check of the older one is on its own commit.
    shows: { ...passed, comments: ['FAILED'], annotations: ['notice', 'warning'] },
  },
  'a protected main, whose baseline is on a branch': {
    hasBaseline: false,
    play: async (jobs) => {
      jobs.git('checkout', '-qb', 'llmcheck/baseline');
      await jobs.project.run(['run', '--update-baseline'], { env: jobs.providerEnv });
      jobs.push('accept');
      jobs.git('checkout', '-q', 'main');
      jobs.git('checkout', '-qb', 'change');
      breakAll(jobs);
      return jobs.act({ ...gate, flags: ['--comment', '--check-run', '--baseline', 'git:llmcheck/baseline'] });
    },
    shows: failed,
  },
  'the first baseline, of a suite that is not perfect': {
    files: { [suite]: wordSuite('words', ['red']) },
    hasBaseline: false,
    play: async (jobs) => {
      const first = await jobs.act({ event: 'push', args: '' });
      expect([first.code, first.outputs['outcome']]).toEqual([1, 'failed']);
      await jobs.project.run(['baseline', 'accept', '--known-failures'], { env: jobs.providerEnv });
      jobs.push('the pull request of the bot');
      return jobs.act({ event: 'push', args: '' });
    },
    shows: { ...passed, comments: [], outputs: { outcome: 'passed', stillFailing: '1', exitCode: '0' } },
  },
  'the pull request of the bot with the first baseline': {
    files: { [suite]: wordSuite('words', ['red']) },
    hasBaseline: false,
    play: async (jobs) => {
      jobs.git('checkout', '-qb', 'llmcheck/baseline');
      await jobs.project.run(['run', '-q', '--no-baseline'], { env: jobs.providerEnv });
      await jobs.project.run(['baseline', 'accept', '--known-failures'], { env: jobs.providerEnv });
      jobs.push('the pull request of the bot');
      return actWithPage(jobs, { ...gate, flags: ['--comment', '--check-run'] });
    },
    shows: {
      ...passed,
      links: ['page'],
      outputs: {
        headline: 'PASSED: first baseline: 2 of 3 cases pass; failing cases accepted by this change: red',
        stillFailing: '1',
        exitCode: '0',
      },
    },
  },
  'behind 150 comments': {
    play: async (jobs) => {
      breakAll(jobs);
      await jobs.act(gate);
      const others = Array.from({ length: 150 }, (_, id) => ({ id, body: `<p>${id}</p>`, user: { login: 'ann' } }));
      jobs.github.comments.unshift(...others);
      return jobs.act(gate);
    },
    shows: failed,
  },
  'a spoofed marker': {
    play: async (jobs) => {
      await jobs.act(gate);
      const [own] = jobs.github.comments;
      jobs.github.comments.splice(0, 1, { id: 1, body: own?.body ?? '', user: { login: 'eve', type: 'User' } });
      breakAll(jobs);
      const result = await jobs.act(gate);
      expect(jobs.github.comments[0]).toMatchObject({ body: own?.body, user: { login: 'eve' } });
      return result;
    },
    shows: failed,
  },
  'faults of the API that pass': {
    play: (jobs) => {
      const seen = new Set<string>();
      jobs.github.intercept = ({ method, url }) => {
        const key = `${method} ${url}`;
        if (seen.has(key)) return undefined;
        seen.add(key);
        return { status: 502 };
      };
      breakAll(jobs);
      return jobs.act(gate);
    },
    shows: failed,
  },
  'faults of the API that stay': {
    play: (jobs) => {
      jobs.github.intercept = () => denied;
      breakAll(jobs);
      return jobs.act(gate);
    },
    shows: { ...failed, comments: [], checks: [] },
  },
};

function shownBy({ github }: GithubJobs, { stdout, outputs, code }: JobResult, head: string): Shown {
  const verdictOf = (body: string): string => /llmcheck (?:PASSED|FAILED|NEUTRAL)/.exec(body)?.[0].slice(9) ?? body;
  const own = github.comments.filter(({ user }) => user.login === 'github-actions[bot]');
  const checks = github.checks.filter((check) => check.head_sha === head);
  return {
    comments: own.map(({ body }) => verdictOf(body)).sort(),
    links: own.flatMap(({ body }) => linksOf(body)),
    checks: [...new Map(checks.map((check) => [check.name, check.conclusion])).values()].sort(),
    annotations: [...new Set([...stdout.matchAll(/^::(\w+)/gm)].map(([, level = '']) => level))].sort(),
    outputs,
    code,
  };
}

function linksOf(body: string): readonly string[] {
  const links = [...body.matchAll(/\[`?([^`\]]+)`?\]\(([^)#]+)(#\/case\/[^)]+)?\)/g)];
  return links.filter(([, , url]) => url === pageUrl).map(([, name = '']) => name);
}

describe('what a job shows', () => {
  test.each(Object.entries(rows))(
    '%s',
    { tags: 'slow' },
    async (_, { files = { [suite]: wordSuite('words') }, hasBaseline, play, shows }) => {
      const jobs = await openGithubJobs(files);
      if (hasBaseline !== false) {
        await jobs.project.run(['run', '--update-baseline'], { env: jobs.providerEnv });
        jobs.push('accept');
        jobs.git('checkout', '-qb', 'change');
      }
      const result = await play(jobs);
      const shown = shownBy(jobs, result, jobs.git('rev-parse', 'HEAD'));
      expect(shown).toMatchObject(shows);
    },
  );
});
