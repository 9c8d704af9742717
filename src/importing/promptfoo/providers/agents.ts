import { defined } from '../../../json/defined.ts';
import { nameSet } from '../../../text/name-set.ts';
import { type Draft, isMap, LeftOut, type Written } from '../../draft.ts';
import type { CodeModule } from '../code/code-files.ts';

type Settings = Readonly<Record<string, unknown>>;

interface AgentContext {
  readonly draft: Draft;
  readonly label: string | undefined;
  readonly code: CodeModule;
  /** True if checks get everything the agent returns. */
  readonly keepsState: boolean;
}

export function isClaudeAgent(id: string): boolean {
  return /^anthropic:claude-(?:agent-sdk|code)/.test(id);
}

/** Settings that the SDK takes unchanged, under the same name without underscores. */
const unchangedSettings = nameSet(
  'max_turns model fallback_model plan_mode_instructions max_thinking_tokens disallowed_tools plugins skills max_budget_usd additional_directories resume fork_session resume_session_at continue agents output_format include_partial_messages include_hook_events forward_subagent_text tool_config prompt_suggestions agent_progress_summaries settings managed_settings betas thinking effort agent session_id debug debug_file sandbox allow_dangerously_skip_permissions permission_prompt_tool_name executable executable_args extra_args path_to_claude_code_executable setting_sources tools enable_file_checkpointing persist_session task_budget title',
);
/** Settings that change more than their name, and promptfoo's own. */
const convertedSettings = nameSet(
  'working_dir allow_all_tools custom_allowed_tools append_allowed_tools permission_mode strict_mcp_config mcp cache_mcp custom_system_prompt append_system_prompt exclude_dynamic_sections env apiKeyRequired',
);
/** Settings that are functions in a config. */
const codeSettings = nameSet('can_use_tool ask_user_question hooks stderr spawn_claude_code_process on_elicitation');

/** Converts Claude's agent SDK to a module that passes promptfoo's options to it. */
export function convertClaudeAgent(id: string, parts: Written, context: AgentContext): Settings | LeftOut {
  const { draft, label, code, keepsState } = context;
  const config = parts.child('config');
  const settings = isMap(config.value) ? config.value : {};
  const refused = readKeys(config, settings, keepsState, draft);
  if (refused !== undefined) return refused;
  const mcpServers = readServers(config.child('mcp'), draft);
  if (mcpServers instanceof LeftOut) return mcpServers;
  if (mcpServers !== undefined && settings['cache_mcp'] !== true)
    draft.note(config.child('mcp'), 'promptfoo asks an agent with MCP servers each time: run with --cache refresh');
  const options = { ...buildOptions(settings), ...defined({ mcpServers }) };
  const call = `promptfooClaudeAgent(() => import('@anthropic-ai/claude-agent-sdk'), ${JSON.stringify({
    ...defined({ state: keepsState || undefined }),
    options,
  })}, ${code.folderUrl()})`;
  draft.note(parts, 'the agent is asked over the package @anthropic-ai/claude-agent-sdk, which the project must have');
  draft.note(parts, 'the agent sees only the basic variables and those under env, and a call ends after 10 minutes');
  const { apiKeyRequired, env } = settings;
  const isElsewhere = isMap(env) && ['CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX'].some((name) => env[name]);
  const { working_dir: folder, additional_directories: more, plugins, settings: file } = settings;
  const paths = [
    folder,
    more,
    (Array.isArray(plugins) ? plugins : []).map((one: unknown) => Object(one)['path']),
    file,
  ];
  const files = paths.flat().filter((path) => typeof path === 'string' && path !== '') as readonly string[];
  return {
    id: label ?? id,
    use: `module:${code.path}`,
    export: code.add(call, parts.at().line),
    ...defined({
      files: files.length === 0 ? undefined : files.map((path) => code.fromSuite(path)),
      env: apiKeyRequired === false || isElsewhere ? undefined : ['ANTHROPIC_API_KEY'],
    }),
    limits: { timeout: '10m' },
  };
}

/** Refuses settings that a module can't pass to the SDK. Notes settings that promptfoo does not read. */
function readKeys(config: Written, settings: Settings, keepsState: boolean, draft: Draft): LeftOut | undefined {
  const isAll = Boolean(settings['allow_all_tools']);
  const lists = ['custom_allowed_tools', 'append_allowed_tools'].filter((key) => Object.hasOwn(settings, key));
  if (lists.length + (isAll ? 1 : 0) > 1)
    return draft.refuse(config.child(lists[0] ?? ''), 'promptfoo takes one list of allowed tools, or all tools');
  for (const key of Object.keys(settings)) {
    const part = config.child(key);
    if (key === 'apiKey') {
      draft.note({ ...part, value: '…' }, '"apiKey" is left out: set ANTHROPIC_API_KEY where llmcheck runs');
      continue;
    }
    if (codeSettings.has(key)) return draft.refuse(part, `"${key}" of an agent is code, which has no equivalent here`);
    if (key === 'output_format' && !keepsState)
      return draft.refuse(part, '"output_format" of an agent beside a model has no equivalent here');
    if (key === 'env' && Object.keys(Object(part.value)).some((name) => /(?:KEY|TOKEN|SECRET|PASSWORD)$/.test(name)))
      return draft.refuse({ ...part, value: '…' }, '"env" of an agent holds a key, which is not carried over');
    if (!unchangedSettings.has(key) && !convertedSettings.has(key))
      draft.note(part, `"${key}" is left out: promptfoo does not read it`);
  }
  const { working_dir: folder } = settings;
  if (typeof folder === 'string' && /^[/~]|^[a-z]:/i.test(folder))
    return draft.refuse(config.child('working_dir'), 'the folder of an agent must be one of the project');
  const { permission_mode: mode, allow_dangerously_skip_permissions: skips } = settings;
  return mode === 'bypassPermissions' && skips !== true
    ? draft.refuse(config.child('permission_mode'), 'promptfoo asks for allow_dangerously_skip_permissions beside it')
    : undefined;
}

const readOnlyTools = ['Glob', 'Grep', 'LS', 'Read'];

function buildOptions(settings: Settings): Settings {
  const taken = Object.entries(settings).flatMap(([key, value]) =>
    unchangedSettings.has(key) && value !== null
      ? [[key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]]
      : [],
  );
  const { working_dir: folder, custom_allowed_tools: custom, append_allowed_tools: more } = settings;
  const { permission_mode: mode, strict_mcp_config: isStrict = true, env } = settings;
  const { custom_system_prompt: prompt, append_system_prompt: append, exclude_dynamic_sections: excludes } = settings;
  const preset = { type: 'preset', preset: 'claude_code', ...defined({ append }) };
  const usual = folder ? readOnlyTools : [];
  const tools = Object.hasOwn(settings, 'custom_allowed_tools') ? (custom ?? []) : [...usual, ...((more as []) ?? [])];
  return {
    ...(Object.fromEntries(taken) as Settings),
    ...defined({
      cwd: folder || undefined,
      permissionMode: mode === 'manual' ? 'default' : mode,
      env,
    }),
    strictMcpConfig: isStrict,
    systemPrompt: prompt || { ...preset, ...defined({ excludeDynamicSections: excludes ? true : undefined }) },
    ...defined({
      allowedTools: settings['allow_all_tools'] ? undefined : [...new Set(tools as readonly string[])].toSorted(),
    }),
  };
}

/** Reads tool servers by name, in the SDK's form. */
function readServers(mcp: Written, draft: Draft): Settings | LeftOut | undefined {
  if (mcp.value === undefined) return undefined;
  const servers: Record<string, unknown> = {};
  for (const item of [...mcp.child('servers').items(), mcp.child('server')]) {
    if (!isMap(item.value)) continue;
    const { name, url, command, args, path, headers = {}, auth } = item.value;
    const id = [name, url, command].find((one) => typeof one === 'string') ?? 'default';
    const isSecret =
      auth !== undefined || Object.keys(Object(headers)).some((key) => /auth|key|token|cookie/i.test(key));
    if (isSecret)
      return draft.refuse({ ...item, value: id }, `the credentials of the MCP server ${id} are not carried over`);
    if (typeof url === 'string' && url !== '') servers[id] = { type: 'http', url, headers };
    else if (command && args) servers[id] = { type: 'stdio', command, args };
    else if (typeof path === 'string')
      servers[id] = { type: 'stdio', command: path.endsWith('.py') ? 'python3' : 'node', args: [path] };
    else return draft.refuse(item, `the MCP server ${id} has no equivalent here`);
  }
  return servers;
}

export function isCodexAgent(id: string): boolean {
  return /^openai:codex(?:-sdk)?(?::|$)/.test(id);
}

/** Thread settings, under the same name without underscores. */
const threadSettings = nameSet(
  'working_dir additional_directories skip_git_repo_check model sandbox_mode model_reasoning_effort network_access_enabled web_search_mode web_search_enabled approval_policy',
);
const otherCodexSettings = nameSet('base_url codex_path_override cli_env cli_config output_schema');
/** Settings of promptfoo's monitoring and repetition, which do not change requests. */
const idleSettings = nameSet(
  'maxRetries enable_streaming deep_tracing thread_pool_size inherit_process_env persist_threads',
);

/** Converts the Codex SDK to a module that passes promptfoo's options to it. */
export function convertCodexAgent(
  id: string,
  parts: Written,
  { draft, label, code }: { readonly draft: Draft; readonly label: string | undefined; readonly code: CodeModule },
): Settings | LeftOut {
  const config = parts.child('config');
  const settings = isMap(config.value) ? config.value : {};
  for (const [key, value] of Object.entries(settings)) {
    const part = config.child(key);
    if (key === 'apiKey')
      draft.note({ ...part, value: '…' }, '"apiKey" is left out: set OPENAI_API_KEY where llmcheck runs');
    else if (idleSettings.has(key) && !(key === 'persist_threads' && value === true))
      draft.note(part, `"${key}" is left out: it does not affect what is asked`);
    else if (!threadSettings.has(key) && !otherCodexSettings.has(key))
      return draft.refuse(part, `"${key}" of Codex has no equivalent here`);
    if (key === 'cli_env' && Object.keys(Object(value)).some((name) => /(?:KEY|TOKEN|SECRET|PASSWORD)$/.test(name)))
      return draft.refuse({ ...part, value: '…' }, '"cli_env" holds a key, which is not carried over');
  }
  const model = /^openai:codex(?:-sdk)?:(.+)$/.exec(id)?.[1];
  const thread = Object.entries({ skip_git_repo_check: false, ...settings, ...defined({ model }) }).flatMap(
    ([key, value]) =>
      threadSettings.has(key) && key !== 'working_dir'
        ? [[key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]]
        : [],
  );
  const { working_dir: folder = '.', additional_directories: more = [], output_schema: outputSchema } = settings;
  const { base_url: baseUrl, codex_path_override: codexPathOverride, cli_env: env, cli_config: cli } = settings;
  const options = {
    codex: defined({ baseUrl, codexPathOverride, env, config: cli }),
    thread: { workingDirectory: folder, ...(Object.fromEntries(thread) as Settings) },
    turn: defined({ outputSchema }),
  };
  const call = `promptfooCodex(() => import('@openai/codex-sdk'), ${JSON.stringify(options)}, ${code.folderUrl()})`;
  draft.note(parts, 'the agent is asked over the package @openai/codex-sdk, which the project must have');
  draft.note(
    parts,
    'without OPENAI_API_KEY under env, the agent uses the login of Codex; a call ends after 10 minutes',
  );
  const files = [folder, more].flat().filter((path) => typeof path === 'string');
  return {
    id: label ?? id,
    use: `module:${code.path}`,
    export: code.add(call, parts.at().line),
    files: files.map((path) => code.fromSuite(path)),
    env: ['OPENAI_API_KEY'],
    limits: { timeout: '10m' },
  };
}
