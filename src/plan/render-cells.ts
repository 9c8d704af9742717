import { posix } from 'node:path';
import type { FindAccepted } from '../assertions/define.ts';
import { comparesAccepted, comparesOther } from '../assertions/index.ts';
import { cacheKey } from '../cache/cache-key.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { withoutInherited } from '../json/without-inherited.ts';
import type { Cell, CellClasses } from '../model/run/cell.ts';
import { type Attachment, isSystemRole, type Message } from '../model/run/completion.ts';
import { type RenderedVariant } from '../model/run/plan.ts';
import type { CheckSpec } from '../model/run/verdict.ts';
import type { Endpoint } from '../model/suite/provider.ts';
import { addFiles } from '../model/suite/same-case.ts';
import {
  type Case,
  hasWorkspace,
  type PromptVersion,
  type ProviderConfig,
  renderMessages,
  type Suite,
  slicesOf,
  type Turn,
  type Vars,
} from '../model/suite/suite.ts';
import type { PlacedFile } from '../model/suite/workspace.ts';
import { listOwnFiles } from '../prompts/attached-files.ts';
import { fitSchema } from '../providers/fit-schema.ts';
import { findSchemaMode, schemaModes } from '../providers/schema-modes.ts';
import { selectionId } from '../record/count-classes.ts';
import { withoutUserinfo } from '../text/addresses/store-urls.ts';
import { compareText } from '../text/compare-text.ts';
import { sha256Hex } from '../text/sha256.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';

/** `endpointOf`: the same id in two suites may be configured differently. */
export interface RenderOptions extends DependencyHashOptions {
  /**
   * The attachment for a file, whose path starts from the suite file's folder. Throws a `UserError` if it can't be
   * read.
   */
  readonly describeFile: (suite: Suite, path: string) => Attachment;
  /** The check that a contract's output schema adds to every completion. */
  contractCheck(schema: JsonObject | boolean): CheckSpec;
}

type CellRenderer = (testCase: Case, trials: number, firstTrial?: number) => readonly Cell[];

/** Renders the cells of one variant. Parts that do not depend on the case are computed once. */
export function createRenderer(suite: Suite, variant: RenderedVariant, options: RenderOptions): CellRenderer {
  const { prompt, provider, params } = variant;
  const { adapterVersion, baseUrl, settings, vars: names } = options.endpointOf(provider);
  const contract = compileContract(prompt.contract?.output ?? suite.contract.output, options);
  const hashDependencies = createDependencyHash(suite, options);
  const classesOf = createClassesOf(suite);
  const renderWithFiles = createMessageRenderer(prompt, (path) => options.describeFile(suite, path));
  return function renderCells(testCase, trials, firstTrial = 0) {
    if (!runsOn(testCase, prompt.baselineOf ?? prompt.id, provider.id)) return [];
    const { vars, agent, tags, description, threshold, group, mustPass, observe, skip, at } = testCase;
    const { messages, caseFiles } = renderWithFiles(vars);
    const { turns, promptMessages } = joinFirstTurn(messages, testCase.turns);
    const checks = [...contract.checks, ...testCase.checks];
    const definition = `${testCase.caseHash}${hashDependencies(testCase)}`;
    const caseHash = addFiles(definition, caseFiles);
    const slices = slicesOf(testCase, suite.gate);
    const classes = classesOf(testCase);
    // The request's own hash covers its files.
    const cellHash = `${definition}${settingsSuffix(testCase, slices)}${classesSuffix(classes)}${contract.hash}`;
    const workspace = hasWorkspace(provider) ? mergePlaced(prompt.workspace, testCase.workspace) : undefined;
    const origin = { suite: suite.id, prompt: prompt.id, provider: provider.id, caseId: testCase.id };
    const asked = names === undefined ? undefined : pickVars(vars, names);
    return Array.from({ length: trials }, (_, index) => {
      const trial = firstTrial + index;
      return defined({
        key: { suite: suite.id, prompt: prompt.id, provider: provider.id, caseId: testCase.id, trial },
        request: defined({
          adapter: provider.adapter,
          adapterVersion,
          baseUrl,
          settings,
          model: provider.model,
          messages,
          params,
          vars: asked,
          workspace,
          trial,
          origin,
        }),
        vars,
        turns,
        checks,
        mustPass,
        observe,
        caseHash,
        cellHash,
        at,
        agent,
        promptMessages,
        tags: tags.length > 0 ? tags : undefined,
        description,
        threshold,
        group,
        slices,
        classes,
        skip,
      });
    });
  };
}

/** The check of a contract's output schema, and its part of a cell's hash. */
function compileContract(
  schema: JsonObject | boolean | undefined,
  { contractCheck }: Pick<RenderOptions, 'contractCheck'>,
): { readonly checks: readonly CheckSpec[]; readonly hash: string } {
  if (schema === undefined) return { checks: [], hash: '' };
  return { checks: [contractCheck(schema)], hash: `.${sha256Hex(canonicalJson(schema)).slice(0, 12)}` };
}

/** Renders a prompt with a case's variables. `caseFiles`: the hashes of the files that the case attaches, by path. */
function createMessageRenderer(prompt: PromptVersion, describeFile: (path: string) => Attachment) {
  const ownFiles = new Set(listOwnFiles(prompt));
  return (vars: Vars): { readonly messages: Message[]; readonly caseFiles: ReadonlyMap<string, string> } => {
    const caseFiles = new Map<string, string>();
    const messages = renderMessages(prompt, vars).map(({ role, content, attach }): Message => {
      if (attach.length === 0) return { role, content };
      const attachments = attach.map((path) => {
        const attachment = describeFile(path);
        if (!ownFiles.has(path)) caseFiles.set(posix.normalize(path), attachment.sha256);
        return attachment;
      });
      return { role, content, attachments };
    });
    return { messages, caseFiles };
  };
}

/** Variables that the case lacks are left out. */
function pickVars(vars: Vars, names: readonly string[]): JsonObject {
  const given = names.filter((name) => Object.hasOwn(vars, name));
  return plainNumbers(Object.fromEntries(given.map((name) => [name, vars[name]]))) as JsonObject;
}

/** Lists the files of a workspace, sorted by path. A file of the case replaces a file of the prompt at its path. */
function mergePlaced(
  ofPrompt: readonly PlacedFile[] | undefined,
  ofCase: readonly PlacedFile[] | undefined,
): readonly PlacedFile[] | undefined {
  if (ofPrompt === undefined || ofCase === undefined) return ofPrompt ?? ofCase;
  const byPath = new Map([...ofPrompt, ...ofCase].map((file) => [file.path, file]));
  return [...byPath.values()].sort((one, other) => compareText(one.path, other.path));
}

/** A prompt of system messages alone is asked together with the user's first turn, which is added to its messages. */
function joinFirstTurn(
  messages: Message[],
  turns: readonly Turn[],
): { readonly turns: readonly Turn[]; readonly promptMessages?: number } {
  const [first, ...rest] = turns;
  if (first?.kind !== 'user' || !messages.every(({ role }) => isSystemRole(role))) return { turns };
  const promptMessages = messages.length;
  messages.push({ role: 'user', content: first.content });
  return { turns: [{ kind: 'first', checks: first.checks }, ...rest], promptMessages };
}

/** True unless the case is restricted to other prompt versions or providers. */
export function runsOn(testCase: Case, promptId: string, providerId: string): boolean {
  return (
    (testCase.prompts === undefined || testCase.prompts.includes(promptId)) &&
    (testCase.providers === undefined || testCase.providers.includes(providerId))
  );
}

/**
 * Merges the parameters of a variant. The prompt's parameters override the provider's. Adds the output schema if it is
 * sent.
 */
export function buildParams(suite: Suite, prompt: PromptVersion, provider: ProviderConfig): JsonObject {
  // A baseline's prompt brings all its parameters: the provider's may have changed since.
  const accepted = prompt.paramsByProvider?.get(provider.id);
  if (accepted !== undefined) return accepted;
  const params = renameParams({ ...provider.params, ...prompt.params }, provider.paramNames);
  const contract = findStructuredSchema(suite, prompt, provider);
  if (contract === undefined) return params;
  const mode = findSchemaMode(provider) ?? schemaModes.compatible;
  // Without strict mode, an API with a flag accepts any schema. Other APIs get the parts that they accept.
  const strict = fitSchema(contract, mode.hasFlag ? mode : schemaModes.compatible).refusals.length === 0;
  const schema = mode.hasFlag ? contract : fitSchema(contract, mode).schema;
  // Every adapter translates the form of Chat Completions.
  return { ...params, response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict } } };
}

/** Finds the contract that a variant sends as its response format; undefined if it sends none or the user wrote one. */
export function findStructuredSchema(
  suite: Suite,
  prompt: PromptVersion,
  provider: ProviderConfig,
): JsonObject | undefined {
  const schema = prompt.contract?.output ?? suite.contract.output;
  if ((prompt.structured ?? provider.structured) !== true || !isJsonObject(schema)) return undefined;
  const isWritten = [provider.params, prompt.params].some((params) => Object.hasOwn(params, 'response_format'));
  return isWritten || prompt.paramsByProvider?.has(provider.id) === true ? undefined : schema;
}

function renameParams(params: JsonObject, names: ProviderConfig['paramNames']): JsonObject {
  if (names === undefined) return params;
  const renamed: Record<string, JsonValue> = withoutInherited({});
  for (const [key, value] of Object.entries(params)) {
    const name = Object.hasOwn(names, key) ? names[key] : key;
    // A parameter with the API's own name takes precedence.
    if (name !== null && name !== undefined && (name === key || !Object.hasOwn(params, name))) renamed[name] = value;
  }
  return renamed;
}

/**
 * Creates the function that finds a case's class and the selection of an answer's class; both undefined without
 * classes.
 */
function createClassesOf({ classes }: Suite): (testCase: Case) => CellClasses | undefined {
  if (classes === undefined) return () => undefined;
  const { found } = classes;
  const by = selectionId(found);
  return ({ truth }) => (truth === undefined ? undefined : { truth, found, by });
}

function classesSuffix(classes: CellClasses | undefined): string {
  return classes === undefined ? '' : `.class:${JSON.stringify([classes.truth, classes.by])}`;
}

/** The case's settings that its hash does not cover but that change the meaning of a result. */
function settingsSuffix({ observe, mustPass, skip, group }: Case, slices: readonly string[] | undefined): string {
  const flags = `${observe ? '.observe' : ''}${mustPass ? '.mustPass' : ''}${skip === undefined ? '' : '.skip'}`;
  const ofSlices = slices === undefined ? '' : `.slices:${JSON.stringify(slices)}`;
  return `${flags}${group === undefined ? '' : `.group:${group}`}${ofSlices}`;
}

/** Hash of everything that a cell would run: its first request, its turns and its checks. */
export function hashCell(cell: Cell, findAccepted: FindAccepted): string {
  return `${withAcceptedHash(cell, findAccepted).cellHash}:${cacheKey(cell.request)}`;
}

/** A check that compares with the accepted answer depends on that answer, so the cell's hash includes it. */
export function withAcceptedHash(cell: Cell, findAccepted: FindAccepted): Cell {
  if (!cell.checks.some(comparesAccepted) && !cell.checks.some(comparesOther)) return cell;
  const accepted = sha256Hex(canonicalJson(findAccepted(cell.key) ?? null)).slice(0, 12);
  return { ...cell, cellHash: `${cell.cellHash}.${accepted}` };
}

export interface DependencyHashOptions {
  readonly endpointOf: (provider: ProviderConfig) => Endpoint;
  /** Headers and further options of a provider; undefined if it has none. */
  readonly optionsOf: (provider: ProviderConfig) => JsonObject | undefined;
  /** Hashes the values of variables. */
  readonly hashEnv: (names: readonly string[]) => readonly string[];
}

/**
 * Hashes inputs of a case from outside the suite's files: the configuration of judges and embeddings models that checks
 * ask, and the variables of checks' programs. Empty if there are none.
 */
export function createDependencyHash(
  { askedModels }: Suite,
  { endpointOf, optionsOf, hashEnv }: DependencyHashOptions,
): (testCase: Pick<Case, 'checks' | 'turns'>) => string {
  const describe = (config: ProviderConfig) => {
    const { adapterVersion, baseUrl } = endpointOf(config);
    const address = baseUrl === undefined ? null : withoutUserinfo(baseUrl);
    const options = optionsOf(config);
    const described = [config.adapter, adapterVersion, address, config.model, config.params];
    return options === undefined ? described : [...described, options];
  };
  return ({ checks, turns }) => {
    const models = new Set<string>();
    const envNames: string[] = [];
    const collect = (found: readonly CheckSpec[]): void => {
      for (const { asks, code } of found) {
        if (asks !== undefined) models.add(asks);
        envNames.push(...(code?.envNames ?? []));
      }
      for (const { children } of found) if (children !== undefined) collect(children);
    };
    collect(checks);
    for (const turn of turns) collect(turn.checks);
    if (models.size === 0 && envNames.length === 0) return '';
    const described = askedModels.filter(({ id }) => models.has(id)).map(describe);
    return `.${sha256Hex(JSON.stringify([described, hashEnv(envNames)])).slice(0, 12)}`;
  };
}
