// A chat server whose answers are known, in its own process: node known-server.mjs LATENCY_MS
// GET /stats tells how often each cell was asked (model and question), and the most requests in flight, of each model too.
import { createServer } from 'node:http';

const latencyMs = Number(process.argv[2]);
const asked = {};
const inFlight = {};
let mostInFlight = 0;
const mostOf = {};

/** Cases that end in 7 are answered wrongly, one model refuses those that end in 99. */
function answerTo(question, model) {
  const word = question.replace(/^Say: /, '');
  if (word.endsWith('99') && model === 'second') return undefined;
  return word.endsWith('7') ? `not ${word}` : word;
}

function bodyOf(answer, model) {
  if (answer === undefined) return JSON.stringify({ error: { message: 'this question is refused' } });
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: answer } }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  });
}

const server = createServer((request, response) => {
  if (request.url === '/stats') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ asked, mostInFlight, mostOf }));
    return;
  }
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { model, messages } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const question = messages.at(-1).content;
    const cell = `${model} ${question.replace(/^Say: /, '')}`;
    asked[cell] = (asked[cell] ?? 0) + 1;
    inFlight[model] = (inFlight[model] ?? 0) + 1;
    mostOf[model] = Math.max(mostOf[model] ?? 0, inFlight[model]);
    mostInFlight = Math.max(
      mostInFlight,
      Object.values(inFlight).reduce((sum, count) => sum + count, 0),
    );
    // A request is over with its answer, or once whoever asked has gone.
    response.on('close', () => {
      inFlight[model] -= 1;
    });
    setTimeout(
      () => {
        const answer = answerTo(question, model);
        response.writeHead(answer === undefined ? 400 : 200, { 'content-type': 'application/json' });
        response.end(bodyOf(answer, model));
      },
      latencyMs * (0.5 + Math.random()),
    );
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
