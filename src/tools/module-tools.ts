import { relative } from 'node:path';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import { maxResultBytes, type ToolsCode } from '../model/agent.ts';
import type { ToolCall } from '../model/completion.ts';
import type { CodeOutcome, ModuleJob } from '../model/own-code.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { quote } from '../text/shorten.ts';
import { refuseArguments, refuseLength, type StateOutcome, type ToolOutcome } from './tool-outcome.ts';

/** The tools of a module, with the state that they keep for one cell. */
export interface ModuleTools {
  answer(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome | UnknownTool>;
  state(signal: AbortSignal): Promise<StateOutcome>;
  close(): void;
}

/** The module has no such tool; `hint` says what to add to it. */
export interface UnknownTool {
  readonly kind: 'unknown';
  readonly hint: string;
}

/** A child of its own that runs jobs of one module, one after the other. */
export interface ModuleChild {
  run(job: ModuleJob): Promise<{ readonly outcome: CodeOutcome; readonly latencyMs?: number }>;
  close(): void;
}

/** How long one call may take, the module's own start included. */
export const toolTimeoutMs = 10_000;
export const toolMemoryMb = 512;

/** The tools of a module that runs in a child. */
export function createModuleTools({ file = '', folder, limits }: ToolsCode, child: ModuleChild): ModuleTools {
  const shown = relative(folder, file);
  const bounds = { timeoutMs: toolTimeoutMs, memoryMb: toolMemoryMb, ...limits };
  const run = (job: Pick<ModuleJob, 'exportName' | 'input' | 'tool' | 'signal'>) =>
    child.run({ file, ...bounds, noun: 'result', maxReturnedBytes: maxResultBytes, ...job });
  return {
    async answer(call, signal) {
      const { name, rawArguments } = call;
      const parsed = parseJson(rawArguments);
      const input = parsed.ok ? { name, args: plainNumbers(parsed.value) } : { name };
      const { outcome, latencyMs } = await run({ exportName: 'tools', input, tool: 'call', signal });
      const said = 'returned' in outcome && isJsonObject(outcome.returned) ? outcome.returned : {};
      const { content, error, bytes, unknown } = said;
      if (typeof content === 'string') return { kind: 'result', result: { content, ...defined({ latencyMs }) } };
      if (typeof error === 'string')
        return { kind: 'result', result: { content: error, isError: true, ...defined({ latencyMs }) } };
      if (typeof bytes === 'number') return refuseLength(call, bytes);
      if (Array.isArray(unknown)) return { kind: 'unknown', hint: describeUnknown(name, shown, unknown) };
      if (said['isKnown'] === true) return { kind: 'result', result: refuseArguments(call) };
      const fault = 'fault' in outcome ? outcome.fault : 'sent no result';
      return { kind: 'errored', message: `tools: ${quote(shown, 100)} ${fault}, called for ${quote(name, 60)}` };
    },
    async state(signal) {
      const { outcome } = await run({ exportName: 'state', input: null, tool: 'state', signal });
      if ('fault' in outcome) return { fault: `tools: ${quote(shown, 100)} ${outcome.fault}, asked for its state` };
      const said = isJsonObject(outcome.returned) ? outcome.returned : {};
      return { state: said['state'] };
    },
    close: () => child.close(),
  };
}

function describeUnknown(name: string, shown: string, known: readonly JsonValue[]): string {
  const names = known.filter((item) => typeof item === 'string').map((item) => quote(item, 60));
  const has = names.length === 0 ? 'no tools' : `only ${names.join(', ')}`;
  return `export ${quote(name, 60)} from ${quote(shown, 100)}, which has ${has}`;
}
