import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readOrUndefined, systemErrorCode } from '../../files/write-files.ts';
import { defined } from '../../json/defined.ts';
import type { RunProvenance } from '../../model/run/record.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Variables in which CI systems name the checked-out commit and branch, one row for each system. */
const variables = [
  { commit: 'GITHUB_SHA', branches: ['GITHUB_HEAD_REF', 'GITHUB_REF_NAME'], pullRequest: 'GITHUB_REF' },
  {
    commit: 'CI_COMMIT_SHA',
    branches: ['CI_MERGE_REQUEST_SOURCE_BRANCH_NAME', 'CI_COMMIT_REF_NAME'],
    pullRequest: 'CI_MERGE_REQUEST_IID',
  },
  { commit: 'BITBUCKET_COMMIT', branches: ['BITBUCKET_BRANCH'], pullRequest: 'BITBUCKET_PR_ID' },
  {
    commit: 'BUILD_SOURCEVERSION',
    branches: ['SYSTEM_PULLREQUEST_SOURCEBRANCH', 'BUILD_SOURCEBRANCH'],
    pullRequest: 'SYSTEM_PULLREQUEST_PULLREQUESTNUMBER',
  },
  { commit: 'GIT_COMMIT', branches: ['CHANGE_BRANCH', 'BRANCH_NAME'], pullRequest: 'CHANGE_ID' },
];

/** The commit, branch and pull request of a run, by the variables of CI, else by git's own files. Undefined if neither says. */
export function findProvenance(root: string, env: Env): RunProvenance | undefined {
  const system = variables.find(({ commit }) => isHash(env[commit]));
  if (system === undefined) return readHead(root);
  const branch = system.branches.map((name) => env[name]).find((name) => name !== undefined && name !== '');
  const [number] = /(?<=^|^refs\/pull\/)\d+(?=$|\/)/.exec(env[system.pullRequest] ?? '') ?? [];
  return defined({
    commit: env[system.commit],
    branch: branch?.replace(/^refs\/heads\//, ''),
    pullRequest: number === undefined ? undefined : Number(number),
  });
}

/**
 * The checked-out commit and branch. Does not start git, which takes longer than many a run. Unreadable parts are left
 * out.
 */
export function readHead(root: string): RunProvenance | undefined {
  try {
    // Like git, searches upwards from the target of a link.
    const folder = findGitFolder(realpathSync(root));
    const head = folder === undefined ? undefined : readOrUndefined(join(folder, 'HEAD'))?.trim();
    if (folder === undefined || head === undefined) return undefined;
    const ref = /^ref: (.+)$/.exec(head)?.[1];
    // Git keeps the branch in a table, and writes this for programs that look for a file.
    if (ref === 'refs/heads/.invalid') return undefined;
    if (ref === undefined) return isHash(head) ? { commit: head } : undefined;
    const common = resolve(folder, readOrUndefined(join(folder, 'commondir'))?.trim() ?? '.');
    // Reads the ref's own file first. Git may pack it meanwhile, so a packed list read earlier would have an older
    // commit.
    const own = readOrUndefined(join(common, ref))?.trim();
    const commit = own ?? findPacked(readOrUndefined(join(common, 'packed-refs')), ref);
    return defined({ commit: isHash(commit) ? commit : undefined, branch: ref.replace(/^refs\/heads\//, '') });
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** The commit of a ref in git's list of packed refs. */
function findPacked(list: string | undefined, ref: string): string | undefined {
  const line = list?.split('\n').find((one) => one.endsWith(` ${ref}`));
  return line?.split(' ')[0];
}

/** `.git` of the repository around a folder; in a further working tree it is a file that names the folder. */
function findGitFolder(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, '.git');
    if (existsSync(path)) {
      if (statSync(path).isDirectory()) return path;
      const target = /^gitdir: (.+)$/m.exec(readOrUndefined(path) ?? '')?.[1];
      return target === undefined ? undefined : resolve(folder, target);
    }
    if (dirname(folder) === folder) return undefined;
  }
}

function isHash(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{40,64}$/.test(text);
}

/** Variables by which CI systems mark the check of a pull or merge request, with their values. */
const signs: readonly (readonly [name: string, value: RegExp])[] = [
  ['GITHUB_EVENT_NAME', /^pull_request/],
  ['GITHUB_REF', /^refs\/pull\//],
  ['CI_MERGE_REQUEST_IID', /./],
  ['CI_PIPELINE_SOURCE', /^(?:merge_request_event|external_pull_request_event)$/],
  ['BITBUCKET_PR_ID', /./],
  ['SYSTEM_PULLREQUEST_PULLREQUESTID', /./],
  ['BUILD_REASON', /^PullRequest$/],
  ['CHANGE_ID', /./],
  ['CIRCLE_PULL_REQUEST', /./],
  ['BUILDKITE_PULL_REQUEST', /^\d/],
  ['TRAVIS_PULL_REQUEST', /^\d/],
  ['DRONE_PULL_REQUEST', /^\d/],
];

/** The variable that says that this is the check of a pull or merge request; undefined elsewhere. */
export function findPullRequestSign(env: Env): string | undefined {
  return signs.find(([name, value]) => value.test(env[name] ?? ''))?.[0];
}
