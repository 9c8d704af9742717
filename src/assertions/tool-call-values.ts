import { parseJson } from '../json/parse-json.ts';
import type { ToolCall } from '../model/completion.ts';

/** A tool call as a JSON value: arguments that are no JSON stay the text that came. */
export interface ToolCallValue {
  readonly name: string;
  readonly arguments: unknown;
}

export function describeToolCalls(calls: readonly ToolCall[]): readonly ToolCallValue[] {
  return calls.map((call) => ({ name: call.name, arguments: argumentsOf(call) ?? call.rawArguments }));
}

/** The parsed arguments with every digit; undefined where they are no JSON, or nested too deep to be walked. */
export function argumentsOf(call: ToolCall): unknown {
  const parsed = parseJson(call.rawArguments);
  return parsed.ok ? parsed.value : undefined;
}
