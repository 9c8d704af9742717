import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startEchoServer } from '../support/chat-server.ts';
import { installPrograms, runShell, type ShellResult } from '../support/ci-shell.ts';
import { commitAll, headOf, initRepository, runGit } from '../support/git.ts';
import { wordSuite } from '../support/github-job.ts';
import { gitlabToken, startGitlabServer } from '../support/gitlab-job.ts';
import { runCli } from '../support/run-cli.ts';
import { openTempProject } from '../support/temp-project.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

type Env = Readonly<Record<string, string>>;

/** A repository whose main has an accepted baseline, and a clone of it as a job has it. */
async function openClone() {
  const project = openTempProject();
  const provider = await startEchoServer();
  const PATH = await installPrograms(project);
  const git = (folder: string, ...argv: readonly string[]): string => runGit(project.path(folder), ...argv);
  project.write('origin/evals/words.eval.yaml', wordSuite('words'));
  project.write('origin/.gitignore', '.llmcheck/\nllmcheck.*\n/reports/\n');
  await runCli(['run', '-q', '--update-baseline'], { cwd: project.path('origin'), env: provider.env });
  initRepository(project.path('origin'), 'accept');
  git('.', 'clone', '-q', `file://${project.path('origin')}`, 'job');
  const env: Env = { ...provider.env, PATH, HOME: project.root, CI: 'true' };
  return {
    project,
    env,
    git,
    /** A commit in the clone, on the branch of a pull request. */
    change(edit: (suite: string) => string, message = 'change') {
      const file = 'job/evals/words.eval.yaml';
      project.write(file, edit(project.read(file)));
      commitAll(project.path('job'), message);
    },
    run: (lines: readonly string[], own: Env = {}, shell?: 'bash' | 'sh') =>
      runShell(lines, { cwd: project.path('job'), env: { ...env, ...own }, ...(shell && { shell }) }),
    has: (name: string) => existsSync(project.path(`job/${name}`)),
  };
}

type Clone = Awaited<ReturnType<typeof openClone>>;

/** One more word that answers as expected, and a prompt that makes all answers wrong. */
const good = (suite: string) => suite.replace('Say: {{ word }}', 'Say: {{word}}');
const bad = (suite: string) => suite.replace('Say: {{ word }}', 'Say: not {{ word }}');

/** The steps of the CircleCI example that are shell, in order. */
function circleSteps(): readonly string[] {
  const config = parse(read('examples/circleci/config.yml')) as {
    readonly jobs: Readonly<
      Record<string, { readonly steps: readonly (string | Readonly<Record<string, unknown>>)[] }>
    >;
  };
  return Object.values(config.jobs).flatMap(({ steps }) =>
    steps.flatMap((step) => {
      const run = typeof step === 'string' ? undefined : step['run'];
      if (typeof run === 'string') return [run];
      return run === undefined ? [] : [(run as { readonly command: string }).command];
    }),
  );
}

/** The `sh` steps of the Jenkins example. */
function jenkinsSteps(): readonly string[] {
  return [...read('examples/jenkins/Jenkinsfile').matchAll(/^ +sh '([^']*)'$/gm)].map(([, line = '']) => line);
}

async function runSteps(clone: Clone, steps: readonly string[], env: Env): Promise<ShellResult> {
  let log = '';
  for (const step of steps) {
    const result = await clone.run([step], env);
    log += result.log;
    if (result.code !== 0) return { code: result.code, log };
  }
  return { code: 0, log };
}

describe.each<[string, () => readonly string[], Env, Env, readonly string[]]>([
  [
    'CircleCI',
    circleSteps,
    { CIRCLECI: 'true', CIRCLE_BRANCH: 'change', CIRCLE_PULL_REQUEST: 'https://github.example/acme/shop/pull/7' },
    { CIRCLECI: 'true', CIRCLE_BRANCH: 'main' },
    ['reports/llmcheck/junit.xml', 'reports/llmcheck.html'],
  ],
  [
    'Jenkins',
    jenkinsSteps,
    { JENKINS_URL: 'https://ci.example', BRANCH_NAME: 'PR-7', CHANGE_ID: '7', CHANGE_TARGET: 'main' },
    { JENKINS_URL: 'https://ci.example', BRANCH_NAME: 'main' },
    ['llmcheck.xml', 'llmcheck.html'],
  ],
])('the example for %s', { tags: 'slow' }, (_, stepsOf, pullRequest, main, reports) => {
  test('passes a pull request that breaks nothing, and main', async () => {
    const clone = await openClone();
    expect(await runSteps(clone, stepsOf(), main)).toMatchObject({ code: 0 });
    clone.git('job', 'checkout', '-qb', 'change');
    clone.change(good);
    const { code, log } = await runSteps(clone, stepsOf(), pullRequest);
    expect([code, log]).toEqual([0, expect.stringContaining('PASSED')]);
    expect(reports.filter((name) => !clone.has(name))).toEqual([]);
    expect(clone.project.read('bin/log')).toContain('npm ci');
  });

  test('fails one that breaks cases, with its reports, also if the request accepts them itself', async () => {
    const clone = await openClone();
    clone.git('job', 'checkout', '-qb', 'change');
    clone.change(bad);
    const { code, log } = await runSteps(clone, stepsOf(), pullRequest);
    expect([code, log]).toEqual([1, expect.stringContaining('FAILED')]);
    expect(reports.filter((name) => !clone.has(name))).toEqual([]);
    await clone.run(['npx llmcheck baseline accept --force']);
    clone.change((suite) => suite, 'accept it');
    const accepted = await runSteps(clone, stepsOf(), pullRequest);
    // What a request accepts is named; against its own baseline nothing would have changed.
    expect(accepted.log).toMatch(/accepts 3 regressions/);
    expect(accepted.log).not.toContain('unchanged');
  });
});

interface GitlabJob {
  readonly extends?: string;
  readonly before_script?: readonly string[];
  readonly script?: readonly string[];
  readonly rules?: readonly { readonly if: string; readonly when?: string }[];
  readonly variables?: Env;
  readonly cache?: { readonly when: string; readonly paths: readonly string[] };
  readonly artifacts?: { readonly when: string; readonly paths: readonly string[]; readonly reports: Env };
}

/** A job with what it extends. */
function gitlabJob(name: string): GitlabJob {
  const pipeline = parse(read('examples/gitlab/gitlab-ci.yml')) as Readonly<Record<string, GitlabJob>>;
  const job = pipeline[name] ?? {};
  return { ...pipeline[job.extends ?? ''], ...job };
}

const slow = { tags: 'slow' } as const;

describe('the example for GitLab', () => {
  async function openPipeline() {
    const clone = await openClone();
    const gitlab = await startGitlabServer();
    const act = (name: string, source: string) => {
      const { before_script: before = [], script = [], variables = {} } = gitlabJob(name);
      const head = headOf(clone.project.path('job'));
      gitlab.head = head;
      return clone.run(
        [...before, ...script],
        {
          ...variables,
          GITLAB_CI: 'true',
          CI_API_V4_URL: `${gitlab.url}/api/v4`,
          CI_PROJECT_ID: '12',
          CI_PROJECT_URL: 'https://gitlab.example/acme/shop',
          CI_PROJECT_DIR: clone.project.path('job'),
          CI_PROJECT_PATH: 'acme/shop',
          CI_SERVER_HOST: 'gitlab.example',
          CI_DEFAULT_BRANCH: 'main',
          CI_COMMIT_SHA: head,
          CI_JOB_NAME: name,
          CI_JOB_URL: 'https://gitlab.example/acme/shop/-/jobs/31',
          CI_PIPELINE_SOURCE: source,
          CI_PIPELINE_ID: '5',
          GITLAB_TOKEN: gitlabToken,
          ...(source === 'merge_request_event' && {
            CI_MERGE_REQUEST_IID: '7',
            CI_MERGE_REQUEST_PROJECT_ID: '12',
            CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
          }),
        },
        'bash',
      );
    };
    return { ...clone, gitlab, act };
  }

  test('keeps cache and reports of a red job', () => {
    for (const name of ['prompts', 'drift']) {
      const { cache, artifacts } = gitlabJob(name);
      expect([cache?.when, artifacts?.when]).toEqual(['always', 'always']);
      expect([...(artifacts?.paths ?? []), ...Object.values(artifacts?.reports ?? {})].sort()).toEqual([
        '.llmcheck/runs',
        'llmcheck.html',
        'llmcheck.json',
        'llmcheck.xml',
      ]);
    }
  });

  test('passes and fails merge requests, with note, page and reports', slow, async () => {
    const pipeline = await openPipeline();
    pipeline.git('job', 'checkout', '-qb', 'change');
    pipeline.change(good);
    expect(await pipeline.act('prompts', 'merge_request_event')).toMatchObject({ code: 0 });
    expect(pipeline.gitlab.notes.map(({ body }) => /llmcheck \w+/.exec(body)?.[0])).toEqual(['llmcheck PASSED']);
    pipeline.change(() => bad(wordSuite('words')));
    expect(await pipeline.act('prompts', 'merge_request_event')).toMatchObject({ code: 1 });
    expect(pipeline.gitlab.notes.map(({ body }) => /llmcheck \w+/.exec(body)?.[0])).toEqual(['llmcheck FAILED']);
    expect(pipeline.gitlab.notes[0]?.body).toContain('/jobs/31/artifacts/file/llmcheck.html#/case/words/');
    const { artifacts } = gitlabJob('prompts');
    const kept = [...(artifacts?.paths ?? []), ...Object.values(artifacts?.reports ?? {})];
    expect(kept.filter((name) => !pipeline.has(name))).toEqual([]);
  });

  test(
    'proposes what main answers as baseline, also from nothing and of a red run, and only if it changed',
    slow,
    async () => {
      const pipeline = await openPipeline();
      const pushed = () =>
        pipeline.project
          .read('bin/git-log')
          .split('\n')
          .filter((line) => line.startsWith('push'));
      // Everything but the push is the real git.
      const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
      const log = pipeline.project.path('bin/git-log');
      pipeline.project.write('bin/git', `#!/bin/sh\necho "$*" >> "${log}"\n[ "$1" = push ] || exec "${git}" "$@"\n`);
      execFileSync('chmod', ['+x', pipeline.project.path('bin/git')]);
      expect(await pipeline.act('prompts', 'push')).toMatchObject({ code: 0 });
      pipeline.change(() => wordSuite('words', ['red']));
      pipeline.git('job', 'rm', '-q', 'evals/words.baseline.jsonl');
      pipeline.change((suite) => suite, 'no baseline');
      expect((await pipeline.act('prompts', 'push')).code).toBe(1);
      expect(await pipeline.act('baseline', 'push')).toMatchObject({ code: 0 });
      expect(pushed()).toEqual([expect.stringContaining('merge_request.create')]);
      expect(pipeline.git('job', 'show', '--stat', '--format=%s')).toMatch(
        /^Accept the baseline of main[^]*baseline\.jsonl/,
      );
      expect(await pipeline.act('baseline', 'push')).toMatchObject({ code: 0 });
      expect(pushed()).toHaveLength(1);
    },
  );

  test('looks for drift with every model asked again', slow, async () => {
    const pipeline = await openPipeline();
    const { code, log } = await pipeline.act('drift', 'schedule');
    expect([code, log]).toEqual([0, expect.stringContaining('PASSED')]);
    expect(pipeline.has('llmcheck.html')).toBe(true);
  });

  test('runs each job in the pipelines that it is for', () => {
    const events = (name: string) => gitlabJob(name).rules?.map(({ if: condition }) => condition);
    expect([events('prompts'), events('baseline'), events('drift')]).toEqual([
      [
        '$CI_PIPELINE_SOURCE == "merge_request_event"',
        '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH',
      ],
      ['$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH'],
      ['$CI_PIPELINE_SOURCE == "schedule"'],
    ]);
  });
});
