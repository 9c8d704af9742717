import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type GithubJobs, type JobOptions, openGithubJobs, wordSuite } from '../../support/github-job.ts';
import { robot } from '../../support/github-server.ts';

/** The job of a fork has run, and its record was uploaded; this is the job of the default branch afterwards. */
interface ForkJobs extends GithubJobs {
  readonly forkSha: string;
  readonly record: string;
  comment(options?: {
    readonly sha?: string;
    readonly event?: string;
    readonly env?: Readonly<Record<string, string>>;
  }): ReturnType<GithubJobs['act']>;
}

async function openFork(): Promise<ForkJobs> {
  const jobs = await openGithubJobs({ 'evals/words.eval.yaml': wordSuite('words') });
  await jobs.project.run(['run', '--update-baseline'], { env: jobs.providerEnv });
  const main = jobs.push('accept');
  jobs.git('checkout', '-qb', 'change');
  jobs.project.write('evals/words.eval.yaml', wordSuite('words').replace('Say:', 'Say: not'));
  const forkSha = jobs.push('the change of the fork');
  rmSync(jobs.project.path('.llmcheck/runs'), { recursive: true });
  await jobs.act({ from: 'eve/shop', flags: [], args: '--baseline git:main...' });
  const name = readdirSync(jobs.project.path('.llmcheck/runs')).find((file) => file.endsWith('.jsonl')) ?? '';
  mkdirSync(jobs.project.path('job/untrusted'), { recursive: true });
  cpSync(jobs.project.path(`.llmcheck/runs/${name}`), jobs.project.path('job/untrusted/run.jsonl'));
  jobs.git('checkout', '-q', main);
  jobs.github.head = forkSha;
  const head = { full_name: 'eve/shop', owner: { login: 'eve' } };
  return {
    ...jobs,
    forkSha,
    record: 'job/untrusted/run.jsonl',
    comment: ({ sha = forkSha, event = 'pull_request', env = {} } = {}) => {
      const tested = { id: 55, run_attempt: 1, event, head_sha: sha, head_branch: 'change', head_repository: head };
      const options: JobOptions = {
        event: 'workflow_run',
        payload: { workflow_run: tested },
        args: '',
        env,
        hasKey: false,
      };
      return jobs.act({ ...options, flags: ['--untrusted', 'job/untrusted'] });
    },
  };
}

function bodyOf({ github }: GithubJobs): string {
  return github.comments.map(({ body }) => body).join('\n---\n');
}

describe('a comment on the results of a fork', () => {
  test('is written by the default branch, names the tested commit, and says that nothing is verified', {
    tags: 'slow',
  }, async () => {
    const jobs = await openFork();
    const { code, summary } = await jobs.comment();
    expect([code, jobs.github.comments.length]).toEqual([0, 1]);
    expect(jobs.github.comments[0]?.user.login).toBe(robot);
    expect(bodyOf(jobs)).toMatch(/^<!-- llmcheck:\S+ run=\d+\.1 commit=\w+ by=\w+ job=\w+ -->\n> \*\*Not verified\*\*/);
    expect(bodyOf(jobs)).toContain('### ⚪ llmcheck, not verified: FAILED');
    expect(bodyOf(jobs)).toContain(`commit \`${jobs.forkSha.slice(0, 12)}\``);
    expect(summary).toContain('Not verified');
    // A check could be one that a merge requires.
    expect(jobs.github.checks).toEqual([]);
    expect(bodyOf(jobs)).toContain('/actions/runs/55)');
    await jobs.comment();
    expect(jobs.github.comments).toHaveLength(1);
  });

  test('is not written for a commit that is no longer the head, nor for a run of another event', {
    tags: 'slow',
  }, async () => {
    const jobs = await openFork();
    const late = await jobs.comment({ sha: 'a'.repeat(40) });
    expect([late.code, late.stderr]).toEqual([0, expect.stringContaining('nothing to comment on')]);
    await jobs.comment({ event: 'push' });
    expect(jobs.github.comments).toEqual([]);
  });

  test('goes to the pull request that the API names, whatever the artifact says', { tags: 'slow' }, async () => {
    const jobs = await openFork();
    for (const [name, text] of [
      ['pr-number', '1'],
      ['event.json', '{"pull_request":{"number":1}}'],
    ] as const) {
      jobs.project.write(`job/untrusted/${name}`, text);
    }
    const record = jobs.project.read(jobs.record).replace(/"provenance":\{/, '"provenance":{"pullRequest":1,');
    jobs.project.write(jobs.record, record);
    await jobs.comment();
    const posted = jobs.github.requests.filter(({ method, url }) => method === 'POST' && url !== '/graphql');
    expect(posted.map(({ url }) => url)).toEqual(['/repos/acme/shop/issues/7/comments']);
  });

  test('holds nothing of the record outside of code', { tags: 'slow' }, async () => {
    const jobs = await openFork();
    const bad = '@everyone ![x](http://evil/x.png) <img src=x> [a](http://evil) <!-- llmcheck:x -->';
    const record = jobs.project
      .read(jobs.record)
      .replaceAll('"not red"', JSON.stringify(bad))
      .replaceAll('"red"', JSON.stringify(`${bad} red`))
      .replaceAll('"words"', JSON.stringify(`${bad} suite`));
    jobs.project.write(jobs.record, record);
    const { code } = await jobs.comment();
    expect([code, jobs.github.comments.length]).toEqual([0, 1]);
    // Without code spans, code blocks and escaped code, nothing of it is left.
    const prose = bodyOf(jobs)
      .replace(/^<!-- llmcheck:[^\n]*\n/, '')
      .replaceAll(/^(`{3,})[^\n]*\n[\s\S]*?^\1$/gm, '')
      .replaceAll(/<code>[\s\S]*?<\/code>/g, '')
      .replaceAll(/(`+)(?!`)[^\n]*?[^`]\1(?!`)/g, '');
    expect(prose).not.toMatch(/@everyone|evil|<img|<!--/);
  });

  const unreadable: readonly [string, (jobs: ForkJobs) => void][] = [
    ['is no record', (jobs) => jobs.project.write(jobs.record, '{"type":"other"}\n')],
    ['is no JSON', (jobs) => jobs.project.write(jobs.record, '\u0000\u0001 <script>')],
    [
      'is a link to a file of this machine',
      (jobs) => {
        // A record like any other: only the link is wrong.
        cpSync(jobs.project.path(jobs.record), jobs.project.path('secret.jsonl'));
        rmSync(jobs.project.path(jobs.record));
        symlinkSync(jobs.project.path('secret.jsonl'), jobs.project.path(jobs.record));
      },
    ],
    ...[
      ['"settings":{', '"settings":{"loosened":5,'],
      ['"settings":{', '"settings":{"loosened":[{"key":[]}],'],
      ['"settings":{', '"settings":{"emptySelections":"<script>","x":'],
      [/"maxErrors":\{[^}]*\}/, '"maxErrors":null'],
      [/"passRate":\{/, '"passRate":null,"x":{'],
      ['"messages":[', '"messages":"x","y":['],
    ].map(([from = '', to = '']): [string, (jobs: ForkJobs) => void] => [
      `has ${String(to)}`,
      (jobs) => jobs.project.write(jobs.record, jobs.project.read(jobs.record).replace(from, String(to))),
    ]),
    ['is missing', (jobs) => rmSync(jobs.project.path(jobs.record))],
    ['is one of two', (jobs) => jobs.project.write('job/untrusted/b.jsonl', jobs.project.read(jobs.record))],
    [
      'names a suite outside of the project',
      (jobs) => {
        jobs.project.write(
          jobs.record,
          jobs.project.read(jobs.record).replaceAll('evals/words.eval.yaml', '../../../etc/passwd'),
        );
      },
    ],
  ];

  test('says that the results could not be read, whatever is wrong with the artifact', { tags: 'slow' }, async () => {
    const jobs = await openFork();
    const record = jobs.project.read(jobs.record);
    for (const [name, plant] of unreadable) {
      jobs.github.comments.length = 0;
      rmSync(jobs.project.path('job/untrusted'), { recursive: true });
      jobs.project.write(jobs.record, record);
      plant(jobs);
      const { code, stdout } = await jobs.comment();
      const body = bodyOf(jobs);
      const isSaid = body.includes('not verified: the results could not be read');
      expect({ name, code, isSaid, leaks: /FAILED|<script>|root:/.exec(body + stdout) }).toEqual({
        name,
        code: 0,
        isSaid: true,
        leaks: null,
      });
    }
  });

  test('holds nothing of what the record says was loosened outside of code', { tags: 'slow' }, async () => {
    const jobs = await openFork();
    const bad = '@everyone ![x](http://evil/x.png) <img src=x> [a](http://evil) <!-- llmcheck:x -->';
    const loosened = [
      { suite: bad, key: bad, old: bad, new: bad },
      { suite: bad, key: 'mustPass', old: '', new: '', cases: [bad] },
    ];
    const record = jobs.project.read(jobs.record);
    jobs.project.write(
      jobs.record,
      record.replace('"settings":{', `"settings":{"loosened":${JSON.stringify(loosened)},`),
    );
    expect((await jobs.comment()).code).toBe(0);
    expect(bodyOf(jobs)).toContain('everyone');
    expect(bodyOf(jobs).replaceAll(/(`+)(?!`)[^\n]*?[^`]\1(?!`)/g, '')).not.toMatch(
      /@everyone|evil|<img|<!-- llmcheck:x/,
    );
  });

  test('runs nothing of the artifact, and loads no suite', { tags: 'slow' }, async () => {
    const jobs = await openFork();
    const owned = jobs.project.path('job/owned');
    for (const name of ['llmcheck.config.mjs', 'index.js']) {
      jobs.project.write(
        `job/untrusted/${name}`,
        `import('node:fs').then((fs) => fs.writeFileSync(${JSON.stringify(owned)}, ''));\n`,
      );
    }
    // A suite that could not be loaded shows that none is.
    jobs.project.write('evals/words.eval.yaml', 'suite: [');
    const { code } = await jobs.comment();
    expect([code, bodyOf(jobs)]).toEqual([0, expect.stringContaining('not verified: FAILED')]);
    expect(jobs.project.files('job').filter((file) => file.includes('owned'))).toEqual([]);
  });

  test('fails where the pull request cannot be found or the comment written, and is refused in other events', {
    tags: 'slow',
  }, async () => {
    const jobs = await openFork();
    const denied = { status: 403, body: { message: 'Resource not accessible by integration' } };
    for (const [path, said] of [
      ['/pulls?', 'the pull request could not be found'],
      ['/issues/7/comments', 'permissions: pull-requests: write'],
    ] as const) {
      jobs.github.intercept = ({ url }) => (url.includes(path) ? denied : undefined);
      const { code, stderr } = await jobs.comment();
      expect([path, code, stderr]).toEqual([path, 1, expect.stringContaining(said)]);
    }
    jobs.github.intercept = () => undefined;
    const { code, stderr } = await jobs.act({
      event: 'pull_request',
      flags: ['--untrusted', 'job/untrusted'],
      args: '',
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining('--untrusted is for jobs of workflow_run')]);
  });
});
