import { defined } from '../../json/defined.ts';
import type { JsonObject, JsonValue } from '../../json/json.ts';
import type { SourceLocation } from '../problem.ts';
import type { Role } from '../run/completion.ts';
import type { SharedCacheConfig } from '../run/shared-cache.ts';
import type { CheckSpec } from '../run/verdict.ts';
import type { AgentSettings, UsedSnapshot } from './agent.ts';
import type { ClassPolicy } from './classes.ts';
import type { GatePolicy } from './gate-policy.ts';
import type { ProviderLimits } from './limits.ts';
import type { LoadedPlugin, ProviderPlugin } from './own-code.ts';
import type { Contract, EmptySelection, Price, TemplateLanguage, WrittenMessage } from './recorded-settings.ts';
import type { Sources } from './sources.ts';
import type { PlacedFile } from './workspace.ts';

/** A template compiled once. `render` throws a `TemplateError` (templates/template.ts) for a variable that is missing. */
export interface Template {
  readonly source: string;
  /** Paths that the template reads, such as `email` or `order.id`. */
  readonly variables: readonly string[];
  /** Set if it is not Liquid. */
  readonly language?: TemplateLanguage;
  render(vars: Vars): string;
}

/** A case's variables: data, never rendered. A number whose YAML spelling matters is a `SpelledNumber` (lib). */
export type Vars = Readonly<Record<string, unknown>>;

export interface PromptMessage {
  readonly role: Role;
  readonly template: Template;
  /** Paths of attached files, from the suite file's folder. */
  readonly attach?: readonly Template[];
}

export function writeMessage({ role, template, attach }: PromptMessage): WrittenMessage {
  return {
    role,
    content: template.source,
    ...defined({ attach: attach?.map(({ source }) => source), language: template.language }),
  };
}

/** A message as it is sent, without the content of its files. */
export interface RenderedMessage {
  readonly role: Role;
  readonly content: string;
  /** Paths of attached files, from the suite file's folder. */
  readonly attach: readonly string[];
}

/** The messages of a prompt for one case; throws a `TemplateError` (templates/template-error.ts). */
export function renderMessages({ messages, expand }: PromptVersion, vars: Vars): readonly RenderedMessage[] {
  if (expand !== undefined) return expand(vars);
  return messages.map(({ role, template, attach = [] }) => ({
    role,
    content: template.render(vars),
    attach: attach.map((path) => path.render(vars)),
  }));
}

/** One revision of a prompt. */
export interface PromptVersion {
  readonly id: string;
  readonly messages: readonly PromptMessage[];
  /**
   * Set if one template makes all messages. Their number may differ by case; `messages` then has the template's parts.
   */
  readonly expand?: (vars: Vars) => readonly RenderedMessage[];
  /** Restricts the version to these providers: a prompt file that names its model runs on no other prompt's. */
  readonly providers?: readonly string[];
  /** Files that are added to the workspace. */
  readonly workspace?: readonly PlacedFile[];
  /** Files that its messages attach in every case, with the paths as written in the suite. */
  readonly attached?: readonly Pick<PlacedFile, 'path' | 'sha256'>[];
  readonly replaces?: string;
  /** Set on a baseline's own prompt that runs again beside this version; it is shown and never gated. */
  readonly baselineOf?: string;
  /** The parameters that a baseline's prompt was accepted with, by provider. They replace all others. */
  readonly paramsByProvider?: ReadonlyMap<string, JsonObject>;
  /** Providers with the settings that a baseline's prompt was accepted with, by id; null for one that can't be restored. */
  readonly acceptedProviders?: ReadonlyMap<string, ProviderConfig | null>;
  /** Takes precedence over the provider's parameters. */
  readonly params: JsonObject;
  /** Snapshots that the tools among its parameters come from. */
  readonly snapshots?: readonly UsedSnapshot[];
  /** True: sends the output schema in the API's own schema mode. Takes precedence over the provider's setting. */
  readonly structured?: boolean;
  readonly contract?: Contract;
  /** The file it came from, relative to the project root. */
  readonly file?: string;
  readonly at?: SourceLocation;
  /** Locates a line of a message in its file. If one template makes all messages, lines count from its start. */
  readonly locateLine?: (message: number, line: number) => SourceLocation;
}

/** A configured endpoint, before it is connected. Holds names of variables, never a key. */
export interface ProviderConfig {
  readonly id: string;
  readonly adapter: string;
  readonly model: string;
  readonly baseUrl?: string;
  readonly apiKeyEnv?: string;
  readonly params: JsonObject;
  /** True: output schemas are sent as the API's own schema mode. */
  readonly structured?: boolean;
  /** Answers are streamed, and the time to their first token is measured. */
  readonly stream?: true;
  /** A literal, or the name of a variable. */
  readonly headers: Readonly<Record<string, string | { readonly env: string }>>;
  readonly price?: Price;
  readonly limits: ProviderLimits;
  /** The provider that it stands in for. */
  readonly replaces?: string;
  /** The id under which its price may be listed, if it is asked in place of another provider. */
  readonly pricedAs?: string;
  /**
   * For a candidate of `--swap`: its API's names for another provider's parameters; null if it has no such parameter.
   */
  readonly paramNames?: Readonly<Record<string, string | null>>;
  /** Snapshots that the tools among its parameters come from. */
  readonly snapshots?: readonly UsedSnapshot[];
  /** Further keys that the adapter itself understands, such as `api: responses`. */
  readonly options: JsonObject;
  /** The folder that relative paths in `options` and commands start from. */
  readonly folder: string;
  readonly at?: SourceLocation;
  /** The plug-in that its adapter comes from. */
  readonly plugin?: LoadedPlugin<ProviderPlugin>;
  /** Only for a judge. */
  readonly judging?: JudgingTerms;
}

/** The requirements of a suite on a judge. */
interface JudgingTerms {
  /** The least lower bound of Cohen's kappa against the labels. Below it, the judge's verdicts do not decide. */
  readonly minKappa?: number;
  /** Absolute path of the labelled answers for measuring the judge. */
  readonly labels?: string;
  /** The user allows that the judge is a model under test. */
  readonly sameModel?: true;
}

/** One question to a judge about answers, independent of the case. Judges are validated on criteria. */
export interface Criterion {
  readonly judge: ProviderConfig;
  /** The assertion's name. */
  readonly assertion: string;
  /** The user's own name for the check. */
  readonly name?: string;
  /** Hash of judge, assertion and parameters before they are rendered; a measurement holds for one hash. */
  readonly criterionHash: string;
  readonly at: SourceLocation;
}

/** An answer that a person has judged. */
export interface LabelledAnswer {
  readonly id: string;
  readonly criterion: Criterion;
  readonly check: CheckSpec;
  readonly vars: Vars;
  readonly answer: string;
  /** The second answer, if two answers are compared. */
  readonly other?: string;
  readonly label: 'pass' | 'fail' | 'tie';
  /**
   * The group of stored answers that `judge label` drew it from, and the size of that group. Groups have numbers, so
   * that the file of labels does not reveal a verdict.
   */
  readonly drawn?: { readonly stratum: number; readonly of: number };
  readonly at: SourceLocation;
}

/** The version's contract wins key by key; approvals and other lists of both hold. */
export function mergeContracts(general: Contract, own: Contract = {}): Contract {
  const merged: Contract = { ...general, ...own };
  const join = <T>(key: 'approved' | 'overrides' | 'ignore' | 'removed', a: readonly T[] = [], b: readonly T[] = []) =>
    a.length + b.length === 0 ? {} : { [key]: [...a, ...b.filter((item) => !a.includes(item))] };
  return {
    ...merged,
    ...join('approved', general.approved, own.approved),
    ...join('overrides', general.overrides, own.overrides),
    ...join('ignore', general.ignore, own.ignore),
    ...join('removed', general.removed, own.removed),
  };
}

/** A step after the prompt's own messages. */
export type Turn =
  | { readonly kind: 'user'; readonly content: string; readonly checks: readonly CheckSpec[] }
  | {
      readonly kind: 'toolResult';
      readonly name: string;
      readonly content: string;
      /** The checks of the answer to the results that are sent together. */
      readonly checks: readonly CheckSpec[];
    }
  /** The first turn alone: checks on the answer to the prompt itself. */
  | { readonly kind: 'first'; readonly checks: readonly CheckSpec[] };

/** A golden case with everything rendered and checked. */
export interface Case {
  readonly id: string;
  readonly vars: Vars;
  readonly expected?: unknown;
  readonly checks: readonly CheckSpec[];
  readonly tags: readonly string[];
  readonly trials: number;
  /** The common source of several cases, which are not independent evidence. Not part of the case hash. */
  readonly group?: string;
  /** The true class of the case; absent if the suite has no classes, and under `observe`. Not part of the case hash. */
  readonly truth?: string;
  /** Weighted mean score to reach; undefined: every check with weight > 0 must pass. */
  readonly threshold?: number;
  readonly mustPass: boolean;
  readonly observe: boolean;
  /** The suite's own reason not to run it. */
  readonly skip?: string;
  readonly turns: readonly Turn[];
  /** Set if the case answers the model's tool calls. */
  readonly agent?: AgentSettings;
  /** Restricts the case to these prompt ids. */
  readonly prompts?: readonly string[];
  readonly providers?: readonly string[];
  /** Files that are added to the workspace, beside the prompt's files. */
  readonly workspace?: readonly PlacedFile[];
  readonly description?: string;
  /**
   * Hash of vars, turns, assertions, threshold and judges as written in the suite's files. The cell hash adds
   * everything from outside these files.
   */
  readonly caseHash: string;
  /** The place without an excerpt. */
  readonly at: SourceLocation;
}

/** The gated slices of a case; undefined if it is in none. */
export function slicesOf({ tags }: Pick<Case, 'tags'>, { slices }: GatePolicy): readonly string[] | undefined {
  if (slices === undefined) return undefined;
  const own = [...new Set(tags)].filter((tag) => Object.hasOwn(slices, tag));
  return own.length === 0 ? undefined : own.sort();
}

export interface Suite {
  readonly id: string;
  readonly description?: string;
  /** The suite file, relative to the project root, with forward slashes. */
  readonly path: string;
  readonly prompts: readonly PromptVersion[];
  readonly providers: readonly ProviderConfig[];
  readonly judges: readonly ProviderConfig[];
  /** The judges and embeddings models that some check calls. */
  readonly askedModels: readonly ProviderConfig[];
  /** The questions to the judges, each once. */
  readonly criteria: readonly Criterion[];
  readonly labels: readonly LabelledAnswer[];
  readonly contract: Contract;
  /** Locates a part of a prompt's contract by its pointer in findings. Reads the files again on demand. */
  readonly locateContract?: (prompt: string, pointer: string) => Promise<SourceLocation | undefined>;
  readonly gate: GatePolicy;
  /** Absent if the suite classifies nothing. */
  readonly classes?: ClassPolicy;
  /** Absolute path of the recordings file, which answers in place of providers. */
  readonly recordings?: string;
  readonly baseline: { readonly outputs: 'full' | 'hash' };
  readonly sources: Sources;
  /** The tool lists of servers that its prompts and providers use, each file once. */
  readonly snapshots?: readonly UsedSnapshot[];
  readonly caseCount: number;
  /** Case files without a case, and the suite itself if it has none. */
  readonly emptySelections?: readonly EmptySelection[];
  /** The cases in file order, built on demand. It can be iterated more than once. */
  cases(): Iterable<Case>;
}

/** True for a program that works on a copy of a folder. */
export function hasWorkspace({ adapter, options }: Pick<ProviderConfig, 'adapter' | 'options'>): boolean {
  return adapter === 'exec' && Object.hasOwn(options, 'workspace');
}

/** The providers that a version runs on. */
export function providersOf({ providers }: Pick<Suite, 'providers'>, prompt: PromptVersion): readonly ProviderConfig[] {
  const { providers: only, acceptedProviders } = prompt;
  if (acceptedProviders !== undefined) {
    return providers.flatMap((provider) => {
      const accepted = acceptedProviders.get(provider.id);
      return accepted === null ? [] : [accepted ?? provider];
    });
  }
  return only === undefined ? providers : providers.filter(({ id }) => only.includes(id));
}

export interface RunDefaults {
  readonly [flag: string]: JsonValue;
}

/** A project as loaded: every suite that was found, valid as a whole. */
export interface Project {
  /** Absolute. */
  readonly root: string;
  readonly configPath?: string;
  /** The config, the files that it names, and the places searched for suites. */
  readonly sources: Sources;
  readonly suites: readonly Suite[];
  /** Paths and patterns that no suite was found under. */
  readonly emptySelections?: readonly EmptySelection[];
  readonly prices: Readonly<Record<string, Price>>;
  /** Flags' defaults from the config's `run:`. */
  readonly run: RunDefaults;
  readonly cache: SharedCacheConfig | undefined;
}

export function caseLabel(suiteId: string, caseId: string): string {
  return `${suiteId}/${caseId}`;
}

/** True if the project contains a part of the provider: its code, or the template of its requests. */
export function isOwnCode({ adapter, plugin }: ProviderConfig): boolean {
  return plugin !== undefined || adapter === 'exec' || adapter === 'http' || adapter === 'module';
}
