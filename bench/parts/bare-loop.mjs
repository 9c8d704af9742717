// What the same requests cost without llmcheck: node bare-loop.mjs URL CASES.jsonl OUT.jsonl CONCURRENCY
import { createWriteStream, readFileSync } from 'node:fs';
import { Pool } from 'undici';

const [url, casesFile, outFile, concurrency] = process.argv.slice(2);
const cases = readFileSync(casesFile, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const { origin } = new URL(url);
const pool = new Pool(origin, { connections: Number(concurrency) });
const out = createWriteStream(outFile);
let next = 0;
await Promise.all(
  Array.from({ length: Number(concurrency) }, async () => {
    for (let index = next++; index < cases.length; index = next++) {
      const { vars } = cases[index];
      const body = JSON.stringify({
        model: 'bench-1',
        temperature: 0,
        messages: [{ role: 'user', content: `How long is this text?\n${vars.text}` }],
      });
      const response = await pool.request({
        path: '/v1/chat/completions',
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer bench-key-000' },
        body,
      });
      const answer = await response.body.json();
      out.write(`${JSON.stringify({ index, text: answer.choices[0].message.content, usage: answer.usage })}\n`);
    }
  }),
);
await pool.close();
out.end();
