// A server of chat completions that streams. The answer of each request says how long after it the first text was sent.
import { createServer } from 'node:http';

const [meanMs = '40'] = process.argv.slice(2);
let seed = 1;
const random = () => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
};
const write = (response, delta, more = {}) =>
  response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, ...more }] })}\n\n`);

const server = createServer((request, response) => {
  const receivedAt = performance.now();
  const [firstMs, restMs] = [random(), random()].map((share) => share * 2 * Number(meanMs));
  request.resume();
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    write(response, { role: 'assistant', content: '' });
    setTimeout(() => {
      write(response, { content: `${performance.now() - receivedAt}` });
      setTimeout(() => {
        write(response, { content: ' ms' }, { finish_reason: 'stop' });
        response.end('data: [DONE]\n\n');
      }, restMs);
    }, firstMs);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
