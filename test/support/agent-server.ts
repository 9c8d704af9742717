import { type ChatReply, type ChatRequest, type ChatServer, completionOf, startChatServer } from './chat-server.ts';

/** A call of a tool: its name and arguments; a text stands for arguments that are no JSON. */
export type ScriptedCall = readonly [name: string, args: object | string];

/** What the model says in one step: calls of tools, or a text that ends the loop. */
export type ScriptedStep = string | readonly ScriptedCall[];

/** A model that takes given steps: the next one after each answer of its own that it is sent. */
export function startAgentServer(
  steps: readonly ScriptedStep[] | ((chat: ChatRequest) => ScriptedStep),
): Promise<ChatServer> {
  return startChatServer((chat): ChatReply => {
    const done = chat.messages.filter(({ role }) => role === 'assistant').length;
    const step = typeof steps === 'function' ? steps(chat) : (steps[done] ?? 'I have nothing to add.');
    if (typeof step === 'string') return step;
    return {
      body: completionOf('', chat.model, {
        content: null,
        tool_calls: step.map((call, at) => writeCall(call, done, at)),
      }),
    };
  });
}

function writeCall([name, args]: ScriptedCall, step: number, at: number): object {
  const text = typeof args === 'string' ? args : JSON.stringify(args);
  return { id: `call_${step}_${at}`, type: 'function', function: { name, arguments: text } };
}
