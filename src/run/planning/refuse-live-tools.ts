import { parseGithubRun, readGithubEvent } from '../../github/github-run.ts';
import { parseGitlabRun } from '../../gitlab/gitlab.ts';
import { type Problem, UserError } from '../../model/problem.ts';
import type { Suite } from '../../model/suite/suite.ts';
import type { PlannedRun } from '../../plan/plan-run.ts';

interface LiveOptions {
  /** True if only the cache or recordings answer a suite. */
  readonly answersFromStoreOnly: (suite: Suite) => boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Throws a `UserError` if a case would ask a server but must not. Stored answers belong to other tool results. In a
 * pull request from a fork, the fork's files decide which command runs.
 */
export function refuseLiveTools({ plan }: Pick<PlannedRun, 'plan'>, { answersFromStoreOnly, env }: LiveOptions): void {
  const suites = plan.suites.map(({ suite }) => suite).filter(({ snapshots }) => snapshots !== undefined);
  if (suites.length === 0) return;
  const problems = [...findLiveCases(plan, suites)].flatMap(({ suite, caseId, at }): readonly Problem[] => {
    const refuse = (why: string, hint: string): readonly Problem[] => [
      {
        code: 'environment',
        severity: 'error',
        message: `case ${caseId} of suite ${suite.id} has tools: { mcp: live }, and ${why}`,
        hint,
        at,
      },
    ];
    if (answersFromStoreOnly(suite))
      return refuse('stored answers alone answer this run', 'write stubs in place of mcp: live');
    if (isForeign(env)) {
      return refuse(
        'this is a pull request from a fork, on which no server is asked',
        'select other cases there, or write stubs in place of mcp: live',
      );
    }
    return [];
  });
  if (problems.length > 0) throw new UserError(problems);
}

/** The first case of each suite that asks a server. */
function* findLiveCases(plan: PlannedRun['plan'], suites: readonly Suite[]) {
  const open = new Map(suites.map((suite) => [suite.id, suite]));
  for (const key of plan.providerKeys) {
    for (const { key: cellKey, agent, skip, at } of plan.cells(key, (id) => open.has(id))) {
      const suite = open.get(cellKey.suite);
      if (suite === undefined || agent?.servers === undefined || skip !== undefined) continue;
      open.delete(cellKey.suite);
      yield { suite, caseId: cellKey.caseId, at };
    }
  }
}

/** True for a pull request from a fork, or if its origin is unknown. */
function isForeign(env: LiveOptions['env']): boolean {
  if (parseGitlabRun(env)?.mergeRequest?.isForeign === true) return true;
  const pull = parseGithubRun(env, readGithubEvent(env).event)?.pullRequest;
  return pull?.isForeign ?? (env['GITHUB_EVENT_NAME'] ?? '').startsWith('pull_request');
}
