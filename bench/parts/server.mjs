// An OpenAI-compatible server that answers after a fixed delay: node server.mjs DELAY_MS [STEPS]; prints its port.
// With several steps it calls a tool in all but the last answer of a conversation.
import { createServer } from 'node:http';

const delayMs = Number(process.argv[2] ?? 0);
const steps = Number(process.argv[3] ?? 1);
function answer(messages) {
  const step = messages.filter(({ role }) => role === 'assistant').length;
  if (step + 1 < steps) {
    const call = { id: `call_${step}`, type: 'function', function: { name: 'next', arguments: `{"step":${step}}` } };
    return { finish_reason: 'tool_calls', message: { role: 'assistant', content: null, tool_calls: [call] } };
  }
  const { content } = messages.findLast(({ role }) => role === 'user');
  return { finish_reason: 'stop', message: { role: 'assistant', content: `Answer: ${content.length}` } };
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { messages } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const body = Buffer.from(
      JSON.stringify({
        id: 'chatcmpl-bench',
        object: 'chat.completion',
        created: 1,
        model: 'bench-1',
        choices: [
          {
            index: 0,
            ...answer(messages),
          },
        ],
        usage: { prompt_tokens: 40, completion_tokens: 4, total_tokens: 44 },
      }),
    );
    const send = () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    };
    if (delayMs === 0) send();
    else setTimeout(send, delayMs);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
