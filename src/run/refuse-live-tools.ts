import { readOrUndefined } from '../files/write-files.ts';
import { parseGithubRun } from '../github/github-run.ts';
import { parseGitlabRun } from '../gitlab/gitlab.ts';
import type { JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { Suite } from '../model/suite.ts';
import type { PlannedRun } from '../plan/plan-run.ts';

interface LiveOptions {
  /** True where only the cache or recordings answer a suite. */
  readonly isReplayed: (suite: Suite) => boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Throws a `UserError` where a case would ask a server and must not: stored answers were given to other results, and the
 * files of a pull request from a fork say which command is run.
 */
export function refuseLiveTools({ plan }: Pick<PlannedRun, 'plan'>, { isReplayed, env }: LiveOptions): void {
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
    if (isReplayed(suite)) return refuse('stored answers alone answer this run', 'write stubs in place of mcp: live');
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

/** The first such case of each suite. */
function* findLiveCases(plan: PlannedRun['plan'], suites: readonly Suite[]) {
  const open = new Map(suites.map((suite) => [suite.id, suite]));
  for (const key of plan.providerKeys) {
    for (const { key: of, agent, skip, at } of plan.cells(key, (id) => open.has(id))) {
      const suite = open.get(of.suite);
      if (suite === undefined || agent?.servers === undefined || skip !== undefined) continue;
      open.delete(of.suite);
      yield { suite, caseId: of.caseId, at };
    }
  }
}

/** True as well where a job belongs to a pull request of which nothing more is known. */
function isForeign(env: LiveOptions['env']): boolean {
  if (parseGitlabRun(env)?.mergeRequest?.isForeign === true) return true;
  const isOfPull = (env['GITHUB_EVENT_NAME'] ?? '').startsWith('pull_request');
  const text = readEvent(env['GITHUB_EVENT_PATH'] ?? '');
  const event = text === undefined ? undefined : parseJson(text);
  const pull = parseGithubRun(env, event?.ok === true ? (event.value as JsonValue) : undefined)?.pullRequest;
  return pull?.isForeign ?? isOfPull;
}

function readEvent(path: string): string | undefined {
  try {
    return path === '' ? undefined : readOrUndefined(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
