import * as z from 'zod';
import type { Assertion, CompletionView } from '../assertions/define.ts';
import { assertions } from '../assertions/index.ts';
import { judgeChecks } from '../assertions/judge-checks.ts';
import { runWithDeadline } from '../lib/deadline.ts';
import { plainNumbers } from '../lib/spelled-number.ts';
import { parseYaml } from '../lib/yaml-text.ts';
import { isJsonObject } from '../model/json.ts';
import { openPackages } from '../programs/open-packages.ts';

/** An assertion as lists and pages show it. */
export interface DescribedAssertion {
  readonly assertion: string;
  readonly family: string;
  readonly summary: string;
  readonly parameters: readonly string[];
  readonly example: string;
  /** The reason that the example gives for a wrong answer; null where that hangs on a model, a program or a baseline. */
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
  if (declared === undefined || !('check' in declared) || declared.failsOn === undefined) return null;
  const { main = 'value', wholeValue, example, params, failsOn } = declared;
  // A page shows what a template comes to.
  const parsed: unknown = plainNumbers(parseYaml(example.replaceAll('{{expected}}', 'billing')).value);
  const written = isJsonObject(parsed) ? parsed[name] : undefined;
  const given = isJsonObject(written) && wholeValue !== true ? written : { [main]: written };
  const view: CompletionView = { text: '', toolCalls: [], finishReason: 'stop', latencyMs: 0, costUsd: 0, ...failsOn };
  const spec = { assertion: name, params: params.parse(given), weight: 1, required: false, source: null };
  const ports = { deadline: runWithDeadline, importPackage: openPackages(root).load };
  const [verdict] = await judgeChecks([spec], view, ports);
  return verdict === undefined || verdict.pass ? null : verdict.reason;
}
