import { UserError } from '../errors.ts';
import { createMask } from '../lib/mask-secrets.ts';
import { findQuerySecrets } from '../lib/query-secrets.ts';
import type { LoadedPlugin } from '../model/code-plugin.ts';
import { type Plugin, pluginsOf } from '../model/plugin.ts';
import type { Project } from '../model/suite.ts';
import { findAdapter } from '../providers/index.ts';
import { reporters } from '../reporters/index.ts';
import type { StoredRun } from '../stores/list-runs.ts';
import { readRunRecord } from '../stores/read-run-record.ts';
import { describeAssertions } from './describe-assertion.ts';
import { listStoredRuns } from './stored-runs.ts';

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
      const { createPluginAssertion } = await import('../assertions/plugin-assertion.ts');
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
  return listStoredRuns({ root }).map((run) => {
    try {
      return describeRun(run);
    } catch (error) {
      // One damaged record must not hide the others.
      if (!(error instanceof UserError)) throw error;
      return {
        run: run.id,
        startedAt: null,
        suites: [],
        passed: null,
        failed: null,
        errored: null,
        state: 'unreadable',
        bytes: run.bytes,
      };
    }
  });
}

function describeRun({ id, path, bytes }: StoredRun): ListedRow {
  let [passed, failed, errored] = [0, 0, 0];
  const record = readRunRecord(path, ({ status }) => status);
  for (const status of record.summaries) {
    if (status === 'passed') passed += 1;
    if (status === 'failed') failed += 1;
    if (status === 'errored') errored += 1;
  }
  return {
    run: id,
    startedAt: record.header.startedAt,
    suites: record.header.suites.map(({ suite }) => suite),
    passed,
    failed,
    errored,
    state: record.end === undefined ? 'unfinished' : (record.end.stopReason ?? 'complete'),
    bytes,
  };
}
