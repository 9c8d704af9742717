import { Buffer } from 'node:buffer';
import type { ArgumentMatch } from '../json/argument-match.ts';
import type { JsonValue } from '../json/json.ts';
import { findArgumentMismatch } from '../json/match-arguments.ts';
import { parseJson } from '../json/parse-json.ts';
import { type AgentSettings, maxResultBytes, type ToolResult, type ToolStub } from '../model/agent.ts';
import type { ToolCall } from '../model/completion.ts';
import { quote } from '../text/shorten.ts';
import { describeMissingStub } from './missing-stub.ts';

/** What answers the tool calls of one cell. */
export interface ToolSession {
  answer(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome>;
  /** What the tools have changed, once no call is left; undefined where they keep no state. */
  state(): Promise<JsonValue | undefined>;
  close(): Promise<void>;
}

export type ToolOutcome =
  | { readonly kind: 'result'; readonly result: ToolResult }
  /** The call fails its cell. */
  | { readonly kind: 'fails'; readonly reason: string }
  /** The tool itself could not be run: the cell has no verdict. */
  | { readonly kind: 'errored'; readonly message: string };

interface SessionPorts {
  /** Runs a synchronous function; throws where it takes longer than a check may. */
  readonly deadline: <T>(run: () => T) => T;
}

/** Answers the calls of one cell from its stubs. */
export function openToolSession({ stubs }: AgentSettings, ports: SessionPorts): ToolSession {
  return {
    async answer(call) {
      const ofName = stubs.filter(({ name }) => name === call.name);
      // What a real tool would do: the model may try again.
      if (ofName.length > 0 && !ofName.every(isForbidden) && !parseJson(call.rawArguments).ok) {
        return {
          kind: 'result',
          result: { content: `the arguments are not JSON: ${quote(call.rawArguments)}`, isError: true },
        };
      }
      for (const stub of ofName) {
        const mismatch = findMismatch(stub.when, call, ports);
        if (mismatch?.error !== undefined)
          return { kind: 'errored', message: `a stub of ${quote(call.name, 60)}: ${mismatch.error}` };
        if (mismatch === undefined) return answerWith(stub, call);
      }
      return { kind: 'fails', reason: describeMissingStub(call, stubs) };
    },
    state: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
}

function isForbidden({ answer }: ToolStub): boolean {
  return answer.kind === 'never';
}

function findMismatch(when: ArgumentMatch | undefined, { rawArguments }: ToolCall, { deadline }: SessionPorts) {
  if (when === undefined) return undefined;
  return findArgumentMismatch(when, rawArguments, (cheap, run) => (cheap ? run() : deadline(run)));
}

function answerWith({ answer }: ToolStub, call: ToolCall): ToolOutcome {
  switch (answer.kind) {
    case 'returns':
      return boundResult(call, { content: answer.content });
    case 'fails':
      return boundResult(call, { content: answer.message, isError: true });
    case 'never':
      return {
        kind: 'fails',
        reason: `calls ${quote(call.name, 60)}, which it must never call: ${quote(call.rawArguments, 200)}`,
      };
  }
}

/** A result of any size would go beyond what the plan called the most. */
function boundResult({ name }: ToolCall, result: ToolResult): ToolOutcome {
  const bytes = Buffer.byteLength(result.content);
  if (bytes <= maxResultBytes) return { kind: 'result', result };
  const [found, most] = [bytes, maxResultBytes].map((count) => count.toLocaleString('en-US'));
  return { kind: 'fails', reason: `the result of ${quote(name, 60)} has ${found} bytes, and ${most} are the most` };
}
