type Env = Readonly<Record<string, string | undefined>>;

/** Variables in which CI systems say that a pull or merge request is checked, and what they say then. */
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
