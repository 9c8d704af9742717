import { isJsonObject, type JsonObject } from '../json/json.ts';
import type { ToolCall } from '../model/completion.ts';
import type { OutgoingMessage } from './outgoing-request.ts';

/** The messages of one side before the other answers. */
export interface TurnGroup {
  readonly isAssistant: boolean;
  readonly parts: readonly OutgoingMessage[];
}

/**
 * The conversation for APIs that know two sides only: without system messages, and with the results of parallel calls in
 * one turn of the user.
 */
export function groupTurns(messages: readonly OutgoingMessage[]): readonly TurnGroup[] {
  const groups: { isAssistant: boolean; parts: OutgoingMessage[] }[] = [];
  for (const message of messages) {
    if (isSystem(message)) continue;
    const isAssistant = message.role === 'assistant';
    const last = groups.at(-1);
    if (last !== undefined && last.isAssistant === isAssistant) last.parts.push(message);
    else groups.push({ isAssistant, parts: [message] });
  }
  return groups;
}

/** The texts of system and developer messages, which such APIs take apart from the conversation. */
export function joinSystem(messages: readonly OutgoingMessage[]): string | undefined {
  const texts = messages.filter(isSystem).map(({ content }) => content);
  return texts.length === 0 ? undefined : texts.join('\n\n');
}

/** Arguments for APIs that take only an object; text that is no object is quoted in one. */
export function argumentsOf({ arguments: parsed, rawArguments }: ToolCall): JsonObject {
  return isJsonObject(parsed) ? parsed : { arguments: rawArguments };
}

function isSystem({ role }: OutgoingMessage): boolean {
  return role === 'system' || role === 'developer';
}
