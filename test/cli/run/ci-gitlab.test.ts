import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseGitlabRun } from '../../../src/gitlab/gitlab.ts';
import { parseRoute } from '../../../src/page/route.ts';
import { publishNote } from '../../../src/publishing/publish-to-gitlab.ts';
import { wordSuite } from '../../support/github-job.ts';
import { bot, type GitlabJobOptions, type GitlabJobs, gitlabToken, openGitlabJobs } from '../../support/gitlab-job.ts';

const files = { 'evals/words.eval.yaml': wordSuite('words') };
const failing = wordSuite('words', ['red']);

/** The verdict and the commit of each note of llmcheck. */
function shownBy({ gitlab }: GitlabJobs) {
  return gitlab.notes.map(({ body }) => [
    /llmcheck (PASSED|FAILED|NEUTRAL|could not start)/.exec(body)?.[1],
    /commit=(\w+)/.exec(body)?.[1],
  ]);
}

describe('the note of a merge request', () => {
  test('is written once, and updated in place by later pipelines', async () => {
    const jobs = await openGitlabJobs(files);
    const first = await jobs.act();
    expect([first.code, first.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    jobs.project.write('evals/words.eval.yaml', failing);
    const head = jobs.push();
    expect((await jobs.act()).code).toBe(1);
    expect(shownBy(jobs)).toEqual([['FAILED', head]]);
    expect(jobs.gitlab.notes[0]?.body).toContain('`prompts` · commit');
  });

  test('of each job stays beside those of others, and a job that is started again updates its own', {
    tags: 'slow',
  }, async () => {
    const jobs = await openGitlabJobs({
      'packages/a/llmcheck.config.yaml': '{}\n',
      'packages/b/llmcheck.config.yaml': '{}\n',
      'packages/a/evals/words.eval.yaml': failing,
      'packages/b/evals/words.eval.yaml': wordSuite('words'),
    });
    const run = { pipeline: 5 };
    await jobs.act({ ...run, folder: 'packages/a' });
    await jobs.act({ ...run, folder: 'packages/b' });
    await jobs.act({ ...run, folder: 'packages/b', job: 'prompts: [mini]' });
    await jobs.act({ ...run, folder: 'packages/b' });
    expect(shownBy(jobs).map(([verdict]) => verdict)).toEqual(['FAILED', 'PASSED', 'PASSED']);
  });

  test('stays for both of two jobs that have one id by mistake, and the log says so', async () => {
    const jobs = await openGitlabJobs({ ...files, 'evals/other.eval.yaml': wordSuite('other', ['red']) });
    const flags = ['--note', '--id', 'x'];
    await jobs.act({ flags, pipeline: 5, job: 'one', args: '--no-baseline evals/other.eval.yaml' });
    const second = await jobs.act({ flags, pipeline: 5, job: 'two', args: '--no-baseline evals/words.eval.yaml' });
    expect(shownBy(jobs).map(([verdict]) => verdict)).toEqual(['FAILED', 'PASSED']);
    expect(second.stderr).toContain('warning: another job of this pipeline has the same note.');
  });

  test('behind 150 others is found, and is the only one that changes', async () => {
    const jobs = await openGitlabJobs(files);
    await jobs.act();
    const author = { id: 3, username: 'ann' };
    const others = Array.from({ length: 150 }, (_, id) => ({ id, body: `note ${id}`, author }));
    jobs.gitlab.notes.unshift(...others.map((note) => ({ ...note })));
    const head = jobs.push();
    await jobs.act();
    expect(jobs.gitlab.notes.slice(0, 150)).toEqual(others);
    expect(shownBy(jobs).slice(150)).toEqual([['PASSED', head]]);
  });

  test.each([
    ['of a person who copies the marker', { author: { id: 3, username: 'eve' } }],
    ['of a person with the name of the bot', { author: { id: 3, username: bot.username } }],
    ['that GitLab itself wrote', { system: true }],
  ])('%s is left alone', async (_, change) => {
    const jobs = await openGitlabJobs(files);
    await jobs.act();
    const [own] = jobs.gitlab.notes;
    const body = own?.body ?? '';
    jobs.gitlab.notes.splice(0, 1, { id: 1, body, author: bot, ...change });
    jobs.push();
    await jobs.act();
    expect(jobs.gitlab.notes.map((note) => note.body === body)).toEqual([true, false]);
  });

  test('has links to the page, to the broken case in it, to its line and to the log', { tags: ['slow'] }, async () => {
    const jobs = await openGitlabJobs({
      'shop/llmcheck.config.yaml': '{}\n',
      'shop/evals/words.eval.yaml': failing,
    });
    await jobs.act({ folder: 'shop', flags: ['--note', '-r', 'html=llmcheck.html'], pipeline: 31 });
    const body = jobs.gitlab.notes[0]?.body ?? '';
    const page = 'https://gitlab.example/acme/shop/-/jobs/31/artifacts/file/shop/llmcheck.html';
    expect(body).toContain(`[page](${page})`);
    expect(body).toContain('[log](https://gitlab.example/acme/shop/-/jobs/31)');
    const [, hash = ''] = /\[`red`\]\(https[^)]*llmcheck\.html(#[^)]+)\)/.exec(body) ?? [];
    const view = { name: 'case', suite: 'words', caseId: 'red', prompt: 'v1', provider: 'mini' };
    expect(parseRoute(hash, false)).toMatchObject({ view });
    expect(body).toContain(
      `[\`shop/evals/words.eval.yaml:5\`](https://gitlab.example/acme/shop/-/blob/${jobs.gitlab.head}/shop/evals/words.eval.yaml#L5)`,
    );
    expect(jobs.project.read('shop/llmcheck.html')).toContain('<html');
  });

  test('has links to a page at another address, such as a site of the project', async () => {
    const jobs = await openGitlabJobs({ 'evals/words.eval.yaml': failing });
    const url = 'https://acme.gitlab.example/shop/llmcheck.html';
    await jobs.act({ flags: ['--note', '-r', 'html=llmcheck.html', '--page-url', url] });
    expect(jobs.gitlab.notes[0]?.body).toMatch(
      /^### ❌ .* · \[page\]\(https:\/\/acme\.gitlab\.example\/shop\/llmcheck\.html\)$/m,
    );
    expect(jobs.gitlab.notes[0]?.body).toContain(`[\`red\`](${url}#/case/words/red/v1/mini)`);
    expect(jobs.gitlab.notes[0]?.body).not.toContain('/artifacts/file/');
  });

  test('cannot make GitLab carry out a command', async () => {
    const jobs = await openGitlabJobs(files);
    const hostile = 'suite: words\n/merge: 1\n  /close : [';
    jobs.project.write('evals/words.eval.yaml', hostile);
    jobs.project.write('evals/more.eval.yaml', failing.replace('Say: {{ word }}', 'Say: x\\n```\\n/merge\\n\\t/close'));
    jobs.push();
    await jobs.act();
    await jobs.act({ job: 'other', args: '--no-baseline evals/more.eval.yaml' });
    const bodies = jobs.gitlab.notes.map(({ body }) => body);
    expect(bodies).toHaveLength(2);
    for (const body of bodies) {
      expect(body).toMatch(/\/(merge|close)/);
      expect(body).not.toMatch(/^\s*\/\w/m);
    }
  });

  test('is written without lines that begin with a command, whatever its text is', async () => {
    const { gitlab } = await openGitlabJobs(files);
    const text = 'PASSED\n/merge\n \t/close\n```\n\r/approve\n```\nand /or';
    const run = parseGitlabRun({
      CI_API_V4_URL: `${gitlab.url}/api/v4`,
      CI_PROJECT_ID: '12',
      CI_COMMIT_SHA: gitlab.head ?? '',
      CI_MERGE_REQUEST_IID: '7',
      CI_MERGE_REQUEST_PROJECT_ID: '12',
    });
    if (run === undefined) throw new Error('the variables are those of a job');
    const ports = { env: {}, token: gitlabToken, now: () => new Date(), writer: 'w' };
    expect(await publishNote(run, { id: 'x', body: text }, ports)).toMatchObject({ ok: true });
    expect(gitlab.notes[0]?.body).not.toMatch(/^\s*\//m);
    expect(gitlab.notes[0]?.body.replaceAll('\u200b', '')).toContain(text);
  });

  test('has no secret of the job', async () => {
    const jobs = await openGitlabJobs({
      'evals/words.eval.yaml': wordSuite('words', ['red']).replace('equals: else', `equals: "${gitlabToken}"`),
    });
    await jobs.act();
    expect(jobs.gitlab.notes[0]?.body).toContain('FAILED');
    expect(jobs.gitlab.notes[0]?.body).not.toContain(gitlabToken);
  });
});

describe('the newest commit wins', () => {
  /** Commit one passes, commit two fails; the pipeline of one ends after that of two. */
  async function openLatePipeline() {
    const jobs = await openGitlabJobs(files);
    const one = jobs.gitlab.head ?? '';
    jobs.project.write('evals/words.eval.yaml', failing);
    const two = jobs.push();
    expect((await jobs.act({ pipeline: 12 })).code).toBe(1);
    jobs.git('checkout', '-q', one);
    return { ...jobs, one, two };
  }

  test('a late pipeline of an older commit leaves the note', async () => {
    const jobs = await openLatePipeline();
    const late = await jobs.act({ pipeline: 11 });
    expect([late.code, late.stderr]).toEqual([
      0,
      expect.stringContaining(`the merge request has a newer commit, ${jobs.two.slice(0, 12)}`),
    ]);
    expect(shownBy(jobs)).toEqual([['FAILED', jobs.two]]);
  });

  test('also if the token may not read the merge request', { tags: 'slow' }, async () => {
    const jobs = await openLatePipeline();
    jobs.gitlab.head = undefined;
    await jobs.act({ pipeline: 11 });
    expect(shownBy(jobs)).toEqual([['FAILED', jobs.two]]);
  });

  test('a merged result is checked out, and the note is on the head of the branch', async () => {
    const jobs = await openGitlabJobs(files);
    const head = jobs.gitlab.head ?? '';
    jobs.push('the merge that GitLab makes');
    jobs.gitlab.head = head;
    await jobs.act({ env: { CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: head } });
    expect(shownBy(jobs)).toEqual([['PASSED', head]]);
  });

  test('a report of another commit is not published', async () => {
    const jobs = await openGitlabJobs(files);
    const { stderr } = await jobs.act({ env: { CI_COMMIT_SHA: 'b'.repeat(40) } });
    expect(stderr).toContain('warning: the note was not written: the checkout is at');
    await jobs.act({ flags: [] });
    jobs.push();
    const stored = await jobs.act({ flags: ['--note', '--run', 'latest'], args: '' });
    expect(stored.stderr).toContain('the stored run tested');
    expect(jobs.gitlab.notes).toEqual([]);
  });
});

describe('what cannot be published is a warning with the next step, and changes no exit code', () => {
  test.each<[string, GitlabJobOptions, string]>([
    ['without a token', { env: { GITLAB_TOKEN: '' } }, 'make a project access token with the scope api'],
    ['with a token that expired', { env: { GITLAB_TOKEN: 'glpat-other' } }, 'is not valid or has expired'],
    [
      'in a pipeline of the branch',
      { source: 'push', env: { CI_OPEN_MERGE_REQUESTS: 'acme/shop!7' } },
      'merge_request_event',
    ],
    ['outside of GitLab', { env: { CI_PROJECT_ID: '' } }, 'CI_PROJECT_ID names no project'],
  ])('%s', async (_, options, said) => {
    const jobs = await openGitlabJobs(files);
    const { code, stderr } = await jobs.act(options);
    expect([code, stderr]).toEqual([0, expect.stringContaining(`warning: the note was not written: `)]);
    expect(stderr).toContain(said);
    expect(jobs.gitlab.notes).toEqual([]);
  });

  test('a pipeline of main has no note and no warning', async () => {
    const jobs = await openGitlabJobs(files);
    const { code, stderr } = await jobs.act({ source: 'push' });
    expect([code, stderr, jobs.gitlab.requests]).toEqual([0, expect.not.stringContaining('warning'), []]);
  });

  test.each([
    ['may not write', 403, '403 Forbidden'],
    ['may not see the project', 404, '404 Not found'],
  ])('a token that %s', async (_, status, message) => {
    const jobs = await openGitlabJobs(files);
    jobs.gitlab.intercept = ({ method }) => (method === 'POST' ? { status, body: { message } } : undefined);
    const { code, stderr } = await jobs.act();
    expect([code, stderr]).toEqual([0, expect.stringContaining('needs the scope api, and the role Reporter')]);
  });

  test('a note whose creation fails or gets no answer is written once', async () => {
    for (const fault of ['fails', 'gets no answer']) {
      const jobs = await openGitlabJobs(files);
      let faults = 0;
      jobs.gitlab.intercept = ({ method, body }) => {
        if (method !== 'POST' || faults > 0) return undefined;
        faults += 1;
        if (fault !== 'fails') jobs.gitlab.notes.push({ id: 1, body: JSON.parse(body).body, author: bot });
        return { status: 502 };
      };
      expect((await jobs.act()).stderr).not.toContain('warning');
      expect([faults, shownBy(jobs)]).toEqual([1, [['PASSED', jobs.gitlab.head]]]);
    }
  });

  test('a note whose first one another pipeline makes a moment before stays one', async () => {
    const jobs = await openGitlabJobs(files);
    await jobs.act();
    const body =
      jobs.gitlab.notes
        .splice(0)[0]
        ?.body.replace(/run=\d+/, 'run=50')
        .replace(/by=\w+/, 'by=other') ?? '';
    let isRaced = false;
    jobs.gitlab.intercept = ({ method }) => {
      if (method === 'POST' && !isRaced) jobs.gitlab.notes.push({ id: 900, body, author: bot });
      isRaced ||= method === 'POST';
      return undefined;
    };
    await jobs.act();
    expect([isRaced, jobs.gitlab.notes.map(({ id }) => id)]).toEqual([true, [900]]);
    expect(jobs.gitlab.notes[0]?.body).not.toContain('by=other');
  });

  test('a query for the owner of the token that fails makes no second note', async () => {
    const jobs = await openGitlabJobs(files);
    await jobs.act();
    let failures = 0;
    jobs.gitlab.intercept = ({ url }) => {
      if (!url.endsWith('/user')) return undefined;
      failures += 1;
      return failures === 1 ? { status: 429, headers: { 'retry-after': '0' } } : undefined;
    };
    const head = jobs.push();
    await jobs.act();
    expect(shownBy(jobs)).toEqual([['PASSED', head]]);
    jobs.gitlab.intercept = ({ url }) => (url.endsWith('/user') ? { status: 403 } : undefined);
    jobs.push();
    expect((await jobs.act()).stderr).toContain('warning: the note was not written: GET /user: 403');
    expect(shownBy(jobs)).toEqual([['PASSED', head]]);
  });
});

describe('a merge request from a fork', () => {
  test('whose job has no key is neutral, and says what a maintainer can do', { tags: ['slow'] }, async () => {
    const jobs = await openGitlabJobs(files);
    const base = jobs.gitlab.head ?? '';
    const fork = { isFork: true, hasKey: false, args: '', env: { CI_MERGE_REQUEST_DIFF_BASE_SHA: base } };
    const { code, stderr } = await jobs.act(fork);
    expect([code, stderr]).toEqual([0, expect.stringContaining('note: neutral: 3 of 3 cells could not be judged')]);
    expect(stderr).toContain('a pipeline of a fork has no token of the project');
    // A bot of the fork that may write in the project.
    await jobs.act({ ...fork, env: { ...fork.env, GITLAB_TOKEN: gitlabToken } });
    expect(shownBy(jobs)).toEqual([['NEUTRAL', base]]);
    expect(jobs.gitlab.notes[0]?.body).toContain('the job of this merge request has no secrets');
    expect(jobs.gitlab.notes[0]?.body).toContain(
      '`glab mr checkout 7 && npx llmcheck run --baseline git:origin/main...`',
    );
  });

  test('fails for what stored answers show', async () => {
    const jobs = await openGitlabJobs(files);
    await jobs.act();
    jobs.project.write('evals/words.eval.yaml', failing);
    jobs.push();
    expect((await jobs.act({ isFork: true, hasKey: false })).code).toBe(1);
  });
});

describe('a merge request is compared with its target, not with what it brings', () => {
  const openBranch = async () => {
    const jobs = await openGitlabJobs(files);
    await jobs.project.run(['run', '-q'], { env: jobs.envOf() });
    await jobs.project.run(['baseline', 'accept'], { env: jobs.envOf() });
    jobs.push('accept');
    jobs.git('checkout', '-qb', 'change');
    jobs.project.write('evals/words.eval.yaml', wordSuite('words').replace('Say: {{', 'Say: not {{'));
    await jobs.project.run(['run', '-q'], { env: jobs.envOf() });
    return jobs;
  };

  test('a regression fails, and one that is accepted in the request is shown', { tags: ['slow'] }, async () => {
    const jobs = await openBranch();
    jobs.push();
    expect((await jobs.act({ args: '' })).code).toBe(1);
    await jobs.project.run(['baseline', 'accept', '--force'], { env: jobs.envOf() });
    jobs.push('accept it');
    await jobs.act({ args: '' });
    expect(jobs.gitlab.notes).toHaveLength(1);
    expect(jobs.gitlab.notes[0]?.body).toContain('accepts 3 regressions');
  });

  test('a clone without history says to set GIT_DEPTH', { tags: ['slow'] }, async () => {
    const jobs = await openBranch();
    jobs.push();
    jobs.git('clone', '-q', '--depth', '1', '--branch', 'change', `file://${jobs.project.root}`, 'clone');
    const { code, stderr } = await jobs.act({ folder: 'clone', args: '' });
    expect([code, stderr]).toEqual([2, expect.stringContaining('set the variable `GIT_DEPTH: "0"` in the job')]);
    expect(jobs.gitlab.notes[0]?.body).toContain('GIT_DEPTH');
  });
});

describe('the reports of artifacts', () => {
  const flags = ['-r', 'junit=llmcheck.xml', '-r', 'gitlab=llmcheck.json'];
  const issuesOf = ({ project }: GitlabJobs) =>
    JSON.parse(project.read('llmcheck.json')) as readonly {
      readonly fingerprint: string;
      readonly description: string;
      readonly severity: string;
      readonly location: { readonly path: string; readonly lines: { readonly begin: number } };
    }[];

  test('name the broken case at its line, under a fingerprint that later lines and answers keep', async () => {
    const jobs = await openGitlabJobs({ 'evals/words.eval.yaml': failing });
    expect((await jobs.act({ flags })).code).toBe(1);
    const issue = issuesOf(jobs).find(({ description }) => description.startsWith('red:'));
    expect(issue).toMatchObject({
      description: expect.stringMatching(/^red: .*words · v1 × mini.*else/),
      check_name: 'llmcheck',
      severity: 'major',
      location: { path: 'evals/words.eval.yaml', lines: { begin: 5 } },
    });
    expect(issuesOf(jobs)).toHaveLength(2);
    expect(jobs.project.read('llmcheck.xml')).toContain('<failure');
    jobs.project.write('evals/words.eval.yaml', `# one line more\n${failing.replace('equals: else', 'equals: other')}`);
    jobs.push();
    await jobs.act({ flags });
    const moved = issuesOf(jobs).find(({ description }) => description.startsWith('red:'));
    expect(moved).toMatchObject({ fingerprint: issue?.fingerprint, location: { lines: { begin: 6 } } });
  });

  test('have different fingerprints, and are empty lists where nothing is wrong', async () => {
    const jobs = await openGitlabJobs({ 'evals/words.eval.yaml': wordSuite('words', ['red', 'green']) });
    await jobs.act({ flags });
    const prints = issuesOf(jobs).map(({ fingerprint }) => fingerprint);
    expect(prints.length).toBeGreaterThanOrEqual(2);
    expect(new Set(prints).size).toBe(prints.length);
    jobs.project.write('evals/words.eval.yaml', wordSuite('words'));
    jobs.push();
    await jobs.act({ flags });
    expect(issuesOf(jobs).filter(({ severity }) => severity === 'major')).toEqual([]);
  });

  test('show the mistake of a run that could not start at its line', async () => {
    const jobs = await openGitlabJobs({ 'evals/words.eval.yaml': `${wordSuite('words')}unknown: 1\n` });
    expect((await jobs.act({ flags: [...flags, '--note'] })).code).toBe(2);
    expect(issuesOf(jobs)).toMatchObject([
      { severity: 'major', location: { path: 'evals/words.eval.yaml', lines: { begin: 8 } } },
    ]);
    expect(shownBy(jobs)).toEqual([['could not start', jobs.gitlab.head]]);
  });

  test('show that a reporter is gone', async () => {
    const jobs = await openGitlabJobs({ 'evals/words.eval.yaml': wordSuite('words') });
    expect((await jobs.act({ flags: ['-r', 'mine=a.txt', '-r', 'gitlab=llmcheck.json', '--note'] })).code).toBe(2);
    expect(issuesOf(jobs)).toMatchObject([{ description: expect.stringContaining('there is no reporter "mine"') }]);
    expect(shownBy(jobs)).toEqual([['could not start', jobs.gitlab.head]]);
  });

  test('that cannot be written hide no mistake, and the note names it', async () => {
    const jobs = await openGitlabJobs({ 'evals/words.eval.yaml': `${wordSuite('words')}unknown: 1\n` });
    const { code, stderr } = await jobs.act({ flags: ['-r', 'gitlab=.', '--note'] });
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('warning: the gitlab report could not be written to .'),
    ]);
    expect(stderr).toContain('unknown key');
    expect(shownBy(jobs)).toEqual([['could not start', jobs.gitlab.head]]);
  });
});

describe('shards', () => {
  test('write no note, and the merged run writes one with its page', { tags: ['slow'] }, async () => {
    const jobs = await openGitlabJobs({ 'evals/words.eval.yaml': failing });
    for (const index of [1, 2]) {
      const shard = await jobs.act({ args: `--no-baseline --shard ${index}/2`, job: `prompts ${index}/2` });
      expect(shard.stderr).toContain('note: a shard has no note');
      cpSync(jobs.project.path('.llmcheck/runs'), jobs.project.path(`clone/shard-${index}`), { recursive: true });
      jobs.git('clean', '-qdfx', '.llmcheck');
    }
    expect(jobs.gitlab.notes).toEqual([]);
    const whole = await jobs.act({ flags: ['--note', '--merge', 'clone', '-r', 'html=llmcheck.html'], args: '' });
    expect([whole.code, whole.stdout]).toEqual([1, expect.stringContaining('FAILED')]);
    expect(shownBy(jobs)).toEqual([['FAILED', jobs.gitlab.head]]);
    expect(jobs.gitlab.notes[0]?.body).toContain('/artifacts/file/llmcheck.html#/case/words/red/v1/mini');
  });
});
