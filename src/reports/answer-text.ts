import type { ToolCall } from '../model/completion.ts';

/** An answer as people read it: its text, then a line a tool call; undefined where nothing was kept or nothing came. */
export function answerText(answer: {
  readonly output?: string;
  readonly toolCalls?: readonly ToolCall[];
}): string | undefined {
  const { output, toolCalls = [] } = answer;
  const calls = toolCalls.map(({ name, rawArguments }) => `${name}(${rawArguments})`);
  if (output === undefined && calls.length === 0) return undefined;
  return [...(output === undefined || (output === '' && calls.length > 0) ? [] : [output]), ...calls].join('\n');
}
