import { relative, resolve, sep } from 'node:path';
import type { Command } from 'commander';
import { replaceFile, StorageError } from '../../../files/write-files.ts';
import { type GitlabRun, parseGitlabRun } from '../../../gitlab/gitlab.ts';
import { defined } from '../../../json/defined.ts';
import { encodeSegment, findProjectRoot, openRepositoryPaths } from '../../../project/project-paths.ts';
import type { CiRequest, ToPublish } from '../../../publishing/ci-outcome.ts';
import { nameBranch } from '../../../publishing/job.ts';
import { findGitlabBlobUrl, keepNote } from '../../../publishing/publish-to-gitlab.ts';
import { renderCodeQualityProblems } from '../../../reports/ci/code-quality.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import type { Io } from '../../io.ts';
import { collect, parseReporters, type ReportRequest, readReporters, writeReports } from '../../output/reports.ts';
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

interface Flags extends CiFlags {
  readonly note?: boolean;
  readonly reporter: readonly string[];
}

export function defineGitlab(ci: Command, { io, exit }: Parameters<DefineCommand>[1]): void {
  addCiFlags(ci.command('gitlab'), 'merge request: the merge-base with its target')
    .description('Run, then publish to GitLab: a note on the merge request, and reports for its widgets.')
    .option('--note', 'keep one note on the merge request, updated in place')
    .option('--id <id>', 'id of the note (default: job and folder)')
    .option('-r, --reporter <name=path>', 'a report for `artifacts:` (repeatable)', collect, [])
    .addHelpText(
      'after',
      `
Reads what the runner sets (CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID and others), and GITLAB_TOKEN: a
project access token with the scope api and the role Reporter. What can't be published is a warning; the exit code
is that of the run. The note links to the page that is written by \`-r html=PATH\`, if the job keeps it as artifact.
On a merge request from a fork, whose jobs have no secrets, stored answers alone are used; where they do not
suffice, the verdict is neutral (exit code 0) unless what was judged fails.

Examples:
  $ llmcheck ci gitlab --note --args "--max-cost 0.50"
  $ llmcheck ci gitlab --note -r junit=llmcheck.xml -r gitlab=llmcheck.json -r html=llmcheck.html
  $ llmcheck ci gitlab --merge shards --note      after jobs with --args "--shard i/4"`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await runInGitlab(paths, flags, io)));
}

/** Runs, or reads a stored run, and publishes its report on GitLab. */
async function runInGitlab(givenPaths: readonly string[], givenFlags: Flags, io: Io): Promise<number> {
  const flags = withConfig(givenFlags, io);
  const gitlab = parseGitlabRun(io.env);
  const isStored = flags.run !== undefined || flags.merge !== undefined;
  // A run prints its own report on the terminal.
  const ofRun = (wanted: readonly ReportRequest[]) =>
    isStored ? wanted : wanted.filter(({ path }) => path !== undefined);
  // Plug-ins' reporters follow later. If one is missing, the code-quality widget shows it.
  let requests = ofRun(parseReporters(flags.reporter).requests);
  const { id, label } = findIdentity([gitlab?.jobName ?? ''], flags, io);
  const event = eventOf(gitlab, { label, requests }, flags, io);
  return runInCi(givenPaths, flags, io, event, {
    async prepare() {
      requests = ofRun(await readReporters({ ...flags, color: true }, io));
    },
    async publish(result) {
      await writeFiles(result, { requests, event, flags }, io);
      const root = findProjectRoot(io.cwd, flags.config);
      if (flags.note === true) await keepNote(result, { gitlab, id, root }, io);
      return result.outcome.exitCode;
    },
  });
}

interface Job {
  readonly label: string;
  readonly requests: readonly ReportRequest[];
}

function eventOf(gitlab: GitlabRun | undefined, { label, requests }: Job, flags: Flags, io: Io): CiEvent {
  const { mergeRequest, headSha, jobUrl } = gitlab ?? {};
  const root = findProjectRoot(io.cwd, flags.config);
  const blobUrl = gitlab && findGitlabBlobUrl(gitlab, { cwd: root, env: io.env });
  const paths = openRepositoryPaths({ cwd: io.cwd, root, env: io.env, ...defined({ blobUrl }) });
  const request: CiRequest | undefined = mergeRequest && {
    noun: 'merge request',
    checkout: `glab mr checkout ${mergeRequest.iid}`,
    baseRef: mergeRequest.targetBranch,
  };
  const artifact = gitlab && findPageUrl(gitlab, requests, io);
  const page = findPage(flags, io) ?? (artifact === undefined ? undefined : { kind: 'page' as const, url: artifact });
  const baseline = gitlab && baselineOf(gitlab, root, io);
  const isRequest = io.env['CI_PIPELINE_SOURCE'] === 'merge_request_event';
  return {
    ...defined({ baseline, missingBase: isRequest && baseline === undefined ? missingBase : undefined }),
    isForeign: mergeRequest?.isForeign === true,
    place: {
      label: gitlab === undefined ? '' : label,
      ...defined({ headSha, logUrl: jobUrl, page, paths, request }),
    },
    secrets: [io.env['GITLAB_TOKEN'] ?? ''],
  };
}

const missingBase =
  'the target of this merge request is not known: CI_PROJECT_ID and CI_MERGE_REQUEST_* do not name it';

/** A merge request is compared with the commit at which it left its target. */
function baselineOf({ mergeRequest }: GitlabRun, root: string, { env }: Io): string | undefined {
  const { targetBranch = '', baseSha = '', targetSha, isForeign } = mergeRequest ?? {};
  // The tip of the target may not hold the requests before this one.
  if (targetSha !== undefined) return `git:${targetSha}...`;
  // The branches of a fork may be old.
  if (isForeign === true && baseSha !== '') return `git:${baseSha}`;
  return targetBranch === '' ? undefined : `git:${nameBranch(targetBranch, root, env)}...`;
}

/** The address that an artifact of this job will have. Undefined if no page is written into the project. */
function findPageUrl(
  { jobUrl, projectDir }: GitlabRun,
  requests: readonly ReportRequest[],
  { cwd }: Io,
): string | undefined {
  const page = requests.find(({ name, path }) => name === 'html' && path !== undefined)?.path;
  if (page === undefined || jobUrl === undefined || projectDir === undefined) return undefined;
  const parts = relative(projectDir, resolve(cwd, page)).split(sep);
  return parts[0] === '..' ? undefined : `${jobUrl}/artifacts/file/${parts.map(encodeSegment).join('/')}`;
}

interface Files {
  readonly requests: readonly ReportRequest[];
  readonly event: CiEvent;
  readonly flags: Flags;
}

/** The reports of the run. Of one that could not start, the widget of code quality shows the problems. */
async function writeFiles({ report, problems, mask }: ToPublish, { requests, event, flags }: Files, io: Io) {
  const options = { io, mask, color: true, ...defined({ config: flags.config }) };
  if (report !== undefined) {
    await writeReports(report, requests, options);
    return;
  }
  for (const { name, path } of requests) {
    if (name !== 'gitlab' || path === undefined) continue;
    try {
      replaceFile(resolve(io.cwd, path), mask(renderCodeQualityProblems(problems, event.place.paths)));
    } catch (error) {
      // It would take the place of the problems, and the note would not be written.
      if (!(error instanceof StorageError)) throw error;
      io.stderr.write(`warning: the gitlab report could not be written to ${path}: ${toSafeLine(error.reason)}\n`);
    }
  }
}
