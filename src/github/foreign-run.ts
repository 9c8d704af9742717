import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import { type GithubApi, memberAt, numberAt, textAt } from './github-api.ts';
import type { GithubRun } from './github-run.ts';

/** `run` is undefined where no open pull request has the tested commit as its head. */
export type ForeignRun =
  | { readonly ok: true; readonly run?: GithubRun }
  | { readonly ok: false; readonly message: string };

/**
 * Reads the event of `workflow_run`, which GitHub wrote, and asks the API which pull request has the tested commit. Nothing
 * that the fork's job wrote has a say.
 */
export async function readForeignRun(
  api: GithubApi,
  run: GithubRun,
  event: JsonValue | undefined,
): Promise<ForeignRun> {
  const tested = memberAt(event, 'workflow_run');
  const headSha = textAt(tested, 'head_sha') ?? '';
  const branch = textAt(tested, 'head_branch') ?? '';
  const owner = textAt(memberAt(memberAt(tested, 'head_repository'), 'owner'), 'login') ?? '';
  if (textAt(tested, 'event') !== 'pull_request' || headSha === '' || owner === '') return { ok: true };
  const query = `state=open&per_page=100&head=${encodeURIComponent(`${owner}:${branch}`)}`;
  const reply = await api.ask('GET', `/repos/${run.repository}/pulls?${query}`);
  if (!reply.ok) return { ok: false, message: reply.message };
  const pulls = Array.isArray(reply.value) ? reply.value : [];
  const pull = pulls.find((one) => textAt(memberAt(one, 'head'), 'sha') === headSha);
  const number = numberAt(pull, 'number');
  if (number === undefined) return { ok: true };
  const runId = numberAt(tested, 'id');
  return {
    ok: true,
    run: {
      ...run,
      headSha,
      pullRequest: { number, baseRef: textAt(memberAt(pull, 'base'), 'ref') ?? '', isForeign: true },
      // The log is that of the fork's job. The run is this one, so that a repetition updates its comment.
      ...defined({
        runUrl: runId === undefined ? undefined : `${run.repositoryUrl}/actions/runs/${runId}`,
      }),
    },
  };
}
