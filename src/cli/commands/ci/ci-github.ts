import type { Command } from 'commander';
import { statePath } from '../../../files/state-folder.ts';
import { removeFile } from '../../../files/write-files.ts';
import { type GithubRun, listJobParts, parseGithubRun, readGithubEvent } from '../../../github/github-run.ts';
import { defined } from '../../../json/defined.ts';
import { usageError } from '../../../model/problem.ts';
import { findProjectRoot, openRepositoryPaths } from '../../../project/project-paths.ts';
import type { CiPage, CiRequest } from '../../../publishing/ci-outcome.ts';
import { publishDrift } from '../../../publishing/drift-outcome.ts';
import { type JobIdentity, nameBranch } from '../../../publishing/job.ts';
import { nameJobsHint, type PublishFlags, publishJobOnGithub } from '../../../publishing/publish-job-on-github.ts';
import { holdOutcome, publishHeld, publishUntrusted, withoutHeld } from '../../../publishing/publish-later.ts';
import { findBlobUrl, nameCheck } from '../../../publishing/publish-to-github.ts';
import { readUnnamedMatrix } from '../../../publishing/unnamed-matrix.ts';
import { renderCommand } from '../../../reports/ci/github.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import { sha256Hex } from '../../../text/sha256.ts';
import type { Io } from '../../io.ts';
import { collect, type ReportRequest, readReporters, writeReports } from '../../output/reports.ts';
import {
  addCiFlags,
  type CiEvent,
  type CiFlags,
  findIdentity,
  findPage,
  runInCi,
  withConfig,
} from '../../run/run-in-ci.ts';
import type { DefineCommand } from '../define.ts';

interface Flags extends CiFlags, PublishFlags {
  readonly issue?: boolean;
  readonly untrusted?: string;
  readonly reporter: readonly string[];
  readonly publishLater?: boolean;
  readonly publish?: boolean;
}

export function defineGithub(ci: Command, { io, exit }: Parameters<DefineCommand>[1]): void {
  addCiFlags(ci.command('github'), 'pull request: the merge-base with its base')
    .description('Run, then publish to GitHub: job summary, annotations, outputs, comment, check.')
    .option('--comment', 'keep one comment on the pull request, updated in place')
    .option('--check-run', 'put a check on the head commit')
    .option('--issue', 'look for drift, and keep one issue while it lasts (scheduled jobs)')
    .option('--untrusted <folder>', 'only comment on the record that the job of a fork uploaded (workflow_run)')
    .option('--id <id>', 'id of the comment and the check (default: workflow, job, matrix and folder)')
    .option('-r, --reporter <name=path>', 'a report to upload (repeatable)', collect, [])
    .option('--publish-later', 'run, and leave summary, comment and check to --publish, which can link to the page')
    .option('--publish', 'publish what --publish-later left, and run nothing')
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
With --issue every model is asked again (--drift --cache refresh). A run that fails by drift is repeated. If the
second one agrees, an issue is opened or updated, and the exit code is 0. A run that passes closes it.

Examples:
  $ llmcheck ci github evals/triage.eval.yaml --args "--max-cost 0.50" --comment
  $ llmcheck ci github --run latest --check-run
  $ llmcheck ci github --comment --publish-later -r html=llmcheck.html
  $ llmcheck ci github --publish --page-url "$URL"   after a step that uploaded the page
  $ llmcheck ci github --issue --args "--max-cost 5"  in a scheduled job
  $ llmcheck ci github --merge shards --comment      after jobs with --args "--shard i/4"`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await runInGithub(paths, flags, io)));
}

async function runInGithub(givenPaths: readonly string[], givenFlags: Flags, io: Io): Promise<number> {
  const flags = withConfig(givenFlags, io);
  const { event, fault } = readGithubEvent(io.env);
  if (fault !== undefined) io.stderr.write(`warning: GITHUB_EVENT_PATH could not be read: ${toSafeLine(fault)}\n`);
  const parsed = parseGithubRun(io.env, event);
  const github = parsed && { ...parsed, jobKey: hashFlags(givenPaths, flags, io) };
  const matrix = readUnnamedMatrix(io.env);
  const jobParts = listJobParts(io.env, matrix?.values);
  const job = findIdentity(jobParts, flags, io);
  if (flags.untrusted !== undefined) return publishUntrusted(flags.untrusted, io, { github, event, id: job.id });
  if (flags.issue === true) refuseIssueElsewhere(flags, github);
  const optionsOf = (one: JobIdentity, config: string | undefined) => {
    return { github, root: findProjectRoot(io.cwd, config), id: one.id, checkName: nameCheck(one, github) };
  };
  const options = optionsOf(job, flags.config);
  // The step that publishes lacks the flags of the run. It finds the file without them, and the config in the file.
  const { config } = givenFlags;
  const heldId = findIdentity(jobParts, givenFlags, io).id;
  const heldPath = statePath(findProjectRoot(io.cwd, config), 'publish', `${heldId}.json`);
  if (flags.publish === true) {
    refuseBesidePublish(givenPaths, flags);
    return publishHeld(heldPath, findPage(flags, io), io, (held = flags.config) =>
      optionsOf(findIdentity(jobParts, { ...flags, ...defined({ config: held }) }, io), held),
    );
  }
  if (matrix?.values.length === 0 && (flags.id ?? '') === '') warnOfMatrix(flags, io);
  // A job that ends before it holds anything must not publish the file of an older job.
  if (flags.publishLater === true) removeFile(heldPath);
  let requests: readonly ReportRequest[] = [];
  return runInCi(givenPaths, flags, io, eventOf(github, job, flags, io), {
    async prepare() {
      requests = (await readReporters({ ...flags, color: true }, io)).filter(({ path }) => path !== undefined);
    },
    async publish(result) {
      const { mask, origin, report, drift, outcomeAs } = result;
      if (report !== undefined) {
        await writeReports(report, requests, { io, mask, color: true, ...defined({ config: flags.config }) });
      }
      const where = { ...options, mask, origin };
      const outcome =
        report === undefined || drift === undefined
          ? result.outcome
          : await publishDrift(result.outcome, { report, drift, outcomeAs }, flags, io, where);
      const isHeld = flags.publishLater === true && holdOutcome(heldPath, { ...result, github }, flags, io);
      await publishJobOnGithub(outcome, isHeld ? withoutHeld(flags) : flags, io, where);
      return outcome.exitCode;
    },
  });
}

function refuseBesidePublish(paths: readonly string[], flags: Flags): void {
  const { run, merge, issue, publishLater, args, baseline } = flags;
  const others = [run, merge, issue, publishLater, args || undefined, flags.paths || undefined, baseline || undefined];
  if (paths.length === 0 && others.every((value) => value === undefined)) return;
  const hint = 'give --publish alone, with --id, --config and --page-url';
  throw usageError('--publish runs nothing: it publishes what --publish-later left', hint);
}

/** Hashes the job's selection and machine, in which the jobs of an unnamed matrix mostly differ. */
function hashFlags(paths: readonly string[], flags: Flags, { env }: Io): string {
  const { args, paths: morePaths, baseline, merge = '' } = flags;
  const variables = ['FILTER', 'TAG', 'PROMPT', 'PROVIDER', 'BASELINE', 'COMPARE', 'CONFIG'].map(
    (name) => env[`LLMCHECK_${name}`] ?? '',
  );
  const place = [env['RUNNER_OS'] ?? '', env['RUNNER_ARCH'] ?? '', process.versions.node.split('.')[0]];
  return sha256Hex(JSON.stringify([paths, args, morePaths, baseline, merge, variables, place])).slice(0, 8);
}

function warnOfMatrix({ comment = false, checkRun = false, annotations }: Flags, { env, stdout, stderr }: Io): void {
  if (!comment && !checkRun) return;
  const job = toSafeLine(env['GITHUB_JOB'] ?? '');
  const message = `job ${job} has a matrix, and llmcheck is not told which part of it runs here. Its jobs could take each other's comment and check. ${nameJobsHint}`;
  stderr.write(`warning: ${message}\n`);
  if (annotations) stdout.write(renderCommand({ level: 'warning', title: 'llmcheck', message }));
}

/** A change is not drift, and a stored run can't be repeated. */
function refuseIssueElsewhere({ run, merge, publishLater }: Flags, github: GithubRun | undefined): void {
  const { eventName = '' } = github ?? {};
  if (publishLater === true) {
    throw usageError('--issue takes no --publish-later: the exit code depends on the issue', 'leave it out');
  }
  if (run !== undefined || merge !== undefined) {
    throw usageError('--issue takes no stored run: drift is confirmed by a second run', 'leave --run and --merge out');
  }
  if (/^pull_request|^merge_group$/.test(eventName)) {
    const hint = 'use it in a job for `schedule` or `workflow_dispatch`';
    throw usageError(`--issue is for scheduled jobs: on ${eventName} a change is tested`, hint);
  }
}

function eventOf(github: GithubRun | undefined, { label }: JobIdentity, flags: Flags, io: Io): CiEvent {
  const { pullRequest, headSha, runUrl } = github ?? {};
  const { baseRef = '', baseSha } = pullRequest ?? {};
  // A merge queue may test several pull requests on top of each other: each group has a base of its own.
  const root = findProjectRoot(io.cwd, flags.config);
  const base = baseRef === '' ? (github?.mergeBaseSha ?? '') : nameBranch(baseRef, root, io.env, baseSha);
  const blobUrl = github && findBlobUrl(github, { cwd: root, env: io.env });
  const paths = openRepositoryPaths({ cwd: io.cwd, root, env: io.env, ...defined({ blobUrl }) });
  const request: CiRequest | undefined = pullRequest && {
    noun: 'pull request',
    checkout: `gh pr checkout ${pullRequest.number}`,
    baseRef,
  };
  return {
    // A change is compared with the commit at which it left its base.
    ...(base === '' ? { missingBase: findMissingBase(io) } : { baseline: `git:${base}...` }),
    ...defined({ isDriftWatch: flags.issue === true || undefined }),
    isForeign: pullRequest?.isForeign === true,
    place: {
      label: github === undefined ? '' : label,
      ...defined({
        headSha,
        logUrl: runUrl,
        page: findPage(flags, io) ?? findArtifacts(github, flags),
        paths,
        request,
      }),
    },
    secrets: [io.env['GITHUB_TOKEN'] ?? ''],
  };
}

function findMissingBase({ env }: Io): string | undefined {
  const name = env['GITHUB_EVENT_NAME'] ?? '';
  if (!/^pull_request|^merge_group$/.test(name)) return undefined;
  return `the base of this ${name} is not known: neither GITHUB_REPOSITORY nor the file of GITHUB_EVENT_PATH names it`;
}

/** The issue of a drift is written before the page is uploaded. */
function findArtifacts(github: GithubRun | undefined, { issue, reporter }: Flags): CiPage | undefined {
  const { runUrl } = github ?? {};
  const hasPage = reporter.some((text) => text.startsWith('html='));
  return issue === true && hasPage && runUrl !== undefined
    ? { kind: 'artifacts', url: `${runUrl}#artifacts` }
    : undefined;
}
