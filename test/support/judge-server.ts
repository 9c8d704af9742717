import { type ChatReply, type ChatRequest, type ChatServer, startChatServer } from './chat-server.ts';

/** What a judge was shown, taken out of its frame. */
export interface Shown {
  /** The parts by title: criterion, answer, answer A … */
  readonly parts: Readonly<Record<string, string>>;
  readonly chat: ChatRequest;
  /** How often this judge was asked before. */
  readonly index: number;
}

export interface JudgeServer extends ChatServer {
  readonly judged: readonly Shown[];
}

const judgeModel = 'gpt-4o';

/** A server on which one model answers `Say: WORD` with the word and another is the judge. */
export async function startJudgeServer(
  judge: (shown: Shown) => ChatReply,
  answer: (text: string) => ChatReply | Promise<ChatReply> = (text) => text.replace(/^Say: /, ''),
): Promise<JudgeServer> {
  const judged: Shown[] = [];
  const server = await startChatServer((chat) => {
    if (chat.model !== judgeModel) return answer(chat.text);
    const shown = {
      parts: readParts(chat.messages.find(({ role }) => role === 'user')?.content ?? ''),
      chat,
      index: judged.length,
    };
    judged.push(shown);
    return judge(shown);
  });
  return { ...server, requests: server.requests, judged };
}

/** Believes the mark of the first line alone, as an honest judge does. */
function readParts(text: string): Record<string, string> {
  const mark = /^<<<.+ ([0-9a-f]{32})>>>$/m.exec(text)?.[1] ?? 'none';
  const pattern = new RegExp(`^<<<(.+) ${mark}>>>\\n([\\s\\S]*?)\\n<<<end of \\1 ${mark}>>>$`, 'gm');
  return Object.fromEntries([...text.matchAll(pattern)].map(([, title = '', part = '']) => [title, part]));
}

export function verdict(pass: boolean, reason = 'because'): string {
  return JSON.stringify({ reason, pass });
}
