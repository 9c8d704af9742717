import { defined } from '../../json/defined.ts';
import { type Draft, isMap, type LeftOut, type Written } from '../draft.ts';
import type { CodeModule } from './code-module.ts';

type Settings = Readonly<Record<string, unknown>>;

export function isCodexAgent(id: string): boolean {
  return /^openai:codex(?:-sdk)?(?::|$)/.test(id);
}

/** Settings of a thread, under the same name without underscores. */
const THREAD = new Set(
  'working_dir additional_directories skip_git_repo_check model sandbox_mode model_reasoning_effort network_access_enabled web_search_mode web_search_enabled approval_policy'.split(
    ' ',
  ),
);
const OTHERS = new Set('base_url codex_path_override cli_env cli_config output_schema'.split(' '));
/** They change how promptfoo watches or repeats a run, and not what is asked. */
const IDLE = new Set(
  'maxRetries enable_streaming deep_tracing thread_pool_size inherit_process_env persist_threads'.split(' '),
);

/** The Codex SDK, which a module asks with the options that promptfoo gives it. */
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
    else if (IDLE.has(key) && !(key === 'persist_threads' && value === true))
      draft.note(part, `"${key}" is left out: it does not affect what is asked`);
    else if (!THREAD.has(key) && !OTHERS.has(key))
      return draft.refuse(part, `"${key}" of Codex has no equivalent here`);
    if (key === 'cli_env' && Object.keys(Object(value)).some((name) => /(?:KEY|TOKEN|SECRET|PASSWORD)$/.test(name)))
      return draft.refuse({ ...part, value: '…' }, '"cli_env" holds a key, which is not carried over');
  }
  const model = /^openai:codex(?:-sdk)?:(.+)$/.exec(id)?.[1];
  const thread = Object.entries({ skip_git_repo_check: false, ...settings, ...defined({ model }) }).flatMap(
    ([key, value]) =>
      THREAD.has(key) && key !== 'working_dir'
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
    files: files.map((path) => code.fromSuite(path) || '.'),
    env: ['OPENAI_API_KEY'],
    limits: { timeout: '10m' },
  };
}
