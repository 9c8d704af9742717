// A server that fails in every way, in its own process: node faulty-server.mjs SEED LATENCY_MS HANG_MS
// What becomes of a request depends on its question, the attempt and the seed alone. GET /stats tells what it counted.
import { createServer } from 'node:http';

const [seed, latencyText, hangText] = process.argv.slice(2);
const latencyMs = Number(latencyText);
// As long as the caller waits for an answer; what a hang costs it.
const hangMs = Number(hangText);

/** Shares of all requests; the rest is answered. */
const mix = [
  ['429 with retry-after', 0.03],
  ['429', 0.03],
  ['500', 0.03],
  ['503', 0.02],
  ['529', 0.02],
  ['reset', 0.02],
  ['truncated', 0.02],
  ['broken off', 0.02],
  ['slow', 0.03],
  ['hang', 0.002],
];

const attempts = new Map();
const counts = {};
let serviceMs = 0;
let inFlight = 0;
let mostInFlight = 0;

function random(text) {
  let hash = 2166136261;
  for (const character of `${seed}:${text}`) hash = Math.imul(hash ^ character.codePointAt(0), 16777619) >>> 0;
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d) >>> 0;
  hash ^= hash >>> 12;
  return (Math.imul(hash, 0x297a2d39) >>> 0) / 2 ** 32;
}

function fateOf(question, attempt) {
  let left = random(`${question}:${attempt}`);
  for (const [fate, share] of mix) {
    left -= share;
    if (left < 0) return fate;
  }
  return 'answer';
}

function bodyOf(question) {
  return JSON.stringify({
    id: 'chatcmpl-1',
    model: 'test-model',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: `yes: ${question}` } }],
    usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 },
  });
}

function respond(request, response, question, fate) {
  const json = { 'content-type': 'application/json' };
  const error = (status, type, headers = {}) => {
    response.writeHead(status, { ...json, ...headers });
    response.end(JSON.stringify({ error: { message: `no luck: ${type}`, type } }));
  };
  const body = bodyOf(question);
  switch (fate) {
    case '429 with retry-after':
      return error(429, 'rate_limit_exceeded', { 'retry-after': '1' });
    case '429':
      return error(429, 'rate_limit_exceeded');
    case '500':
      return error(500, 'server_error');
    case '503':
      return error(503, 'service_unavailable');
    case '529':
      return error(529, 'overloaded_error');
    case 'reset':
      return request.socket.resetAndDestroy();
    case 'truncated':
      response.writeHead(200, { ...json, 'content-length': Buffer.byteLength(body) });
      return response.write(body.slice(0, 60), () => request.socket.destroy());
    case 'broken off':
      response.writeHead(200, json);
      return response.end(body.slice(0, 60));
    default:
      response.writeHead(200, json);
      return response.end(body);
  }
}

function timeOf(question, attempt, fate) {
  if (fate === 'hang') return hangMs;
  if (fate === 'slow') return latencyMs * 8;
  if (fate !== 'answer') return 1 + random(`${question}:${attempt}:time`) * 3;
  return latencyMs * (0.5 + random(`${question}:${attempt}:time`));
}

const server = createServer((request, response) => {
  if (request.url === '/stats') {
    response.end(JSON.stringify({ attempts: Object.fromEntries(attempts), counts, serviceMs, mostInFlight }));
    return;
  }
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const question = JSON.parse(Buffer.concat(chunks).toString()).messages.at(-1).content;
    const attempt = (attempts.get(question) ?? 0) + 1;
    attempts.set(question, attempt);
    const fate = fateOf(question, attempt);
    counts[fate] = (counts[fate] ?? 0) + 1;
    const takesMs = timeOf(question, attempt, fate);
    serviceMs += takesMs;
    inFlight += 1;
    mostInFlight = Math.max(mostInFlight, inFlight);
    response.once('close', () => {
      inFlight -= 1;
    });
    if (fate !== 'hang') setTimeout(() => respond(request, response, question, fate), takesMs);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
