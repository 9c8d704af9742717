import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import type { JsonValue } from '../../json/json.ts';
import { findProjectRoot, folderInRepository, openRepositoryPaths } from '../../project/project-paths.ts';
import {
  findBlobUrl,
  type GithubRun,
  identifyJob,
  type JobIdentity,
  parseGithubRun,
} from '../../publishing/publish-to-github.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import type { Io } from '../io.ts';
import type { CiRequest } from '../output/ci-outcome.ts';
import { type PublishFlags, publishOutcome } from '../output/publish-outcome.ts';
import { addCiFlags, type CiEvent, type CiFlags, runInCi } from '../run/run-in-ci.ts';
import { usageError } from '../usage-error.ts';
import type { DefineCommand } from './define.ts';

interface Flags extends CiFlags, PublishFlags {
  readonly id?: string;
}

export const define: DefineCommand = (ci, { io, exit }) => {
  ci.addHelpText('after', '\nExamples:\n  $ llmcheck ci github --comment --check-run');
  addCiFlags(ci.command('github'), 'pull request: the merge-base with its base')
    .description('Run, then publish to GitHub: job summary, annotations, outputs, comment, check.')
    .option('--comment', 'keep one comment on the pull request, updated in place')
    .option('--check-run', 'put a check on the head commit')
    .option('--id <id>', 'id of the comment and the check (default: workflow, job, matrix and folder)')
    .option('--no-summary', 'no job summary')
    .option('--no-annotations', 'no annotations')
    .addHelpText(
      'after',
      `
Reads what the runner sets: GITHUB_TOKEN, GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_SHA, GITHUB_API_URL,
GITHUB_STEP_SUMMARY, GITHUB_OUTPUT. A job with a matrix sets LLMCHECK_MATRIX to it, as JSON.
What can't be published is a warning; the exit code is that of the run.
On a pull request from a fork, whose jobs have no secrets, stored answers alone are used; where they do not
suffice, the verdict is neutral (exit code 0) unless what was judged fails.

Examples:
  $ llmcheck ci github evals/triage.eval.yaml --args "--max-cost 0.50" --comment
  $ llmcheck ci github --run latest --check-run
  $ llmcheck ci github --merge shards --comment      after jobs with --args "--shard i/4"`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await runInGithub(paths, flags, io)));
};

async function runInGithub(givenPaths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const github = parseGithubRun(io.env, readEvent(io));
  const job = findIdentity(flags, io);
  const options = { github, id: job.id, checkName: nameCheck(job, github) };
  return runInCi(givenPaths, flags, io, eventOf(github, job, flags, io), ({ outcome, mask, origin }) =>
    publishOutcome(outcome, flags, io, { ...options, mask, origin }),
  );
}

function eventOf(github: GithubRun | undefined, { label }: JobIdentity, { config }: Flags, io: Io): CiEvent {
  const { pullRequest, headSha, runUrl } = github ?? {};
  const { baseRef = '' } = pullRequest ?? {};
  const blobUrl = github && findBlobUrl(github, io);
  const root = findProjectRoot(io.cwd, config);
  const paths = openRepositoryPaths({ cwd: io.cwd, root, env: io.env, ...defined({ blobUrl }) });
  const request: CiRequest | undefined = pullRequest && {
    noun: 'pull request',
    checkout: `gh pr checkout ${pullRequest.number}`,
    baseRef,
  };
  return {
    // A pull request is compared with the commit at which it left its base.
    ...(baseRef !== '' && { baseline: `git:${baseRef}...` }),
    isForeign: pullRequest?.isForeign === true,
    place: { label: github === undefined ? '' : label, ...defined({ headSha, logUrl: runUrl, paths, request }) },
    secrets: [io.env['GITHUB_TOKEN'] ?? ''],
  };
}

function findIdentity({ id = '', config }: Flags, { cwd, env }: Io): JobIdentity {
  const folder = config === undefined ? cwd : dirname(resolve(cwd, config));
  if (id === '') return identifyJob(env, folderInRepository(folder, env));
  if (!/^[\w.-]{1,60}$/.test(id)) {
    throw usageError(`--id ${id}: not a word of letters, digits, dots, dashes and underscores`);
  }
  return { id, label: id };
}

/** A job for a push can test the same commit as one for a pull request, against another baseline. */
function nameCheck({ label }: JobIdentity, github: GithubRun | undefined): string {
  const { eventName = '' } = github ?? {};
  // A required check has one name in the pull request and in the merge queue.
  const isGate = ['', 'pull_request', 'merge_group'].includes(eventName);
  const name = label === '' ? 'llmcheck' : `llmcheck (${toSafeLine(label)})`;
  return isGate ? name : `${name} (${eventName})`;
}

function readEvent({ env, stderr }: Io): JsonValue | undefined {
  const path = env['GITHUB_EVENT_PATH'] ?? '';
  if (path === '') return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as JsonValue;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof Error && 'code' in error)) throw error;
    stderr.write(`warning: GITHUB_EVENT_PATH could not be read: ${toSafeLine(error.message)}\n`);
    return undefined;
  }
}
