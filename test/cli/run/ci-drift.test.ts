import { describe, expect, test } from 'vitest';
import type { GithubJobs, JobOptions, JobResult } from '../../support/github-job.ts';
import { openGithubJobs, wordSuite } from '../../support/github-job.ts';
import { robot } from '../../support/github-server.ts';

const nightly: JobOptions = {
  event: 'schedule',
  workflow: 'drift',
  job: 'drift',
  flags: ['--issue', '--check-run'],
  args: '',
};

/** A repository whose main has an accepted baseline. */
async function openAccepted(): Promise<GithubJobs> {
  const jobs = await openGithubJobs({ 'evals/words.eval.yaml': wordSuite('words') });
  await jobs.project.run(['run', '--update-baseline'], { env: jobs.providerEnv });
  jobs.push('accept');
  return jobs;
}

function degrade({ answers }: GithubJobs, ...words: readonly string[]): void {
  for (const word of words) answers.set(word, 'sorry');
}

function issuesOf({ github }: GithubJobs) {
  return github.issues.map(({ state, title }) => [state, title]);
}

function annotationsOf({ stdout }: JobResult): readonly string[] {
  return stdout.split('\n').filter((line) => line.startsWith('::'));
}

const drifted = ['open', expect.stringMatching(/^Drift: .*drifted/)];
const denied = { status: 403, body: { message: 'Resource not accessible by integration' } };

test('a scheduled run opens one issue once a second run agrees, is not red, and closes the issue when it is over', {
  tags: 'slow',
}, async () => {
  const jobs = await openAccepted();
  const quiet = await jobs.act(nightly);
  expect([quiet.code, quiet.outputs['drift'], issuesOf(jobs)]).toEqual([0, 'none', []]);

  degrade(jobs, 'red', 'seven');
  const found = await jobs.act(nightly);
  expect([found.code, found.outputs]).toMatchObject([
    0,
    {
      drift: 'confirmed',
      exitCode: '0',
      outcome: 'failed',
      conclusion: 'neutral',
      issueUrl: 'https://github.example/i/20',
    },
  ]);
  expect(found.stderr).toContain('a second run has to confirm it');
  expect(issuesOf(jobs)).toEqual([drifted]);
  expect(jobs.github.issues[0]?.body).toContain('Two runs in a row agree');
  expect(jobs.github.issues[0]?.body).toMatch(/### ⚠️ llmcheck DRIFT: .* \(exit code 0\)/);
  expect(jobs.github.checks.at(-1)).toMatchObject({
    conclusion: 'neutral',
    output: { title: expect.stringMatching(/^drift: /) },
  });
  expect(found.summary).toContain('> **Drift**: Two runs agree: the issue https://github.example/i/20 was opened.');
  expect(annotationsOf(found).length).toBeGreaterThan(0);
  expect(annotationsOf(found).filter((line) => line.startsWith('::error'))).toEqual([]);

  jobs.answers.delete('seven');
  const later = await jobs.act(nightly);
  expect([later.code, later.outputs['issueUrl'], issuesOf(jobs).length]).toEqual([0, 'https://github.example/i/20', 1]);
  expect(jobs.github.issues[0]?.body).not.toContain('`seven`');

  jobs.answers.clear();
  const over = await jobs.act(nightly);
  expect([over.code, over.outputs['drift']]).toEqual([0, 'none']);
  expect(jobs.github.issues).toMatchObject([
    {
      state: 'closed',
      state_reason: 'completed',
      said: [expect.stringContaining('The drift is over: this run passed ([log](https://github.example/')],
    },
  ]);
});

describe('a scheduled run that looks for drift', { tags: 'slow' }, () => {
  test('raises no alarm where the second run passes, and closes no issue by it', async () => {
    const jobs = await openAccepted();
    degrade(jobs, 'red');
    await jobs.act(nightly);
    let runs = 0;
    const original = jobs.answers.get.bind(jobs.answers);
    // The answer is right in the second run and all later ones.
    jobs.answers.get = (word) => {
      if (word === 'green') runs += 1;
      return runs > 1 ? undefined : original(word);
    };
    const result = await jobs.act({ ...nightly, args: '--concurrency 1' });
    expect([result.code, result.outputs['drift']]).toEqual([0, 'unconfirmed']);
    expect(result.summary).toContain('did not confirm it');
    expect(issuesOf(jobs)).toEqual([drifted]);
  });

  test('fails by what is no drift: a broken contract, errors of the provider, a suite that cannot be read', async () => {
    const jobs = await openAccepted();
    const errors = await jobs.act({ ...nightly, env: { OPENAI_BASE_URL: jobs.github.url } });
    expect([errors.code, errors.outputs['drift']]).toEqual([3, '']);
    jobs.project.write('evals/words.eval.yaml', 'suite: [');
    jobs.push();
    expect((await jobs.act(nightly)).code).toBe(2);
    expect(jobs.github.issues).toEqual([]);
  });

  test('sees no drift without a baseline, and says so', async () => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': wordSuite('words') });
    const result = await jobs.act(nightly);
    expect([result.code, result.outputs]).toMatchObject([4, { drift: 'blind', exitCode: '4', conclusion: 'failure' }]);
    expect(result.summary).toMatch(/^> \*\*Drift\*\*: nothing was compared.*\n\n### .* \(exit code 4\)/);
    expect(annotationsOf(result).join('\n')).toContain('nothing was compared with a baseline');
    expect(jobs.github.checks.at(-1)?.conclusion).toBe('failure');
  });

  test.each<[string, (text: string) => string]>([
    ['a must-pass case that expects something else', (text) => text.replace('equals: red', 'equals: blue')],
    ['a must-pass case of another prompt', (text) => text.replace('Say:', 'Please say:')],
    ['a must-pass case of another model', (text) => text.replace('gpt-4o-mini', 'gpt-4o')],
    ['a new must-pass case', (text) => text.replace('id: red,', 'id: other,').replace('equals: red', 'equals: blue')],
  ])('fails by what a change broke: %s', async (_, change) => {
    const suite = 'evals/words.eval.yaml';
    const text = wordSuite('words').replace('id: red,', 'id: red, mustPass: true,');
    const jobs = await openGithubJobs({ [suite]: text });
    await jobs.project.run(['run', '--update-baseline'], { env: jobs.providerEnv });
    jobs.push('accept');
    jobs.project.write(suite, change(text));
    jobs.push('change');
    // Another prompt and another model break the must-pass case alone.
    jobs.answers.set('gpt-4o: red', 'sorry');
    for (const word of ['green', 'seven']) jobs.answers.set(`Please say: ${word}`, word);
    const result = await jobs.act(nightly);
    expect([result.code, result.outputs['conclusion'], issuesOf(jobs)]).toEqual([1, 'failure', []]);
  });

  test('fails by a suite without a baseline beside one that drifted', async () => {
    const jobs = await openAccepted();
    jobs.project.write('evals/new.eval.yaml', wordSuite('new', ['green']));
    jobs.push('a new suite');
    degrade(jobs, 'red');
    const result = await jobs.act(nightly);
    expect([result.code, issuesOf(jobs)]).toEqual([1, []]);
  });

  test('closes no issue while a suite has no baseline, and says so', async () => {
    const jobs = await openAccepted();
    degrade(jobs, 'red');
    await jobs.act(nightly);
    jobs.answers.clear();
    jobs.project.write('evals/other.eval.yaml', wordSuite('other'));
    await jobs.project.run(['run', '--update-baseline', 'evals/other.eval.yaml'], { env: jobs.providerEnv });
    jobs.git('rm', '-q', 'evals/words.baseline.jsonl');
    jobs.push('another suite');
    const result = await jobs.act(nightly);
    expect([result.code, issuesOf(jobs)]).toEqual([0, [drifted]]);
    expect(annotationsOf(result).join('\n')).toContain('no baseline: in words drift cannot be seen');
  });

  test.each<[string, JobOptions, RegExp]>([
    ['on a pull request', { event: 'pull_request' }, /--issue is for scheduled jobs/],
    ['in a merge queue', { event: 'merge_group' }, /--issue is for scheduled jobs/],
    ['with stored answers', { args: '--cache use' }, /stored answers show no drift/],
    ['with a stored run', { flags: ['--issue', '--run', 'latest'] }, /--issue takes no stored run/],
  ])('is refused %s', async (_, options, said) => {
    const jobs = await openAccepted();
    const result = await jobs.act({ ...nightly, ...options });
    expect([result.code, result.stderr]).toEqual([2, expect.stringMatching(said)]);
  });
});

describe('the issue', { tags: 'slow' }, () => {
  async function openDrifted(): Promise<GithubJobs> {
    const jobs = await openAccepted();
    degrade(jobs, 'red');
    return jobs;
  }

  test('is not taken for another issue with a copied marker', async () => {
    const jobs = await openDrifted();
    await jobs.act(nightly);
    const [own] = jobs.github.issues;
    const copied = {
      number: 3,
      title: 'mine',
      body: own?.body ?? '',
      state: 'open' as const,
      user: { login: 'eve' },
      said: [],
    };
    jobs.github.issues.splice(0, 1, copied);
    await jobs.act(nightly);
    expect(jobs.github.issues.map(({ user, title }) => [user.login, title.slice(0, 5)])).toEqual([
      ['eve', 'mine'],
      [robot, 'Drift'],
    ]);
    jobs.answers.clear();
    await jobs.act(nightly);
    expect(jobs.github.issues.map(({ state }) => state)).toEqual(['open', 'closed']);
  });

  test('is found behind 150 others, and is not a pull request', async () => {
    const jobs = await openDrifted();
    await jobs.act(nightly);
    for (let number = 100; number < 250; number += 1) {
      const body = number === 200 ? (jobs.github.issues[0]?.body ?? '') : '';
      const other = { number, title: 'other', body, state: 'open' as const, said: [] };
      jobs.github.issues.push({ ...other, user: { login: robot }, ...(number === 200 && { pull_request: {} }) });
    }
    await jobs.act(nightly);
    expect(jobs.github.issues.filter(({ title }) => title.startsWith('Drift'))).toHaveLength(1);
  });

  test('of another job is left alone', async () => {
    const jobs = await openDrifted();
    await jobs.act(nightly);
    await jobs.act({ ...nightly, job: 'other' });
    expect(issuesOf(jobs)).toEqual([drifted, drifted]);
  });

  test('stays closed for the same drift once a person closed it as not planned, and is reopened for another', async () => {
    const jobs = await openDrifted();
    await jobs.act(nightly);
    Object.assign(jobs.github.issues[0] ?? {}, { state: 'closed', state_reason: 'not_planned' });
    const isStill = [0, expect.stringContaining('closed as not planned, and stays closed')];
    const muted = await jobs.act(nightly);
    expect([muted.code, muted.stderr]).toEqual(isStill);
    for (let number = 100; number < 250; number += 1) {
      const other = { number, title: 'other', body: '', state: 'closed' as const, said: [] };
      jobs.github.issues.push({ ...other, user: { login: robot } });
    }
    const mutedLater = await jobs.act(nightly);
    expect([mutedLater.code, mutedLater.stderr]).toEqual(isStill);
    expect(jobs.github.issues).toHaveLength(151);
    degrade(jobs, 'green');
    await jobs.act(nightly);
    expect(issuesOf(jobs).filter(([state]) => state === 'open')).toEqual([drifted]);
  });

  test('is not reopened once it was closed as completed: the next drift has an issue of its own', async () => {
    const jobs = await openDrifted();
    await jobs.act(nightly);
    Object.assign(jobs.github.issues[0] ?? {}, { state: 'closed', state_reason: 'completed' });
    await jobs.act(nightly);
    expect(jobs.github.issues.map(({ state }) => state)).toEqual(['closed', 'open']);
  });

  test('stays one where two runs open it at the same time', async () => {
    const jobs = await openDrifted();
    jobs.github.intercept = ({ method, url, body }) => {
      if (method !== 'POST' || !url.endsWith('/issues') || jobs.github.issues.length > 0) return undefined;
      // The other run is a moment earlier.
      const { title, body: text } = JSON.parse(body) as { title: string; body: string };
      const theirs = { number: 19, title, body: text.replace(/by=\w+/, 'by=other'), state: 'open' as const, said: [] };
      jobs.github.issues.push({ ...theirs, user: { login: robot }, html_url: 'https://github.example/i/19' });
      return undefined;
    };
    const result = await jobs.act(nightly);
    expect([result.code, result.outputs['issueUrl']]).toEqual([0, 'https://github.example/i/19']);
    expect(jobs.github.issues.map(({ number, state }) => [number, state])).toEqual([
      [19, 'open'],
      [21, 'closed'],
    ]);
  });

  test('that a later run wrote is not changed by an older one', async () => {
    const jobs = await openDrifted();
    await jobs.act({ ...nightly, runId: 12 });
    const before = jobs.github.issues[0]?.body;
    degrade(jobs, 'green');
    await jobs.act({ ...nightly, runId: 11 });
    jobs.answers.clear();
    await jobs.act({ ...nightly, runId: 11, attempt: 2 });
    expect(jobs.github.issues).toMatchObject([{ state: 'open', body: before }]);
  });
});

describe('faults of the API', { tags: 'slow' }, () => {
  test.each([
    ['without `issues: write`', denied, 'permissions: issues: write'],
    [
      'in a repository without issues',
      { status: 410, body: { message: 'Issues has been disabled' } },
      'Issues has been disabled',
    ],
  ])('%s the job fails, because no issue reports the drift', async (_, reply, said) => {
    const jobs = await openAccepted();
    degrade(jobs, 'red');
    jobs.github.intercept = ({ method, url }) => (method === 'POST' && url.endsWith('/issues') ? reply : undefined);
    const result = await jobs.act(nightly);
    expect([result.code, result.outputs['conclusion']]).toEqual([1, 'failure']);
    expect(annotationsOf(result).filter((line) => line.includes(said))).toHaveLength(1);
  });

  test('without a token the job is red', async () => {
    const jobs = await openAccepted();
    degrade(jobs, 'red');
    const result = await jobs.act({ ...nightly, env: { GITHUB_TOKEN: '' } });
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining('GITHUB_TOKEN is not set')]);
  });

  test.each([true, false])(
    'a creation that fails once opens one issue (created all the same: %s)',
    async (isCreated) => {
      const jobs = await openAccepted();
      degrade(jobs, 'red');
      let failures = 0;
      jobs.github.intercept = ({ method, url, body }) => {
        if (method !== 'POST' || !url.endsWith('/issues') || failures > 0) return undefined;
        failures += 1;
        const created = {
          ...(JSON.parse(body) as { title: string; body: string }),
          number: 20,
          state: 'open' as const,
        };
        if (isCreated) jobs.github.issues.push({ ...created, user: { login: robot }, said: [] });
        return { status: 502 };
      };
      expect((await jobs.act(nightly)).code).toBe(0);
      expect([failures, issuesOf(jobs)]).toEqual([1, [drifted]]);
    },
  );

  test('an issue that cannot be closed stays open, and the job says so', async () => {
    const jobs = await openAccepted();
    degrade(jobs, 'red');
    await jobs.act(nightly);
    jobs.answers.clear();
    jobs.github.intercept = ({ method, url }) => (method === 'PATCH' && url.includes('/issues/') ? denied : undefined);
    const result = await jobs.act(nightly);
    expect([result.code, issuesOf(jobs)]).toEqual([0, [drifted]]);
    expect(annotationsOf(result).join('\n')).toContain('permissions: issues: write');
  });

  test('a comment without an answer is not written twice', async () => {
    const jobs = await openAccepted();
    degrade(jobs, 'red');
    await jobs.act(nightly);
    jobs.answers.clear();
    let failures = 0;
    jobs.github.intercept = ({ method, url, body }) => {
      if (method !== 'POST' || !url.endsWith('/comments') || failures > 0) return undefined;
      failures += 1;
      jobs.github.issues[0]?.said.push((JSON.parse(body) as { body: string }).body);
      return { status: 502 };
    };
    await jobs.act(nightly);
    expect([failures, jobs.github.issues[0]?.said.length, jobs.github.issues[0]?.state]).toEqual([1, 1, 'closed']);
  });
});
