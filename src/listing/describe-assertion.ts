import * as z from 'zod';
import type { Assertion, CompletionView, ModelQuestion, ModelReply } from '../assertions/define.ts';
import { assertions } from '../assertions/index.ts';
import { judgeChecks } from '../assertions/judge-checks.ts';
import { isJsonObject } from '../json/json.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { openPackages } from '../programs/open-packages.ts';
import { runWithDeadline } from '../text/deadline.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { parseYaml } from '../text/yaml-text.ts';

/** An assertion as lists and pages show it. */
export interface DescribedAssertion {
  readonly assertion: string;
  readonly family: string;
  readonly summary: string;
  readonly parameters: readonly string[];
  readonly example: string;
  /** The reason that the example gives for a wrong answer, with a model or program that says no where it asks one. */
  readonly failure: string | null;
  readonly definition: string | null;
}

/** Those of plug-ins come after the built-in ones. */
export function describeAssertions(
  root: string,
  own: Readonly<Record<string, Assertion>> = {},
): Promise<readonly DescribedAssertion[]> {
  return Promise.all(
    Object.entries({ ...assertions, ...own }).map(async ([name, { family, summary, example, definition, params }]) => ({
      assertion: name,
      family,
      summary,
      parameters: Object.keys(propertiesOf(params)),
      example,
      failure: await findFailureReason(name, root),
      definition: definition ?? null,
    })),
  );
}

function propertiesOf(params: z.ZodType): object {
  const { properties } = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' });
  return properties ?? {};
}

/** Judges the assertion's own example on an answer that fails it. */
async function findFailureReason(name: string, root: string): Promise<string | null> {
  const declared = Object.hasOwn(assertions, name) ? assertions[name] : undefined;
  if (declared?.failsOn === undefined) return null;
  // A page shows what a template comes to.
  const example = plainNumbers(parseYaml(declared.example.replaceAll(/\{\{ ?\w+ ?\}\}/g, 'billing')).value);
  const spec = buildSpec(example);
  if (spec === undefined) return null;
  const view: CompletionView = {
    text: '',
    toolCalls: [],
    finishReason: 'stop',
    latencyMs: 0,
    costUsd: 0,
    ...declared.failsOn,
  };
  const ports = { ...stagedPorts, deadline: runWithDeadline, importPackage: openPackages(root).load };
  const [verdict] = await judgeChecks([spec], view, ports, staged, { vars: {}, conversation: [], other: staged });
  return verdict === undefined || verdict.pass || verdict.error !== undefined ? null : verdict.reason;
}

/** A check as a suite writes it, such as `{contains: refund}`. */
function buildSpec(written: unknown): CheckSpec | undefined {
  const [entry] = isJsonObject(written) ? Object.entries(written) : [];
  if (entry === undefined) return undefined;
  const [name, value] = entry;
  const declared = Object.hasOwn(assertions, name) ? assertions[name] : undefined;
  if (declared === undefined) return undefined;
  const base = { assertion: name, weight: 1, required: false, source: null };
  if ('combine' in declared) {
    const children = (Array.isArray(value) ? value : [value]).map(buildSpec).filter((child) => child !== undefined);
    return { ...base, params: {}, children };
  }
  const { main = 'value', wholeValue, params, asks, code } = declared;
  const given = isJsonObject(value) && wholeValue !== true ? value : { [main]: value };
  return {
    ...base,
    params: params.parse(given),
    ...(asks === undefined ? {} : { asks: 'strict' }),
    ...(code === undefined ? {} : { code: { folder: '/', file: '/check.ts', hash: '' } }),
  };
}

/** Taken as the accepted answer, and as the answer of the other side. */
const staged = { text: 'Your parcel is on its way.', toolCalls: [] };

const saysNo = () => Promise.resolve({ returned: { pass: false, reason: 'does not greet the customer by name' } });

/** Models and programs as an example would have them: each says no. */
const stagedPorts = {
  ownCode: { runModule: saysNo, runCommand: saysNo },
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
