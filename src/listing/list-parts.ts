import type { LoadedPlugin } from '../model/own-code.ts';
import { type Plugin, pluginsOf } from '../model/plugin.ts';
import type { Project } from '../model/suite.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import { findAdapter } from '../providers/index.ts';
import { countStoredRun } from '../record/list-runs.ts';
import { reporters } from '../reports/index.ts';
import { findQuerySecrets } from '../secrets/find-secrets.ts';
import { createMask } from '../secrets/mask-secrets.ts';
import { describeAssertions } from './describe-assertion.ts';

/** A row of `llmcheck list`: the same keys in every row of a list. */
export type ListedRow = Readonly<Record<string, string | number | readonly string[] | null>>;

export function listSuites({ suites }: Project): readonly ListedRow[] {
  return suites.map(({ id, path, prompts, providers, caseCount, description }) => ({
    suite: id,
    path,
    cases: caseCount,
    prompts: prompts.map((prompt) => prompt.id),
    providers: providers.map((provider) => provider.id),
    description: description ?? null,
  }));
}

export function listCases({ suites }: Project): readonly ListedRow[] {
  return suites.flatMap((suite) =>
    [...suite.cases()].map(({ id, tags, trials, checks, at, mustPass, skip }) => ({
      suite: suite.id,
      case: id,
      tags,
      trials,
      checks: checks.map(({ name, assertion }) => name ?? assertion),
      state: skip === undefined ? (mustPass ? 'must pass' : '') : `skipped: ${skip}`,
      at: `${at.file}:${at.line}`,
    })),
  );
}

export function listProviders(
  { suites, root }: Project,
  env: Readonly<Record<string, string | undefined>>,
): readonly ListedRow[] {
  return suites.flatMap((suite) =>
    suite.providers.map((provider) => {
      const endpoint = findAdapter(provider)?.resolve(provider, { env, projectRoot: root });
      const keyName = endpoint?.apiKeyEnv;
      return {
        suite: suite.id,
        provider: provider.id,
        adapter: provider.adapter,
        model: provider.model,
        baseUrl: endpoint?.baseUrl === undefined ? null : hideSecrets(endpoint.baseUrl),
        key: keyName === undefined ? 'none' : `${keyName}${(env[keyName] ?? '') === '' ? ' (not set)' : ''}`,
      };
    }),
  );
}

/** An address from the environment may bring its key in its query. */
function hideSecrets(url: string): string {
  return createMask(findQuerySecrets(url).map(({ value }) => value))(url);
}

export async function listAssertions(
  root: string,
  plugins: readonly LoadedPlugin<Plugin>[],
): Promise<readonly ListedRow[]> {
  const own = await Promise.all(
    pluginsOf(plugins, 'assertion').map(async (loaded) => {
      const { createPluginAssertion } = await import('../assertions/own-code/own-code.ts');
      return [loaded.plugin.name, createPluginAssertion(loaded)] as const;
    }),
  );
  return (await describeAssertions(root, Object.fromEntries(own))).map((described) => ({ ...described }));
}

export function listReporters(plugins: readonly LoadedPlugin<Plugin>[]): readonly ListedRow[] {
  const own = pluginsOf(plugins, 'reporter').map(({ plugin }) => [plugin.name, plugin] as const);
  return [...Object.entries(reporters), ...own].map(([name, { summary }]) => ({ reporter: name, summary }));
}

export function listRuns(root: string): readonly ListedRow[] {
  return listStoredRuns({ root }).map((stored) => {
    const { id, startedAt, suites, planned, passed, failed, errored, skipped, state, bytes } = countStoredRun(
      stored,
      root,
    );
    return {
      run: id,
      startedAt,
      suites,
      planned,
      passed,
      failed,
      errored,
      skipped,
      // A list is printed once, so it can't show whether the run still goes on.
      state: state === 'running' ? 'unfinished' : state,
      bytes,
    };
  });
}
