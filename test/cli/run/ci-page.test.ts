// @module-tag slow
import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseRoute } from '../../../src/page/route.ts';
import {
  type GithubJobs,
  type JobOptions,
  type JobResult,
  openGithubJobs,
  wordSuite,
} from '../../support/github-job.ts';

const suite = 'evals/words.eval.yaml';
const url = 'https://github.example/acme/shop/actions/runs/5/artifacts/9';
const later: JobOptions = { flags: ['--comment', '--check-run', '--publish-later', '-r', 'html=job/llmcheck.html'] };

/** The step of a job that follows the upload of the page. */
function publish(jobs: GithubJobs, flags: readonly string[] = ['--page-url', url], options: JobOptions = {}) {
  return jobs.act({ ...options, args: '', flags: ['--publish', ...flags] });
}

async function publishBoth(jobs: GithubJobs, flags?: readonly string[]): Promise<[JobResult, JobResult]> {
  return [await jobs.act(later), await publish(jobs, flags)];
}

const openFailing = () => openGithubJobs({ [suite]: wordSuite('words', ['red']) });
const bodyOf = ({ github }: GithubJobs): string => github.comments.map(({ body }) => body).join('\n---\n');

describe('the page of a job on GitHub', () => {
  test('is linked to by the heading, and by each broken case, once its address is known', async () => {
    const jobs = await openFailing();
    const run = await jobs.act(later);
    expect([run.code, run.summary, jobs.github.comments, jobs.github.checks]).toEqual([1, '', [], []]);
    expect(run.outputs).toMatchObject({ outcome: 'failed', exitCode: '1' });
    expect(run.stdout).toMatch(/^::error file=evals/m);
    expect(jobs.project.read('job/llmcheck.html')).toContain('<html');
    const { code, summary, stdout, outputs } = await publish(jobs);
    expect([code, outputs['commentUrl'], outputs['outcome']]).toEqual([
      0,
      expect.stringContaining('https://'),
      undefined,
    ]);
    expect(stdout).not.toContain('::');
    const body = bodyOf(jobs);
    expect(body).toMatch(/^<!-- .* -->\n### ❌ llmcheck FAILED: .* \(exit code 1\) · \[page\]\((https:[^)]*)\)\n\n/);
    expect(body).toContain(`[page](${url})`);
    const [, hash = ''] = /\[`red`\]\(https[^)#]*artifacts\/9(#[^)]+)\)/.exec(body) ?? [];
    expect(parseRoute(hash, false)).toMatchObject({
      view: { name: 'case', suite: 'words', caseId: 'red', prompt: 'v1', provider: 'mini' },
    });
    expect(body).toContain(summary);
    expect(jobs.github.checks).toMatchObject([{ conclusion: 'failure', output: { summary } }]);
  });

  test('that is a zip file has no links to cases, and the comment says where the broken case is', async () => {
    const jobs = await openFailing();
    await publishBoth(jobs, ['--page-url', url, '--page-zip']);
    const body = bodyOf(jobs);
    expect(body).toContain(
      `[page](${url})\n\nThe page is a zip file: unpack it and open the HTML file, then the case \`red\`.\n\n`,
    );
    expect(body).not.toContain('#/case');
  });

  test.each<[string, readonly string[]]>([
    ['was not uploaded', ['--page-url', '']],
    ['nobody named', []],
  ])('that %s is not linked to, and the comment is written all the same', async (_, flags) => {
    const jobs = await openFailing();
    const [run, next] = await publishBoth(jobs, flags);
    expect([run.code, next.code]).toEqual([1, 0]);
    expect(bodyOf(jobs)).toMatch(/llmcheck FAILED: .* \(exit code 1\)\n\n/);
    expect(bodyOf(jobs)).not.toMatch(/\[page\]|page\.invalid|#\/case/);
  });

  test('on a site with a known address is linked to at once', async () => {
    const jobs = await openFailing();
    await jobs.act({ env: { LLMCHECK_PAGE_URL: 'https://acme.example/llmcheck/7/#/contracts' } });
    expect(bodyOf(jobs)).toContain('(exit code 1) · [page](https://acme.example/llmcheck/7/)\n');
    expect(bodyOf(jobs)).toContain('[`red`](https://acme.example/llmcheck/7/#/case/words/red/v1/mini)');
  });

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    '//evil.example/x',
    'llmcheck.html',
    'https://ann:secret@evil.example/',
    'https://',
  ])('at %s is refused before anything runs', async (address) => {
    const jobs = await openFailing();
    const { code, stderr } = await jobs.act({ flags: ['--comment', '--page-url', address] });
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--page-url: not an address that begins with https://'),
    ]);
    expect(stderr).not.toContain('secret');
    expect(jobs.github.comments).toEqual([]);
  });

  test('has an address that can end neither its link nor the table', async () => {
    const jobs = await openFailing();
    const signs = `https://a.example/x)(y|z?q=a|b)[c](https://evil.example)\`d\`<img>$1$*&e=\\n"'`;
    await publishBoth(jobs, ['--page-url', signs]);
    const links = [...bodyOf(jobs).matchAll(/\]\((https:\/\/a\.example[^)]*)\)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThanOrEqual(2);
    for (const link of links) expect(link).toMatch(/^[\w:/.?&=%#-]+$/);
    expect(bodyOf(jobs)).not.toContain('(https://evil.example');
  });

  test('is not changed by an answer that has the words which stand for its address', async () => {
    const jobs = await openFailing();
    jobs.answers.set('red', '[x](https://page.invalid/llmcheck)');
    await publishBoth(jobs);
    expect(bodyOf(jobs)).not.toContain('page.invalid');
    // The text of the answer stays code.
    expect(bodyOf(jobs)).not.toMatch(/(?<![`>])\[x\]\(/);
  });
});

test('the issue of a drift leads to the artifacts of the run, and names the case', async () => {
  const jobs = await openGithubJobs({ [suite]: wordSuite('words') });
  await jobs.project.run(['run', '--update-baseline'], { env: jobs.providerEnv });
  jobs.push('accept');
  jobs.answers.set('red', 'sorry');
  const flags = ['--issue', '--check-run', '-r', 'html=job/drift.html'];
  const { code, outputs } = await jobs.act({ event: 'schedule', flags, args: '', runId: 31 });
  expect([code, outputs['drift']]).toEqual([0, 'confirmed']);
  const [issue] = jobs.github.issues;
  expect(issue?.body).toMatch(/^### ⚠️ llmcheck DRIFT: .* \(exit code 0\) · \[page\]\(.*\/runs\/31#artifacts\)$/m);
  expect(issue?.body).toContain('The page is an artifact of the run: open the HTML file there, then the case `red`.');
});

describe('--publish', () => {
  test('publishes that the suites could not start', async () => {
    const jobs = await openGithubJobs({ [suite]: 'suite: [' });
    const [run, next] = await publishBoth(jobs, ['--page-url', '']);
    expect([run.code, next.code]).toEqual([2, 0]);
    expect(bodyOf(jobs)).toContain('## ⛔ llmcheck could not start (exit code 2)');
    expect(jobs.github.checks).toMatchObject([
      { conclusion: 'failure', output: { title: 'could not start: fix the problems first (exit code 2)' } },
    ]);
  });

  test('is neutral for a fork without keys, as the run was', async () => {
    const jobs = await openGithubJobs({ [suite]: wordSuite('words') });
    const fork: JobOptions = { from: 'eve/shop', hasKey: false };
    const run = await jobs.act({ ...later, ...fork });
    const next = await publish(jobs, undefined, fork);
    expect([run.code, run.outputs['conclusion'], next.code]).toEqual([0, 'neutral', 0]);
    expect(bodyOf(jobs)).toMatch(/### ⚪ llmcheck NEUTRAL: .* · \[page\]\(https/);
    expect(jobs.github.checks).toMatchObject([{ conclusion: 'neutral' }]);
  });

  test('never replaces the comment of a newer commit', async () => {
    const jobs = await openFailing();
    await jobs.act({ ...later, runId: 11 });
    const old = jobs.git('rev-parse', 'HEAD');
    jobs.push('newer');
    await jobs.act({ runId: 12 });
    const newer = bodyOf(jobs);
    jobs.git('checkout', '-q', old);
    const { code, stderr } = await publish(jobs, undefined, { runId: 11 });
    expect([code, stderr]).toEqual([0, expect.stringContaining('the pull request has a newer commit')]);
    expect(bodyOf(jobs)).toBe(newer);
  });

  test('publishes nothing of a shard but its summary', async () => {
    const jobs = await openFailing();
    await jobs.act({ ...later, args: '--no-baseline --shard 1/2' });
    const { code, stderr, summary } = await publish(jobs);
    expect([code, jobs.github.comments, jobs.github.checks]).toEqual([0, [], []]);
    expect(stderr).toContain('a shard has no comment');
    expect(summary).toContain('> **Shard 1 of 2**');
  });

  test('publishes the verdict of a merged run', async () => {
    const jobs = await openFailing();
    await jobs.act({ args: '--no-baseline' });
    const code = (await jobs.act({ flags: [...(later.flags ?? []), '--run', 'latest'], args: '' })).code;
    jobs.github.comments.length = 0;
    await publish(jobs);
    expect([code, bodyOf(jobs)]).toEqual([1, expect.stringContaining(`](${url}#/case/words/red/v1/mini)`)]);
  });

  test('publishes nothing where no step left anything, and nothing of an older run', async () => {
    const jobs = await openFailing();
    expect(await publish(jobs)).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing to publish') });
    await jobs.act(later);
    // This one ends before it leaves anything.
    await jobs.act({ flags: ['--publish-later', '--page-url', 'nowhere'] });
    expect(await publish(jobs)).toMatchObject({ code: 0, stderr: expect.stringContaining('nothing to publish') });
    expect(jobs.github.comments).toEqual([]);
  });

  test('of jobs with other ids publishes what each of them left', async () => {
    const jobs = await openFailing();
    await jobs.act({ ...later, matrix: { shard: 1 } });
    jobs.project.write(suite, wordSuite('words'));
    jobs.push();
    await jobs.act({ ...later, matrix: { shard: 2 } });
    await publish(jobs, undefined, { matrix: { shard: 2 } });
    expect(bodyOf(jobs)).toContain('llmcheck PASSED');
  });

  test('says so where the file is damaged, or comes from another version', async () => {
    const jobs = await openFailing();
    await jobs.act({ ...later, flags: [...(later.flags ?? []), '--id', 'mine'] });
    const held = jobs.project.read('.llmcheck/publish/mine.json');
    const twice = held.replace('"conclusion":', '"conclusion":"success","conclusion":');
    for (const text of ['{"version":1', '{"version":1}', '{"version":2}', '', twice]) {
      jobs.project.write('.llmcheck/publish/mine.json', text);
      const { code, stderr } = await publish(jobs, ['--id', 'mine']);
      expect([code, stderr]).toEqual([2, expect.stringContaining('mine.json was not written by this version')]);
    }
  });

  test('has a folder to leave it in before anything runs', async () => {
    const jobs = await openFailing();
    jobs.project.write('.llmcheck/publish', 'a file');
    const { code, stderr } = await jobs.act(later);
    expect([code, stderr]).toEqual([2, expect.stringContaining('a part of the path is not a folder')]);
    expect(jobs.project.files('.llmcheck')).toEqual(['.llmcheck/publish']);
  });

  test('refuses a folder that is a link, before anything runs', async () => {
    const jobs = await openFailing();
    mkdirSync(jobs.project.path('.llmcheck'));
    symlinkSync('/proc/none', jobs.project.path('.llmcheck/publish'));
    const { code, stderr } = await jobs.act(later);
    expect([code, stderr]).toEqual([2, expect.stringContaining('lies outside the project')]);
    expect(stderr).toContain('hint: remove the link that .llmcheck/publish/');
    expect(jobs.project.files('.llmcheck')).toEqual([]);
  });

  test.each([
    [['--publish', '--run', 'latest']],
    [['--publish', '--publish-later']],
    [['--publish', '--args', '-q']],
    [['--publish', 'evals']],
    [['--issue', '--publish-later']],
  ])('with %j is a usage error', async (flags) => {
    const jobs = await openFailing();
    const { code } = await jobs.act({ flags, args: '', event: 'schedule' });
    expect(code).toBe(2);
  });
});
