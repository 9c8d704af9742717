/**
 * What it takes to make cases of production calls: OTLP JSON lines of growing size through a heap of 64 MB.
 * Run by `node scripts/run-ts.mjs bench/import-traces.ts [MB …]`. Needs twice the largest size on the disk.
 */
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, print, root } from './parts/measure.ts';

const sizesMb = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 300, 1000];
const heapMb = 64;
const words =
  'order parcel refund billing invoice paid twice late please help week shop account login password error where when arrive broken return money back support team today again still waiting'.split(
    ' ',
  );

await main();

async function main(): Promise<void> {
  print(`OTLP JSON lines, ${heapMb} MB of heap. No two calls are alike, so that each becomes a case of the suite.\n`);
  print('| MB of traces | calls | cases | wall s | MB a second | CPU s | peak MB of the process |');
  print('|---|---|---|---|---|---|---|');
  for (const sizeMb of sizesMb) await measureSize(sizeMb);
}

async function measureSize(sizeMb: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-traces-'));
  try {
    mkdirSync(join(folder, 'evals'));
    writeFileSync(
      join(folder, 'evals/s.eval.yaml'),
      `prompts: [{ id: v1, text: "Which team takes this? {{ ticket }}\\nAnswer with one word." }]
providers: [replay:x]
cases:
  - { id: own, observe: true, vars: { ticket: own } }
  - { file: prod.jsonl }
`,
    );
    const calls = writeTraces(join(folder, 'traces.jsonl'), sizeMb * 1e6);
    const program = [`--max-old-space-size=${heapMb}`, join(root, 'bin/llmcheck.js')];
    const command = ['import', 'otel', 'traces.jsonl', '--prompt', 'v1', '-o', 'evals/prod.jsonl'];
    const usage = await measure([...program, ...command], { cwd: folder });
    const cases = Number(/cases (\d+)/.exec(usage.output)?.[1]);
    if (cases < calls * 0.99) throw new Error(usage.output);
    const seconds = usage.wallMs / 1000;
    print(
      `| ${sizeMb} | ${calls} | ${cases} | ${seconds.toFixed(1)} | ${(sizeMb / seconds).toFixed(1)} ` +
        `| ${(usage.cpuMs / 1000).toFixed(1)} | ${usage.peakMb.toFixed(0)} |`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Calls of some 3 kB, one a line, as the Collector's file exporter writes them. Gives their number. */
function writeTraces(path: string, bytes: number): number {
  const file = openSync(path, 'w');
  let seed = 7;
  const random = (limit: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * limit);
  };
  let written = 0;
  let calls = 0;
  while (written < bytes) {
    let lines = '';
    for (let line = 0; line < 100; line += 1) {
      const text = Array.from({ length: 100 + random(400) }, () => {
        const word = words[random(words.length)] ?? '';
        return random(3) === 0 ? `${word}${random(50)}` : word;
      }).join(' ');
      lines += `${JSON.stringify(callOf(calls, text))}\n`;
      calls += 1;
    }
    written += writeSync(file, lines);
  }
  closeSync(file);
  return calls;
}

function callOf(number: number, text: string): unknown {
  const part = (content: string) => [{ type: 'text', content }];
  const prompt = `Which team takes this? ${text}\nAnswer with one word.`;
  const attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'gpt-4o-mini',
    'gen_ai.input.messages': JSON.stringify([{ role: 'user', parts: part(prompt) }]),
    'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts: part('billing'), finish_reason: 'stop' }]),
  };
  const span = {
    traceId: number.toString(16).padStart(32, '0'),
    spanId: number.toString(16).padStart(16, '0'),
    name: 'chat gpt-4o-mini',
    startTimeUnixNano: '1767225600000000000',
    attributes: Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } })),
  };
  return { resourceSpans: [{ resource: {}, scopeSpans: [{ scope: {}, spans: [span] }] }] };
}
