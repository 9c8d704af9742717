import { canonicalJson } from '../../json/canonical-json.ts';
import { deepEqual } from '../../json/deep-equal.ts';
import { parseJson } from '../../json/parse-json.ts';
import { defaultMaxSteps } from '../../model/agent.ts';
import { readFunctionTool } from '../../providers/neutral-params.ts';
import { escapeTemplate, isTemplate } from '../../templates/template.ts';
import { findLongNumbers, plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { isMap, mapTexts } from '../draft.ts';
import type { RecordedCall, TurnMessage } from './chat-messages.ts';

type JsonMap = Readonly<Record<string, unknown>>;

/** Request parameters of a row, besides its messages. */
export interface ToolParams {
  /** Fields of these parameters; they are no variables. */
  readonly fields: ReadonlySet<string>;
  /** Undefined if the list of tools is empty. */
  readonly params: JsonMap | undefined;
}

/** Reads the tools of a row with the conversation `chat`; undefined if it has no valid ones. */
export function readToolParams(fields: ReadonlyMap<string, unknown>, chat: string): ToolParams | undefined {
  const place = chat.slice(0, chat.lastIndexOf('.') + 1);
  // Older files use `functions`.
  const name = [`${place}tools`, `${place}functions`].find((one) => fields.has(one));
  const tools = readTools(name === undefined ? undefined : fields.get(name));
  if (name === undefined || tools === undefined) return undefined;
  const settings = ['tool_choice', 'parallel_tool_calls'].filter((key) => fields.has(place + key));
  const params = { tools, ...Object.fromEntries(settings.map((key) => [key, fields.get(place + key)])) };
  return {
    fields: new Set([name, ...settings.map((key) => place + key)]),
    params: tools.length === 0 ? undefined : params,
  };
}

/** Reads a list of tools. Some data sets store it as JSON text. */
function readTools(written: unknown): readonly unknown[] | undefined {
  const parsed = typeof written === 'string' ? parseJson(written) : undefined;
  const tools = parsed?.ok === true ? plainNumbers(parsed.value) : written;
  return Array.isArray(tools) && tools.every((tool) => readFunctionTool(tool) !== undefined) ? tools : undefined;
}

/** The assistant's tool calls, from the first one to the end of the row. */
export interface ToolPath {
  readonly calls: readonly { readonly name: string; readonly args: JsonMap }[];
  /** Number of answers with calls. */
  readonly steps: number;
  /** Results of the calls, as the `tools` of a case; undefined if the row has none. */
  readonly stubs: Readonly<Record<string, readonly Stub[]>> | undefined;
  /** The last answer's text; undefined if the row ends with calls. */
  readonly answer: string | undefined;
  /** True if an answer has both text and calls. */
  readonly hasText: boolean;
}

interface Stub {
  readonly when: JsonMap;
  readonly compare: 'exact';
  readonly templates?: boolean;
  readonly returns: string;
}

/** Why a case can't contain a row's calls. */
interface Unfit {
  readonly refused: string;
  readonly hint: string;
}

/** Reads the calls of messages that start with the first call. */
export function readToolPath(turns: readonly TurnMessage[]): ToolPath | Unfit {
  const stubs = new Map<string, Stub[]>();
  const calls: ToolPath['calls'][number][] = [];
  let open: readonly RecordedCall[] = [];
  for (const [index, { role, calls: made, content, resultOf }] of turns.entries()) {
    const call = open.find(({ id, name }) => (id ?? name) === resultOf);
    if (role === 'tool') {
      if (call === undefined) return unfit.result;
      open = open.filter((one) => one !== call);
      if (!addStub(stubs, call, content)) return unfit.twice;
      continue;
    }
    const isLast = index === turns.length - 1;
    if (role !== 'assistant' || (made.length === 0 && !isLast)) return unfit.more;
    if (open.length > 0) return unfit.open;
    for (const one of made) {
      const args = readArguments(one);
      if (args === undefined) return unfit.args;
      calls.push({ name: one.name, args });
    }
    open = made;
  }
  if (open.length > 0 && stubs.size > 0) return unfit.open;
  const last = turns.at(-1);
  return {
    calls,
    steps: turns.filter(({ calls: made }) => made.length > 0).length,
    stubs: stubs.size === 0 ? undefined : Object.fromEntries(stubs),
    answer: last?.role === 'assistant' && last.calls.length === 0 ? last.content : undefined,
    hasText: turns.some(({ calls: made, content }) => made.length > 0 && content.trim() !== ''),
  };
}

const unfit = {
  result: { refused: 'the result of a tool names no call before it', hint: 'name the id of the call as tool_call_id' },
  twice: {
    refused: 'a tool answers the same call twice, in different ways',
    hint: 'write the case yourself, with a module of tools',
  },
  more: {
    refused: 'messages follow the calls of tools and their results',
    hint: 'end the row with the answer that is to be tested',
  },
  open: {
    refused: 'a call of a tool has no result, and other messages follow or others have one',
    hint: 'add the result, or end the row with the first calls',
  },
  args: {
    refused: 'the arguments of a call are no JSON object, or hold a number of too many digits',
    hint: 'write them as a JSON object, such numbers as texts',
  },
} as const satisfies Readonly<Record<string, Unfit>>;

function readArguments({ arguments: written }: RecordedCall): JsonMap | undefined {
  const args = written === '' ? {} : written;
  return isMap(args) && findLongNumbers(args).length === 0 ? (plainNumbers(args) as JsonMap) : undefined;
}

/** Adds a stub. False if the tool has already answered the same call differently. */
function addStub(stubs: Map<string, Stub[]>, call: RecordedCall, returns: string): boolean {
  const when = readArguments(call) ?? {};
  const own = stubs.get(call.name) ?? [];
  const known = own.find((stub) => deepEqual(stub.when, when));
  if (known !== undefined) return known.returns === returns;
  const isLiteral = isTemplate(returns) || isTemplate(canonicalJson(when));
  const stub = { when, compare: 'exact', ...(isLiteral ? { templates: false } : {}), returns } as const;
  stubs.set(call.name, [...own, stub]);
  return true;
}

/** Step limit of a case; undefined if the default is enough. */
export function limitSteps({ steps }: ToolPath): number | undefined {
  return steps < defaultMaxSteps ? undefined : steps + 1;
}

/** Asserts exactly these calls. Calls of a single answer may have any order. */
export function checkCalls({ calls, steps }: ToolPath): unknown {
  const value = calls.map(({ name, args }) => ({ name, args: mapTexts(args, escapeTemplate) }));
  return { toolCalls: { value, ...(steps === 1 ? { count: value.length } : { order: 'exact' }) } };
}
