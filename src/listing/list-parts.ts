import * as z from 'zod';
import type { Assertion, CompletionView, ModelQuestion, ModelReply } from '../assertions/define.ts';
import { assertions } from '../assertions/index.ts';
import { judgeChecks } from '../assertions/judge-checks.ts';
import { createPluginAssertion } from '../assertions/own-code.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import type { CheckSpec } from '../model/run/verdict.ts';
import type { LoadedPlugin } from '../model/suite/own-code.ts';
import { type Plugin, pluginsOf } from '../model/suite/plugin.ts';
import type { Project } from '../model/suite/suite.ts';
import { openPackages } from '../programs/import-module.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import { findAdapter } from '../providers/index.ts';
import { countStoredRun } from '../record/list-runs.ts';
import { reporters } from '../reports/index.ts';
import { findQuerySecrets } from '../secrets/find-secrets.ts';
import { createMask } from '../secrets/mask-secrets.ts';
import { runWithDeadline } from '../text/deadline.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';
import { parseYaml } from '../text/yaml/yaml-text.ts';

/** A row of `llmcheck list`. All rows of a list have the same keys. */
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

/** Masks keys in the query of an address from the environment. */
function hideSecrets(url: string): string {
  return createMask(findQuerySecrets(url).map(({ value }) => value))(url);
}

export async function listAssertions(
  root: string,
  plugins: readonly LoadedPlugin<Plugin>[],
): Promise<readonly ListedRow[]> {
  const own = pluginsOf(plugins, 'assertion').map(
    (loaded) => [loaded.plugin.name, createPluginAssertion(loaded)] as const,
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
      // A list is printed once, so it can't know whether the run continues.
      state: state === 'running' ? 'unfinished' : state,
      bytes,
    };
  });
}

/** An assertion as shown in lists and pages. */
interface DescribedAssertion {
  readonly assertion: string;
  readonly family: string;
  readonly summary: string;
  readonly parameters: readonly string[];
  readonly example: string;
  /** The reason of the example's check on a wrong answer. Simulated models and programs say no. */
  readonly failure: string | null;
  readonly definition: string | null;
}

export function describeAssertions(
  root: string,
  own: Readonly<Record<string, Assertion>> = {},
): Promise<readonly DescribedAssertion[]> {
  return Promise.all(
    Object.entries({ ...assertions, ...own }).map(async ([name, assertion]) => ({
      assertion: name,
      family: assertion.family,
      summary: assertion.summary,
      parameters: Object.keys(propertiesOf(assertion.params)),
      example: assertion.example,
      failure: await findFailureReason(assertion, root),
      definition: assertion.definition ?? null,
    })),
  );
}

function propertiesOf(params: z.ZodType): object {
  const { properties } = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' });
  return properties ?? {};
}

/** Judges the assertion's own example on an answer that must fail it. */
async function findFailureReason({ example, failsOn }: Assertion, root: string): Promise<string | null> {
  if (failsOn === undefined) return null;
  // Fill in the example's templates.
  const written = plainNumbers(parseYaml(example.replaceAll(/\{\{ ?\w+ ?\}\}/g, 'billing')).value);
  const view: CompletionView = {
    text: '',
    toolCalls: [],
    finishReason: 'stop',
    latencyMs: 0,
    costUsd: 0,
    ...failsOn,
  };
  const ports = { ...stagedPorts, deadline: runWithDeadline, importPackage: openPackages(root).load };
  const judged = { vars: {}, conversation: [], other: staged };
  const [verdict] = await judgeChecks(buildSpecs(written), view, ports, staged, judged);
  return verdict?.reason ?? null;
}

/** Builds checks in a suite's notation, such as `{contains: refund}`. */
function buildSpecs(written: unknown): readonly CheckSpec[] {
  if (!isJsonObject(written)) return [];
  return Object.entries(written).flatMap(([name, value]) => {
    const declared = assertions[name];
    return declared === undefined ? [] : buildSpec(name, value, declared);
  });
}

function buildSpec(name: string, value: JsonValue, declared: Assertion): CheckSpec {
  const base = { assertion: name, weight: 1, required: false, source: null };
  if ('combine' in declared) return { ...base, params: {}, children: [value].flat().flatMap(buildSpecs) };
  const { main = 'value', wholeValue, params, asks, code } = declared;
  const given = isJsonObject(value) && wholeValue !== true ? value : { [main]: value };
  return {
    ...base,
    params: params.parse(given),
    ...defined({
      asks: asks === undefined ? undefined : 'strict',
      code: code === undefined ? undefined : { folder: '/', file: '/check.ts', hash: '' },
    }),
  };
}

/** The accepted answer, also used for the other side. */
const staged = { text: 'Your parcel is on its way.', toolCalls: [] };

const saysNo = () => Promise.resolve({ returned: { pass: false, reason: 'does not greet the customer by name' } });

/** Simulated models and programs that say no. */
const stagedPorts = {
  ownCode: { runModule: saysNo, runCommand: saysNo },
  workspace: {
    readUnchanged: () => ({ text: '' }),
    run: () => Promise.resolve({ exitCode: 1, signalName: null, tail: 'not ok 3 - sums the cart' }),
  },
  ask({ kind, messages }: ModelQuestion): Promise<ModelReply> {
    const shown = messages.at(-1)?.content ?? '';
    if (kind === 'embeddings')
      return Promise.resolve({ text: shown === 'billing' ? '[1, 0]' : '[0.2, 1]', canRefresh: false });
    if (shown.endsWith('Say yes or no.')) return Promise.resolve({ text: 'no', canRefresh: false });
    const isStagedFirst = /<<<answer A[^\n]*\n([^\n]*)/.exec(shown)?.[1] === staged.text;
    const reply = { reason: 'It leaves the customer alone.', pass: false, winner: isStagedFirst ? 'A' : 'B' };
    return Promise.resolve({ text: JSON.stringify(reply), canRefresh: false });
  },
};
