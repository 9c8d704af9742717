/** Agents that promptfoo asks through an SDK of their vendor. The project installs the SDK. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { env } from 'node:process';
import { defined } from '../json/defined.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What promptfoo reads of an agent's run, and the run itself. */
interface AgentResponse extends Fields {
  readonly messages: readonly unknown[];
}

/** Asks Claude's agent SDK as promptfoo does: in a folder of the project, or in an empty one that is removed. */
export async function askClaudeAgent(
  load: () => Promise<unknown>,
  options: Fields,
  prompt: string,
): Promise<AgentResponse> {
  const query = await loadQuery(load);
  const { cwd: folder } = options;
  const cwd = typeof folder === 'string' ? folder : await mkdtemp(join(tmpdir(), 'llmcheck-agent-'));
  try {
    const asked = { ...resolvePaths(options), cwd: resolve(cwd), env: { ...env, ...(options['env'] as object) } };
    const messages: Fields[] = [];
    for await (const message of query({ prompt, options: asked })) messages.push(message);
    return { ...readRun(messages), messages };
  } finally {
    if (cwd !== folder) await rm(cwd, { recursive: true, force: true });
  }
}

type Query = (call: { readonly prompt: string; readonly options: object }) => AsyncIterable<Fields>;

async function loadQuery(load: () => Promise<unknown>): Promise<Query> {
  return (await loadExport(load, '@anthropic-ai/claude-agent-sdk', 'query')) as Query;
}

async function loadExport(load: () => Promise<unknown>, sdk: string, name: string): Promise<unknown> {
  let found: unknown;
  try {
    found = await load();
  } catch (error) {
    throw new Error(`${sdk} can't be loaded; install it with: npm install ${sdk}`, { cause: error });
  }
  const member = (Object(found) as Fields)[name];
  if (typeof member !== 'function') throw new Error(`${sdk} has no ${name}; update it with: npm install ${sdk}@latest`);
  return member;
}

/** What promptfoo gives the Codex SDK: for the agent, for its thread and for the turn. */
export interface CodexOptions {
  readonly codex?: Fields;
  readonly thread: Fields;
  readonly turn?: Fields;
}

type CodexClass = new (
  options: object,
) => {
  startThread(options: object): {
    runStreamed(prompt: string, options: object): Promise<{ readonly events: AsyncIterable<unknown> }>;
  };
};

/** Asks the Codex SDK as promptfoo does, in a thread of its own. The events are a transcript of Codex. */
export async function askCodex(
  load: () => Promise<unknown>,
  { codex = {}, thread, turn = {} }: CodexOptions,
  prompt: string,
): Promise<readonly unknown[]> {
  const Codex = (await loadExport(load, '@openai/codex-sdk', 'Codex')) as CodexClass;
  const apiKey = env['OPENAI_API_KEY'] ?? env['CODEX_API_KEY'];
  const agent = new Codex({
    ...codex,
    env: { ...env, ...(codex['env'] as object) },
    ...defined({ apiKey }),
  });
  const { events } = await agent.startThread(resolvePaths(thread)).runStreamed(prompt, turn);
  const messages: unknown[] = [];
  for await (const event of events) messages.push(event);
  return messages;
}

/** Paths start in the folder of the config, which is the working folder, and not in that of the agent. */
function resolvePaths(options: Fields): Fields {
  const found = Object.entries(options).map(([key, value]) => {
    if (typeof value === 'string' && /^(?:settings|debugFile|pathToClaudeCodeExecutable|workingDirectory)$/.test(key))
      return [key, resolve(value)];
    if (key === 'additionalDirectories') return [key, (value as readonly string[]).map((path) => resolve(path))];
    if (key === 'plugins')
      return [key, (value as readonly { path: string }[]).map((one) => ({ ...one, path: resolve(one.path) }))];
    return [key, value];
  });
  return Object.fromEntries(found) as Fields;
}

/** The last result that is the agent's own, and not that of a task in the background. */
function readRun(messages: readonly Fields[]): Fields {
  const results = messages.filter(({ type }) => type === 'result');
  const isOwn = ({ origin }: Fields) => (Object(origin) as Fields)['kind'] !== 'task-notification';
  const end = results.findLast(isOwn) ?? results.at(-1);
  if (end === undefined) return {};
  const toolCalls = readToolCalls(messages);
  const { input_tokens: prompt, output_tokens: completion } = Object(end['usage']) as Fields;
  return {
    ...defined({ output: end['subtype'] === 'success' ? (end['structured_output'] ?? end['result']) : undefined }),
    tokenUsage: {
      prompt,
      completion,
      ...defined({ total: prompt && completion ? Number(prompt) + Number(completion) : undefined }),
    },
    cost: end['total_cost_usd'] ?? 0,
    sessionId: end['session_id'],
    metadata: {
      skillCalls: toolCalls.flatMap(readSkillCall),
      toolCalls,
      numTurns: end['num_turns'],
      durationMs: end['duration_ms'],
      durationApiMs: end['duration_api_ms'],
      modelUsage: end['modelUsage'],
      permissionDenials: end['permission_denials'],
      terminalReason: end['terminal_reason'],
      structuredOutput: end['structured_output'],
    },
  };
}

interface ToolCall extends Fields {
  readonly name: unknown;
  readonly input: unknown;
  readonly is_error: boolean;
}

function readToolCalls(messages: readonly Fields[]): readonly ToolCall[] {
  const parts = messages.flatMap(({ type, message, parent_tool_use_id: parentToolUseId }) => {
    const { content } = Object(message) as { readonly content?: unknown };
    const blocks = Array.isArray(content) ? (content as readonly Fields[]) : [];
    return blocks.map((block) => ({ type, parentToolUseId, block }));
  });
  const results = new Map(
    parts.flatMap(({ type, block }) =>
      type === 'user' && block['type'] === 'tool_result' ? [[block['tool_use_id'], block]] : [],
    ),
  );
  return parts.flatMap(({ type, parentToolUseId, block: { type: kind, id, name, input } }) => {
    if (type !== 'assistant' || kind !== 'tool_use') return [];
    const { content: output, is_error: isError } = results.get(id) ?? {};
    return [{ id, name, input, output, is_error: isError === true, parentToolUseId }];
  });
}

function readSkillCall({ name, input, is_error: isError }: ToolCall): readonly Fields[] {
  const { skill } = Object(input) as { readonly skill?: unknown };
  if (name !== 'Skill' || typeof skill !== 'string' || skill.trim() === '') return [];
  return [{ name: skill.trim(), input, is_error: isError, source: 'tool' }];
}
