import { canonicalJson } from '../json/canonical-json.ts';
import type { Writable } from '../json/defined.ts';
import { isJsonObject, type JsonObject } from '../json/json.ts';
import { isStrictSchema } from '../json/strict-schema.ts';
import type { Cell, CellClasses } from '../model/cell.ts';
import { selectionId } from '../model/classes.ts';
import type { Attachment, CompletionRequest, Message } from '../model/completion.ts';
import type { SourceLocation } from '../model/problem.ts';
import {
  type Case,
  type PromptVersion,
  type ProviderConfig,
  renderMessages,
  type Suite,
  slicesOf,
} from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { sha256Hex } from '../text/sha256.ts';
import { createDependencyHash, type DependencyHashOptions } from './cell-hash.ts';

/** `endpointOf`: the same id in two suites may be configured differently. */
export interface RenderOptions extends DependencyHashOptions {
  /** What a request says of a file, named from the suite file's folder. Throws a `UserError` where it can't be read. */
  readonly describeFile: (suite: Suite, path: string) => Attachment;
  /** The check that a contract's output schema adds to every completion. */
  contractCheck(schema: JsonObject | boolean): CheckSpec;
}

export interface RenderedVariant {
  readonly prompt: PromptVersion;
  readonly provider: ProviderConfig;
  readonly params: JsonObject;
}

export type CellRenderer = (testCase: Case, trials: number, firstTrial?: number) => readonly Cell[];

/** Renders the cells of one variant; what does not depend on the case is computed once. */
export function createRenderer(suite: Suite, variant: RenderedVariant, options: RenderOptions): CellRenderer {
  const { prompt, provider, params } = variant;
  const { adapter, model } = provider;
  const { adapterVersion, baseUrl } = options.endpointOf(provider);
  const outputSchema = prompt.contract?.output ?? suite.contract.output;
  const contract = outputSchema === undefined ? [] : [options.contractCheck(outputSchema)];
  const contractHash = outputSchema === undefined ? '' : `.${sha256Hex(canonicalJson(outputSchema)).slice(0, 12)}`;
  const hashDependencies = createDependencyHash(suite, options);
  const promptId = prompt.baselineOf ?? prompt.id;
  const classesOf = createClassesOf(suite);
  return function renderCells(testCase, trials, firstTrial = 0) {
    if (!runsOn(testCase, promptId, provider.id)) return [];
    const { vars, turns, tags, description, threshold, group, mustPass, observe, skip } = testCase;
    const at = withoutExcerpt(testCase.at);
    const messages: Message[] = renderMessages(prompt, vars).map(({ role, content, attach }) => {
      if (attach.length === 0) return { role, content };
      return { role, content, attachments: attach.map((path) => options.describeFile(suite, path)) };
    });
    const checks = contract.length === 0 ? testCase.checks : [...contract, ...testCase.checks];
    const stamp = `${testCase.stamp}${hashDependencies(testCase)}`;
    const slices = slicesOf(testCase, suite.gate);
    const classes = classesOf(testCase);
    const cellHash = `${stamp}${settingsSuffix(testCase, slices)}${classesSuffix(classes)}${contractHash}`;
    const origin = { suite: suite.id, prompt: prompt.id, provider: provider.id, caseId: testCase.id };
    return Array.from({ length: trials }, (_, index) => {
      const trial = firstTrial + index;
      // Member by member: a spread for each optional member would cost more than the rendering.
      const request: Writable<CompletionRequest> = { adapter, adapterVersion, model, messages, params, trial, origin };
      if (baseUrl !== undefined) request.baseUrl = baseUrl;
      const key = { suite: suite.id, prompt: prompt.id, provider: provider.id, caseId: testCase.id, trial };
      const cell: Writable<Cell> = { key, request, vars, turns, checks, mustPass, observe, stamp, cellHash, at };
      if (tags.length > 0) cell.tags = tags;
      if (description !== undefined) cell.description = description;
      if (threshold !== undefined) cell.threshold = threshold;
      if (group !== undefined) cell.group = group;
      if (slices !== undefined) cell.slices = slices;
      if (classes !== undefined) cell.classes = classes;
      if (skip !== undefined) cell.skip = skip;
      return cell;
    });
  };
}

/** True unless the case is restricted to other prompt versions or providers. */
export function runsOn(testCase: Case, promptId: string, providerId: string): boolean {
  return (
    (testCase.prompts === undefined || testCase.prompts.includes(promptId)) &&
    (testCase.providers === undefined || testCase.providers.includes(providerId))
  );
}

/** The parameters of a variant: the provider's, the prompt's over them, and the output schema where it is to be sent. */
export function buildParams(suite: Suite, prompt: PromptVersion, provider: ProviderConfig): JsonObject {
  // A baseline's prompt brings all its parameters: the provider's may have changed since.
  const accepted = prompt.paramsByProvider?.get(provider.id);
  if (accepted !== undefined) return accepted;
  const params = { ...provider.params, ...prompt.params };
  const schema = prompt.contract?.output ?? suite.contract.output;
  if ((prompt.structured ?? provider.structured) !== true || !isJsonObject(schema)) return params;
  // In the form of Chat Completions, which every adapter translates. What the user wrote wins.
  const format = { type: 'json_schema', json_schema: { name: 'answer', schema, strict: isStrictSchema(schema) } };
  return { response_format: format, ...params };
}

function withoutExcerpt(at: SourceLocation): SourceLocation {
  const { file, line, column, excerpt } = at;
  return excerpt === undefined ? at : { file, line, column };
}

/** Gives a case its class and what names that of an answer; undefined where the suite has no classes. */
function createClassesOf({ classes }: Suite): (testCase: Case) => CellClasses | undefined {
  if (classes === undefined) return () => undefined;
  const { found } = classes;
  const by = selectionId(found);
  return ({ truth }) => (truth === undefined ? undefined : { truth, found, by });
}

function classesSuffix(classes: CellClasses | undefined): string {
  return classes === undefined ? '' : `.class:${JSON.stringify([classes.truth, classes.by])}`;
}

/** Settings of a case that its stamp does not cover, and that change what a result means. */
function settingsSuffix({ observe, mustPass, skip, group }: Case, slices: readonly string[] | undefined): string {
  const flags = `${observe ? '.observe' : ''}${mustPass ? '.mustPass' : ''}${skip === undefined ? '' : '.skip'}`;
  const ofSlices = slices === undefined ? '' : `.slices:${JSON.stringify(slices)}`;
  return `${flags}${group === undefined ? '' : `.group:${group}`}${ofSlices}`;
}
