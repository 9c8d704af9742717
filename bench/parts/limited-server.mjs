// A server with limits, in its own process: node limited-server.mjs COUNTING RPM CONCURRENCY LATENCY_MS HEADERS(0|1)
// COUNTING is bucket, fixed or sliding. GET /stats tells what it counted.
import { createServer } from 'node:http';

const [counting, rpmText, concurrencyText, latencyText, headersText] = process.argv.slice(2);
const rpm = Number(rpmText);
const concurrency = Number(concurrencyText);
const latencyMs = Number(latencyText);
const tellsLimits = headersText === '1';
const minuteMs = 60_000;

const counters = {
  bucket() {
    let level = rpm;
    let atMs = performance.now();
    const fill = () => {
      const nowMs = performance.now();
      level = Math.min(rpm, level + ((nowMs - atMs) * rpm) / minuteMs);
      atMs = nowMs;
    };
    return {
      take() {
        fill();
        if (level < 1) return ((1 - level) * minuteMs) / rpm;
        level -= 1;
        return 0;
      },
      tell() {
        fill();
        return { remaining: Math.floor(level), resetMs: ((rpm - level) * minuteMs) / rpm };
      },
    };
  },
  fixed() {
    let window = -1;
    let count = 0;
    const move = () => {
      const current = Math.floor(Date.now() / minuteMs);
      if (current !== window) count = 0;
      window = current;
    };
    const leftMs = () => (window + 1) * minuteMs - Date.now();
    return {
      take() {
        move();
        if (count >= rpm) return leftMs();
        count += 1;
        return 0;
      },
      tell() {
        move();
        return { remaining: rpm - count, resetMs: leftMs() };
      },
    };
  },
  sliding() {
    const times = [];
    const forget = () => {
      while (times.length > 0 && times[0] <= performance.now() - minuteMs) times.shift();
    };
    const leftMs = () => (times.length === 0 ? 0 : times[0] + minuteMs - performance.now());
    return {
      take() {
        forget();
        if (times.length >= rpm) return leftMs();
        times.push(performance.now());
        return 0;
      },
      tell() {
        forget();
        return { remaining: rpm - times.length, resetMs: leftMs() };
      },
    };
  },
};

const counter = counters[counting]();
const admitted = [];
const refused = [];
let inFlight = 0;
let mostInFlight = 0;
let startedMs;

function headers() {
  if (!tellsLimits) return {};
  const { remaining, resetMs } = counter.tell();
  return {
    'x-ratelimit-limit-requests': `${rpm}`,
    'x-ratelimit-remaining-requests': `${remaining}`,
    'x-ratelimit-reset-requests': `${(resetMs / 1000).toFixed(3)}s`,
  };
}

function answer(response) {
  response.writeHead(200, { 'content-type': 'application/json', ...headers() });
  response.end(
    JSON.stringify({
      id: 'chatcmpl-1',
      model: 'test-model',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'yes' } }],
      usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 },
    }),
  );
}

function refuse(response, waitMs) {
  const told = tellsLimits ? { ...headers(), 'retry-after': `${Math.ceil(waitMs / 1000)}` } : {};
  response.writeHead(429, { 'content-type': 'application/json', ...told });
  response.end(
    JSON.stringify({ error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } }),
  );
}

const server = createServer((request, response) => {
  if (request.url === '/stats') {
    response.end(JSON.stringify({ admitted, refused, mostInFlight }));
    return;
  }
  request.resume();
  request.on('end', () => {
    startedMs ??= performance.now();
    const atMs = performance.now() - startedMs;
    const waitMs = inFlight >= concurrency ? 1000 : counter.take();
    if (waitMs > 0) {
      refused.push(atMs);
      refuse(response, waitMs);
      return;
    }
    admitted.push(atMs);
    inFlight += 1;
    mostInFlight = Math.max(mostInFlight, inFlight);
    setTimeout(
      () => {
        inFlight -= 1;
        answer(response);
      },
      latencyMs * (0.5 + Math.random()),
    );
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
