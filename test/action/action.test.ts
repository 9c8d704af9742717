import { chmodSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startChatServer, wordOf } from '../support/chat-server.ts';
import { commitAll, headOf, initRepository, runGit } from '../support/git.ts';
import { type GithubServer, robot, startGithubServer } from '../support/github-server.ts';
import { type Action, type ActionRun, fill, readAction, runAction } from '../support/run-action.ts';
import { startShellCli } from '../support/shell-cli.ts';
import { bundleCli } from '../support/spawn-cli.ts';
import { openTempProject, type TempProject } from '../support/temp-project.ts';

const root = join(import.meta.dirname, '../..');
const token = 'ghs_0123456789abcdefghijklmnop';
let action: Action;

beforeAll(() => {
  action = readAction(join(root, 'action.yml'));
});

interface Job extends TempProject {
  readonly github: GithubServer;
  readonly asked: string[];
  /** Answers by what is asked; else the word itself. */
  readonly answers: Map<string, string>;
  readonly cache: Map<string, string>;
  readonly artifacts: Map<string, string>;
  git(...argv: string[]): string;
  commit(message: string): string;
  /** The action's steps, on the working copy as it stands. */
  act(options?: {
    readonly inputs?: Readonly<Record<string, string>>;
    readonly event?: 'pull_request' | 'push' | 'fork';
    readonly hasKey?: boolean;
    readonly matrix?: Readonly<Record<string, number>>;
    readonly jobIndex?: string;
    readonly canUpload?: boolean;
  }): Promise<ActionRun>;
}

const suite = `suite: words
prompts: [{ id: v1, file: prompts/words.md }]
providers: [openai:test-model]
contract: { output: { type: object, required: [word], properties: { word: { type: string } } } }
cases:
  - { id: one, vars: { word: one }, expected: one }
  - { id: two, vars: { word: two }, expected: two }
  - { id: three, vars: { word: three }, expected: three }
defaults: { assert: [{ equals: "{{expected}}", select: { jsonPath: $.word } }] }
`;

/** A repository whose main has an accepted baseline, on a branch that is one commit away from it. A program is a process where it is installed. */
async function openJob({ isInstalled = false } = {}): Promise<Job> {
  const project = openTempProject();
  const asked: string[] = [];
  const answers = new Map<string, string>();
  const server = await startChatServer(({ text }) => {
    const word = wordOf(text.replace(/^Please s/, 'S')).trim();
    asked.push(word);
    // The accepted prompt goes on being answered rightly.
    const isEdited = text.startsWith('Please');
    return JSON.stringify({ word: (isEdited ? answers.get(word) : undefined) ?? word });
  });
  const github = await startGithubServer(token);
  const git = (...argv: string[]): string => runGit(project.root, ...argv);
  project.write('evals/words.eval.yaml', suite);
  project.write('evals/prompts/words.md', 'Say: {{ word }}\n');
  project.write('.gitignore', '.llmcheck/\nnode_modules/\nevent.json\n');
  const installed = `#!/bin/sh\nexec "${process.execPath}" "${bundleCli()}" "$@"\n`;
  project.write('node_modules/.bin/llmcheck', isInstalled ? installed : await startShellCli());
  chmodSync(project.path('node_modules/.bin/llmcheck'), 0o755);
  await project.run(['run', '--cache', 'off', '--update-baseline'], { env: server.env });
  const main = initRepository(project.root, 'base');
  git('checkout', '-qb', 'change');
  asked.length = 0;
  const cache = new Map<string, string>();
  const artifacts = new Map<string, string>();
  let runs = 0;
  return {
    artifacts,
    ...project,
    github,
    asked,
    answers,
    cache,
    git,
    commit: (message) => commitAll(project.root, message),
    act({ inputs = {}, event = 'pull_request', hasKey = true, matrix, jobIndex = '0', canUpload = true } = {}) {
      runs += 1;
      github.head = headOf(project.root);
      const head = { sha: github.head, repo: { full_name: event === 'fork' ? 'eve/shop' : 'acme/shop' } };
      const pull = { number: 7, head, base: { ref: 'main', sha: main } };
      project.write(
        'event.json',
        JSON.stringify(event === 'push' ? { ref: 'refs/heads/main' } : { pull_request: pull }),
      );
      return runAction(action, {
        workspace: project.root,
        inputs: { 'check-run': 'true', ...inputs },
        env: {
          ...(hasKey ? server.env : { OPENAI_BASE_URL: server.env['OPENAI_BASE_URL'] ?? '' }),
          GITHUB_ACTIONS: 'true',
          GITHUB_REPOSITORY: 'acme/shop',
          GITHUB_EVENT_NAME: event === 'push' ? 'push' : 'pull_request',
          GITHUB_EVENT_PATH: join(project.root, 'event.json'),
          // Of a pull request the runner names a merge commit here.
          GITHUB_SHA: event === 'push' ? head.sha : 'f'.repeat(40),
          GITHUB_API_URL: github.url,
          GITHUB_GRAPHQL_URL: `${github.url}/graphql`,
          GITHUB_SERVER_URL: 'https://github.example',
          GITHUB_RUN_ID: String(runs),
          GITHUB_RUN_ATTEMPT: '1',
          GITHUB_JOB: 'prompts',
          GITHUB_WORKFLOW_REF: 'acme/shop/.github/workflows/llmcheck.yml@refs/heads/main',
        },
        token,
        runId: String(runs),
        cache,
        jobIndex,
        ...(canUpload && { artifacts }),
        ...(matrix !== undefined && { matrix }),
      });
    },
  };
}

/** The marker of the job's own comment, copied by somebody else. */
const jobId = 'llmcheck-prompts-5dd4f7e2';
const spoofed = `<!-- llmcheck:${jobId} run=1.1 commit=b by=w -->\nfrom somebody else`;
const ownComment = new RegExp(`^<!-- llmcheck:${jobId} run=\\d+\\.1 commit=[0-9a-f]{40} by=\\w+ job=\\w+ -->\n### `);

test('the token reaches the step that publishes, and a step that runs programs only where it writes the issue', () => {
  const tokenIn = (issue: string) => {
    const inputs = { issue, 'github-token': token };
    const context = { inputs, github: {}, strategy: {}, matrix: null, steps: {}, env: {} };
    const steps = action.runs.steps.filter(({ env = {} }) =>
      Object.values(env).some((text) => fill(text, context).includes(token)),
    );
    return steps.map(({ id }) => id);
  };
  expect(tokenIn('false')).toEqual(['publish']);
  expect(tokenIn('true')).toEqual(['run', 'publish']);
});

describe('the action', { tags: 'slow' }, () => {
  test('gates a pull request on the merge-base, and each push updates the same comment, also where it can not be run', async () => {
    const job = await openJob();
    for (let id = 1; id <= 120; id += 1) {
      const body = id === 3 ? spoofed : `<p>${id}</p>`;
      job.github.comments.push({ id, body, user: { login: id === 3 ? 'eve' : 'ann' } });
    }
    job.write('evals/prompts/words.md', 'Please say: {{ word }}\n');
    job.answers.set('two', 'zwei');
    const head = job.commit('break two');
    const first = await job.act();
    expect(first.exitCode).toBe(1);
    const comment = job.github.comments[120];
    expect(job.github.comments).toHaveLength(121);
    expect(comment?.body).toMatch(new RegExp(`${ownComment.source}❌ llmcheck FAILED: `));
    expect(comment?.body).toMatch(/\| \[`two`\]\(https[^|]*<br>.*<b>two<\/b>.*\|.*<b>zwei<\/b>/);
    expect(comment?.body).toContain(
      `\`llmcheck / prompts\` · commit \`${head.slice(0, 12)}\` · [log](https://github.example/acme/shop/actions/runs/1)`,
    );
    expect(first.summary).toBe(comment?.body.replace(/^.*\n/, ''));
    expect(first.outputs).toMatchObject({
      outcome: 'failed',
      conclusion: 'failure',
      exitCode: '1',
      regressed: '1',
      broken: '1',
      planned: '3',
      passRate: String(2 / 3),
      costUsd: '',
      commentUrl: 'https://github.example/c/1120',
    });
    expect(job.github.checks[0]).toMatchObject({
      name: 'llmcheck (llmcheck / prompts)',
      head_sha: head,
      conclusion: 'failure',
    });
    expect(first.log).toMatch(/^::error file=evals\/words\.eval\.yaml,line=7,col=5,title=two%3A regressed/m);
    expect(first.log + first.summary + JSON.stringify(first.outputs)).not.toContain(token);

    job.answers.clear();
    job.write('evals/prompts/words.md', 'Please say: {{ word }}\n\n');
    const second = job.commit('mend two');
    const next = await job.act({ inputs: { args: '--cache refresh' } });
    expect([next.exitCode, next.outputs['outcome']]).toEqual([0, 'passed']);
    expect(job.github.comments).toHaveLength(121);
    expect(job.github.comments[120]?.body).toMatch(new RegExp(`${ownComment.source}✅ llmcheck PASSED`));
    expect(job.github.comments[2]?.body).toContain('from somebody else');
    expect(job.github.checks[1]).toMatchObject({ head_sha: second, conclusion: 'success' });

    job.write('evals/words.eval.yaml', suite.replace('equals:', 'eqals:'));
    job.commit('a slip');
    const slip = await job.act();
    expect([slip.exitCode, slip.outputs['outcome']]).toEqual([2, 'usage']);
    expect(job.github.comments).toHaveLength(121);
    expect(job.github.comments[120]?.body).toContain('## ⛔ llmcheck could not start (exit code 2)');
    expect(job.github.comments[120]?.body).toContain('did you mean "equals"?');
    expect(job.github.comments[120]?.user.login).toBe(robot);
  });

  test('starts the program that is installed above its folder', async () => {
    const job = await openJob({ isInstalled: true });
    const run = await job.act({ event: 'push', inputs: { 'working-directory': 'evals' } });
    expect([run.exitCode, run.outputs['planned'], job.github.checks.length]).toEqual([0, '3', 1]);
    rmSync(job.path('node_modules/.bin'), { recursive: true });
    const without = await job.act({ event: 'push' });
    expect([without.exitCode, without.log]).toEqual([2, expect.stringContaining('llmcheck can not be started')]);
  });

  test('asks again only what is not in the cache that it restored', async () => {
    const job = await openJob();
    await job.act({ event: 'push' });
    expect(job.asked).toHaveLength(3);
    job.git('clean', '-qdfx', '.llmcheck');
    const again = await job.act({ event: 'push' });
    expect(job.asked).toHaveLength(3);
    expect([again.exitCode, again.outputs['spentUsd']]).toEqual([0, '0']);
    // A push has no pull request to comment on; the check is put on its commit.
    expect(job.github.comments).toEqual([]);
    expect(job.github.checks.map(({ head_sha }) => head_sha)).toEqual(Array(2).fill(headOf(job.root)));
  });

  test('is neutral for a fork without secrets whose answers are not stored, and says why', async () => {
    const job = await openJob();
    job.github.intercept = ({ method }) =>
      method === 'GET' ? undefined : { status: 403, body: { message: 'Resource not accessible by integration' } };
    job.write('evals/prompts/words.md', 'Please say: {{ word }}\n');
    job.commit('another prompt');
    const run = await job.act({ event: 'fork', hasKey: false });
    expect([run.exitCode, run.outputs['conclusion'], run.outputs['errored']]).toEqual([0, 'neutral', '3']);
    expect(job.asked).toEqual([]);
    expect(run.summary).toContain('> **Neutral**: the job of this pull request has no secrets');
    expect(run.log).toContain(
      'warning: the comment was not published: POST /repos/acme/shop/issues/7/comments: 403 Resource',
    );
    expect(run.log).toContain('warning: the check was not published');
  });

  test('still gates a fork on its contracts, and on what is stored', async () => {
    const job = await openJob();
    await job.act({ event: 'push' });
    job.write('evals/words.eval.yaml', suite.replace('required: [word]', 'required: []'));
    job.commit('promise less');
    const contract = await job.act({ event: 'fork', hasKey: false, inputs: { cache: 'false' } });
    expect([contract.exitCode, contract.outputs['contractBreaks'], contract.outputs['conclusion']]).toEqual([
      1,
      '1',
      'failure',
    ]);
    expect(job.github.comments[0]?.body).toContain('property-became-optional');

    job.write(
      'evals/words.eval.yaml',
      suite.replace('defaults:', '  - { id: four, vars: { word: two }, expected: quatre }\ndefaults:'),
    );
    job.commit('expect what was never answered');
    const stored = await job.act({ event: 'fork', hasKey: false });
    expect([stored.exitCode, stored.outputs['failed'], stored.outputs['errored']]).toEqual([1, '1', '0']);
    expect(job.asked).toHaveLength(3);
  });

  test('publishes shards as one run, from the records that their jobs uploaded', async () => {
    const job = await openJob();
    for (const shard of [1, 2]) {
      job.git('clean', '-qdfx', '.llmcheck');
      await job.act({ inputs: { args: `--shard ${shard}/2` }, matrix: { shard } });
      cpSync(job.path('.llmcheck/runs'), job.path(`shards/shard-${shard}`), { recursive: true });
    }
    job.git('clean', '-qdfx', '.llmcheck');
    expect([job.github.comments, job.github.checks]).toEqual([[], []]);
    const whole = await job.act({ inputs: { merge: 'shards' } });
    expect([whole.exitCode, whole.outputs['planned'], whole.outputs['outcome']]).toEqual([0, '3', 'passed']);
    expect([job.github.comments.length, job.github.checks.length]).toEqual([1, 1]);
    // The merged run asks nothing, so it neither restores nor saves answers.
    expect(whole.used.filter(({ action: used }) => used.startsWith('actions/cache'))).toEqual([]);
    expect(whole.outputs['pageUrl']).toMatch(/\/artifacts\/\d+$/);
  });

  test('uploads the page, and the comment links to it and to the broken case in it', async () => {
    const job = await openJob();
    job.write('evals/prompts/words.md', 'Please say: {{ word }}\n');
    job.answers.set('two', 'zwei');
    job.commit('break two');
    const run = await job.act();
    const url = 'https://github.example/acme/shop/actions/runs/1/artifacts/1';
    expect([run.exitCode, run.outputs['pageUrl'], [...job.artifacts.keys()]]).toEqual([
      1,
      url,
      ['llmcheck-prompts.html'],
    ]);
    expect(
      readFileSync(join(job.artifacts.get('llmcheck-prompts.html') ?? '', 'llmcheck-prompts.html'), 'utf8'),
    ).toContain('<html');
    expect(job.github.comments[0]?.body).toMatch(
      /^### ❌ llmcheck FAILED: .* · \[page\]\(https.*\/runs\/1\/artifacts\/1\)$/m,
    );
    expect(job.github.comments[0]?.body).toContain(`[\`two\`](${url}#/case/words/two/v1/openai%3Atest-model)`);
    expect(job.github.checks[0]?.output.summary).toContain(`${url}#/case/words/two`);
    // Without the page the comment is written all the same, with the same exit code.
    for (const options of [{ canUpload: false }, { inputs: { page: 'false' } }]) {
      job.commit('again');
      const plain = await job.act(options);
      expect([plain.exitCode, plain.outputs['pageUrl'], plain.outputs['commentUrl']]).toEqual([
        1,
        '',
        expect.stringContaining('https://'),
      ]);
      expect(job.github.comments.map(({ body }) => body)).toEqual([expect.not.stringContaining('#/case')]);
    }
  });

  test('gives the jobs of a matrix comments of their own', async () => {
    const job = await openJob();
    await job.act({ matrix: { node: 20 } });
    await job.act({ matrix: { node: 22 }, jobIndex: '1' });
    expect(job.github.checks.map(({ name }) => name)).toEqual([
      'llmcheck (llmcheck / prompts / 20)',
      'llmcheck (llmcheck / prompts / 22)',
    ]);
    expect(job.github.comments).toHaveLength(2);
    // So have their pages: an artifact is named after its file.
    expect([...job.artifacts.keys()]).toEqual(['llmcheck-prompts-0.html', 'llmcheck-prompts-1.html']);
  });

  test.each([
    ['issue', ''],
    ['comment', 'yes'],
    ['check-run', 'on'],
    ['cache', ''],
  ])('refuses another value of %s than true and false', async (name, value) => {
    const job = await openJob();
    const { exitCode, log } = await job.act({ event: 'push', inputs: { [name]: value } });
    expect([exitCode, log]).toEqual([2, expect.stringContaining(`the input ${name} has to be true or false`)]);
  });

  test('passes its inputs over as data, whatever they hold', async () => {
    const job = await openJob();
    const hostile = '"; touch owned; $(touch owned) `touch owned` \'';
    const run = await job.act({
      event: 'push',
      inputs: { paths: `${hostile}"`, args: '--tag $(touch${IFS}owned)' },
    });
    expect(run.exitCode).not.toBe(0);
    expect((await job.act({ event: 'push', inputs: { comment: hostile } })).exitCode).toBe(2);
    const blame = await job.act({ event: 'push', inputs: { blame: hostile } });
    expect([blame.exitCode, blame.log.includes('is not an amount above 0')]).toEqual([2, true]);
    const bad = await job.act({ event: 'push', inputs: { version: 'latest' } });
    expect([bad.exitCode, bad.log.includes('has to be exact')]).toEqual([2, true]);
    expect(job.files('').filter((file) => file.includes('owned'))).toEqual([]);
  });
});

describe('action.yml', () => {
  test('pins every action by a commit and says which version that is', () => {
    const text = action.runs.steps.flatMap(({ uses }) => uses ?? []);
    expect(text.length).toBeGreaterThan(0);
    for (const uses of text) expect(uses).toMatch(/^[\w/-]+@[0-9a-f]{40}$/);
  });

  test('puts no expression into a script, and uses every input', () => {
    const scripts = action.runs.steps.flatMap(({ run }) => run ?? []);
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
    const used = JSON.stringify(action.runs.steps);
    expect(Object.keys(action.inputs).filter((name) => !used.includes(`inputs.${name}`))).toEqual([]);
  });
});
