import { dirname, resolve } from 'node:path';
import { deepEqual, isRecord } from '../../json/deep-equal.ts';
import { defined } from '../../json/defined.ts';
import type { JsonObject } from '../../json/json.ts';
import type { PromptAnswer, PromptJob } from '../../model/suite/own-code.ts';
import type { PromptMessage, RenderedMessage, Vars } from '../../model/suite/suite.ts';
import { expandTable, keyOfVars, tabulate } from '../../templates/rendered-table.ts';
import { missingVariable, TemplateError } from '../../templates/template-error.ts';
import { groupBy } from '../../text/group-by.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import { type CaseFaults, createCaseFaults } from '../cases/check-case.ts';
import { type CaseGroup, idOf, type RowSource, readCases, readRow } from '../cases/open-case-files.ts';
import type { Config } from '../config.ts';
import { checkPart } from '../documents/check-shape.ts';
import { childOf, createProblems, type Located, locate, type Problems } from '../documents/locate.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import type { ProjectPlace } from '../files/project-place.ts';
import type { LoadOptions, ProjectSnapshot } from '../open-project.ts';
import { suiteShape } from '../schema/suite-schema.ts';
import type { CompiledPrompt } from './parse-prompts.ts';
import type { PromptCode } from './prompt-content.ts';
import { findAddedSecret, findDifference, type PromptInCode, readPromptAnswer } from './read-prompt-answer.ts';

interface CallContext extends Pick<LoadOptions, 'parsePrompt' | 'renderPrompts' | 'contractOnly' | 'snapshot'> {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly config: Config;
  readonly place: ProjectPlace;
}

/** The rows of the suite's cases; none if only its contract is wanted. */
export async function readSources(document: Located, assertionContext: AssertionContext, context: CallContext) {
  const { problems, contractOnly } = context;
  if (contractOnly === true || checkPart(document, 'cases', suiteShape.cases, problems) === undefined) return [];
  return readCases(childOf(document, 'cases'), { ...context, assertionContext });
}

/**
 * Calls the code of prompts with the variables of each case, even if only contracts are wanted. Faults are reported at
 * the code's name in the suite.
 */
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
  const cases = [...collectCases(rows, defaultVars(document, context.config))];
  return Promise.all(
    prompts.map(async (prompt) => {
      if (prompt.code === undefined) return prompt;
      const own = cases.filter(({ only }) => only === undefined || only.includes(prompt.version.id));
      return renderOne(prompt, prompt.code, own, context);
    }),
  );
}

/** The variables that every case has. */
export function defaultVars(document: Located, { defaults: general }: Config): Readonly<Record<string, unknown>> {
  const own = childOf(childOf(document, 'defaults'), 'vars').value;
  return { ...toRecord(general === undefined ? undefined : childOf(general, 'vars').value), ...toRecord(own) };
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

/** A case as far as a prompt sees it. */
interface PromptCase {
  readonly id: string;
  readonly row: Located;
  readonly vars: Vars;
}

/** Collects the cases. Rows that can't be read are reported when the cases are built. */
function* collectCases(
  sources: readonly RowSource[],
  defaults: Vars | undefined,
): Generator<PromptCase & { readonly only: readonly string[] | undefined }> {
  const ignored = createProblems();
  for (const { read, group } of sources) {
    for (const { row } of read(() => undefined)) {
      const own = readRow(row, ignored);
      if (own === undefined) continue;
      const { settings }: CaseGroup = group;
      const vars = { ...defaults, ...settings.vars, ...own.vars };
      yield { id: idOf(own), row, vars, only: own.prompts ?? settings.prompts };
    }
  }
}

async function renderOne(
  prompt: CompiledPrompt,
  code: PromptCode,
  cases: readonly PromptCase[],
  context: CallContext,
): Promise<CompiledPrompt> {
  if (context.renderPrompts === undefined) return prompt;
  const distinct = [...groupBy(cases, ({ vars }) => keyOfVars(vars))].map(([key, all]) => ({ key, all, one: all[0] }));
  const job = buildJob(
    code,
    distinct.map(({ one }) => plainNumbers(one.vars) as Vars),
    context,
  );
  if (job === undefined) return prompt;
  const { first, second } = await context.renderPrompts(job);
  const judge = new CaseJudge(prompt, code);
  const rendered = new Map<string, readonly RenderedMessage[]>();
  for (const [index, { key, all, one }] of distinct.entries()) {
    const found = judge.read(one, all, [first[index], second[index]]);
    if (found !== undefined) rendered.set(key, found.messages);
  }
  judge.faults.flush(context.problems);
  return complete(prompt, rendered, judge, code);
}

function buildJob(code: PromptCode, vars: readonly Vars[], context: CallContext): PromptJob | undefined {
  const { problems, snapshot, place } = context;
  const { source, exportName, place: named } = code;
  const job = { vars, folder: source.folder, ...place };
  if (exportName !== undefined && source.file !== undefined) {
    const files = snapshot === undefined ? undefined : readClosure(source.file, snapshot);
    return { ...job, module: { file: source.file, exportName, ...defined({ files }) } };
  }
  if (snapshot === undefined) return { ...job, argv: code.argv };
  return problems.refuse(
    named,
    'a prompt of a program can only be read in the working tree',
    'compare with an accepted baseline, which keeps its messages',
  );
}

/** The module at a commit, with all that it imports and the manifests beside. */
function readClosure(file: string, { files, place }: ProjectSnapshot) {
  const reads = files.readsOf({ folder: dirname(file), file });
  const paths = reads.files;
  const manifests = new Set(reads.manifests);
  for (const path of paths) {
    for (let folder = resolve(path, '..'); folder.startsWith(place.boundary); folder = resolve(folder, '..')) {
      manifests.add(resolve(folder, 'package.json'));
      if (folder === place.boundary || folder === resolve(folder, '..')) break;
    }
  }
  return [...paths, ...manifests].flatMap((path) => {
    const found = files.hash(path) === undefined ? undefined : files.readText(path);
    return found !== undefined && 'text' in found ? [{ path, text: found.text }] : [];
  });
}

/** Judges the calls of each case and collects faults. */
class CaseJudge {
  readonly faults: CaseFaults = createCaseFaults();
  readonly reads = new Set<string>();
  readonly #prompt: CompiledPrompt;
  readonly #code: PromptCode;
  #params: { readonly value: JsonObject; readonly caseId: string } | undefined;

  constructor(prompt: CompiledPrompt, code: PromptCode) {
    this.#prompt = prompt;
    this.#code = code;
  }

  get params(): JsonObject {
    return this.#params?.value ?? {};
  }

  read(one: PromptCase, same: readonly PromptCase[], answers: readonly (PromptAnswer | undefined)[]) {
    for (const answer of answers) for (const name of answer?.reads ?? []) this.reads.add(name);
    for (const _ of same) this.faults.tried(this.#prompt);
    const missing = answers.flatMap((answer) => answer?.missing ?? []).filter((name) => !this.#isOptional(name));
    const hint = "add it to the cases' vars, or declare it in contract.input as a property that is not required";
    for (const name of new Set(missing)) this.#add(same, missingVariable(name, { hint }));
    const [first, second] = answers;
    // The case that stopped the others is reported itself.
    const isStopped = first?.isFollowing === true || (first?.fault === undefined && second?.isFollowing === true);
    if (missing.length > 0 || isStopped) return undefined;
    const found = this.#judge(one, answers);
    if (!('fault' in found)) return found;
    this.#add(
      same,
      new TemplateError(`prompt "${this.#prompt.version.id}" ${found.fault}`, {
        kind: 'syntax',
        ...defined({ hint: found.hint }),
      }),
    );
    return undefined;
  }

  #judge(one: PromptCase, [first, second]: readonly (PromptAnswer | undefined)[]): PromptInCode | Fault {
    const read = readAnswer(first);
    if ('fault' in read) return { ...read, ...hintOfLoading(read.fault) };
    const secret = findAddedSecret(read, one.vars);
    if (secret !== undefined) return { fault: secret, hint: 'a prompt must hold no key' };
    const difference = second?.isSame === true ? undefined : describeSecond(read, second);
    if (difference !== undefined) {
      const hint = 'a prompt must not depend on clock, chance or earlier calls: pass the value as a variable';
      return { fault: `is not the same when it is made again: ${difference}`, hint };
    }
    this.#params ??= { value: read.params, caseId: one.id };
    if (deepEqual(this.#params.value, read.params)) return read;
    const fault = `returned other params or tools than for case "${this.#params.caseId}"`;
    return { fault, hint: 'return the same for all cases, or write two prompts and name them in the cases' };
  }

  /** A property of the input contract that is not required may be left out. */
  #isOptional(name: string): boolean {
    const schema = this.#code.input;
    if (typeof schema !== 'object') return false;
    const { properties, required } = schema;
    const isDeclared = typeof properties === 'object' && properties !== null && Object.hasOwn(properties, name);
    return isDeclared && !(Array.isArray(required) && required.includes(name));
  }

  #add(same: readonly PromptCase[], error: TemplateError): void {
    const { version } = this.#prompt;
    for (const { id, row, vars } of same) {
      const reader = `prompt "${version.id}"`;
      this.faults.add({ reader, key: this.#prompt, at: locate(this.#code.place), error, caseId: id, row, scope: vars });
    }
  }
}

interface Fault {
  readonly fault: string;
  readonly hint?: string;
}

function readAnswer(answer: PromptAnswer | undefined): PromptInCode | Fault {
  if (answer === undefined) return { fault: 'was not called' };
  return answer.fault === undefined ? readPromptAnswer(answer.returned) : { fault: answer.fault };
}

function describeSecond(first: PromptInCode, answer: PromptAnswer | undefined): string | undefined {
  const again = readAnswer(answer);
  return 'fault' in again ? `the second call ${again.fault}` : findDifference(first, again);
}

function hintOfLoading(fault: string): { readonly hint?: string } {
  if (/Cannot find (?:package|module)/.test(fault))
    return {
      hint: 'import by relative paths, by paths of a tsconfig.json above the module, or from installed packages',
    };
  return fault.startsWith('exports no function') ? { hint: 'name one of them with export' } : {};
}

/** The prompt with the messages that its code made. */
function complete(
  prompt: CompiledPrompt,
  rendered: ReadonlyMap<string, readonly RenderedMessage[]>,
  { params, reads }: CaseJudge,
  { exportName }: PromptCode,
): CompiledPrompt {
  const { version, templates } = prompt;
  const { table, common } = tabulate(rendered);
  const variables = [...reads].sort();
  const messages = common.map(({ role, content }, index): PromptMessage => {
    const language = { name: 'code', ...(index === 0 ? { rendered: table, variables } : {}) } as const;
    return { role, template: { source: content, variables, language, render: () => content } };
  });
  return {
    ...prompt,
    version: {
      ...version,
      messages,
      params: { ...params, ...version.params },
      expand: (vars: Vars) => rendered.get(keyOfVars(vars)) ?? expandTable(table, vars),
    },
    templates: templates.map(({ template, at }) => ({ template: { ...template, variables }, at })),
    ...defined({ readsAll: exportName === undefined ? (true as const) : undefined }),
  };
}
