import { expect, onTestFinished, test } from 'vitest';
import type { CiOutcome } from '../../src/publishing/ci-outcome.ts';
import type { JobIo } from '../../src/publishing/job.ts';
import { publishJobOnGithub } from '../../src/publishing/publish-job-on-github.ts';
import { makeFolder } from '../record/build-rows.ts';
import { startServer } from '../support/http-server.ts';

const outcome: CiOutcome = {
  exitCode: 0,
  conclusion: 'success',
  title: 'passed: all',
  body: '',
  annotations: '',
  outputs: {},
};

test('a check that may not be written is a warning on the page and in the log, with the permission', async () => {
  const server = await startServer({ status: 403, body: { message: 'Resource not accessible by integration' } });
  onTestFinished(() => server.close());
  const shown: string[] = [];
  const logged: string[] = [];
  const root = makeFolder();
  const io: JobIo = {
    stdout: { write: (text) => void shown.push(text) },
    stderr: { write: (text) => void logged.push(text) },
    env: { GITHUB_TOKEN: 'ghs_1' },
    cwd: root,
    now: () => new Date(0),
    random: () => 0,
  };
  const github = {
    apiUrl: server.url,
    graphqlUrl: `${server.url}/graphql`,
    repository: 'acme/shop',
    repositoryUrl: 'https://github.example/acme/shop',
    eventName: 'push',
    headSha: 'a'.repeat(40),
  };
  const options = { root, github, mask: (text: string) => text, id: 'job', checkName: 'llmcheck', origin: {} };
  await publishJobOnGithub(outcome, { checkRun: true, summary: false, annotations: true }, io, options);
  const message = `the check was not published: POST /repos/acme/shop/check-runs: 403 Resource not accessible by integration: give the job \`permissions: checks: write\``;
  expect([shown.join(''), logged.join('')]).toEqual([
    `::warning title=llmcheck::${message}\n`,
    `warning: ${message}\n`,
  ]);
});
