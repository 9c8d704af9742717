import type { JsonValue } from '../json/json.ts';
import { maxResultBytes, type ToolResult } from '../model/agent.ts';
import type { ToolCall } from '../model/completion.ts';
import { quote } from '../text/shorten.ts';

/** The state of tools, undefined where they keep none; or why it can't be read. */
export type StateOutcome = { readonly state: JsonValue | undefined } | { readonly fault: string };

export type ToolOutcome =
  | { readonly kind: 'result'; readonly result: ToolResult }
  /** The call fails its cell. */
  | { readonly kind: 'fails'; readonly reason: string }
  /** The tool itself could not be run: the cell has no verdict. */
  | { readonly kind: 'errored'; readonly message: string };

/** What a real tool says to arguments that it can't read. */
export function refuseArguments({ rawArguments }: ToolCall): ToolResult {
  return { content: `the arguments are not JSON: ${quote(rawArguments)}`, isError: true };
}

/** A result of any size would go beyond what the plan called the most. */
export function refuseLength({ name }: ToolCall, bytes: number): ToolOutcome {
  const [found, most] = [bytes, maxResultBytes].map((count) => count.toLocaleString('en-US'));
  return { kind: 'fails', reason: `the result of ${quote(name, 60)} has ${found} bytes, and ${most} are the most` };
}
