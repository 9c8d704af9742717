import type { AssertionContext } from './assertions/compile-plain.ts';
import { type RowSource, readCases } from './cases/read-cases.ts';
import type { Config } from './config.ts';
import { checkPart } from './documents/check-shape.ts';
import { childOf, createProblems, type Located, type Problems } from './documents/locate.ts';
import type { ProjectFiles } from './files/project-files.ts';
import { type CodePromptContext, renderCodePrompts } from './prompts/code-prompts.ts';
import type { CompiledPrompt } from './prompts/parse-prompts.ts';
import type { ParsePrompt } from './prompts/prompt-file.ts';
import { suiteShape } from './schema/suite-schema.ts';

interface CallContext extends CodePromptContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly config: Config;
  readonly parsePrompt: ParsePrompt;
  readonly contractOnly?: boolean;
}

/** The rows of the suite's cases; none where only its contract is wanted. */
export async function readSources(document: Located, assertionContext: AssertionContext, context: CallContext) {
  const { problems, contractOnly } = context;
  if (contractOnly === true || checkPart(document, 'cases', suiteShape.cases, problems) === undefined) return [];
  return readCases(childOf(document, 'cases'), { ...context, assertionContext });
}

/** Calls the code of prompts with the variables of each case, also where only contracts are wanted. */
export async function callPromptCode(
  prompts: readonly CompiledPrompt[],
  document: Located,
  {
    assertionContext,
    sources,
  }: { readonly assertionContext: AssertionContext; readonly sources: readonly RowSource[] },
  context: CallContext,
) {
  if (prompts.every(({ code }) => code === undefined)) return prompts;
  const problems = createProblems();
  const silent = { ...context, contractOnly: false, problems };
  const rows =
    context.contractOnly === true ? await readSources(document, { ...assertionContext, problems }, silent) : sources;
  return renderCodePrompts(prompts, { sources: rows, defaults: defaultVars(document, context.config) }, context);
}

/** The variables that every case has. */
export function defaultVars(document: Located, { defaults: general }: Config): Readonly<Record<string, unknown>> {
  const own = childOf(childOf(document, 'defaults'), 'vars').value;
  return { ...toRecord(general === undefined ? undefined : childOf(general, 'vars').value), ...toRecord(own) };
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}
