/**
 * Runs the benches and writes docs/performance.md from what they print; takes about half an hour on a quiet machine.
 * Run by `npm run bench:all`; `npm run bench:all -- overhead peers` runs those alone and keeps the other sections.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';

interface Section {
  readonly title: string;
  /** What is measured, and how to read it. */
  readonly about: string;
  readonly command: readonly string[];
}

const root = resolve(process.cwd());
const page = join(root, 'docs/performance.md');

const sections: Readonly<Record<string, Section>> = {
  overhead: {
    title: 'What llmcheck adds to the calls',
    about:
      'Beside a bare loop that sends the same requests with the fastest client for Node (undici, keep-alive, 50 at once) and writes a line for each answer. Cold, llmcheck renders, sends, checks, caches and records each cell; cached, it sends nothing.',
    command: ['bench/overhead.ts'],
  },
  peers: {
    title: 'Beside promptfoo',
    about:
      'The same cases, server, concurrency and check, on the same Node. Cached is a second run with the cache that each tool has by default. CPU is that of all processes of the tool.',
    command: ['bench/peers.ts'],
  },
  growth: {
    title: 'With the size of a suite',
    about:
      'A JSONL file of so many cases against a server that answers at once. `reports` writes JSON, JUnit and HTML; `baseline` compares with a stored baseline of the same size.',
    command: ['bench/growth.ts'],
  },
  workers: {
    title: 'With workers',
    about:
      'One run over a Redis queue beside one that makes its calls itself. Run, workers, Redis and the server share this one machine, so that what is measured is the cost of the queue, not the gain of more machines.',
    command: ['bench/workers.ts'],
  },
  cache: {
    title: 'A cache of 200,000 answers',
    about: 'Storing, finding and missing an answer, and the commands that look after all of them.',
    command: ['bench/cache-size.ts'],
  },
  compare: {
    title: 'Comparing two stored runs',
    about: '`llmcheck compare` of two records of 100,000 cells each.',
    command: ['bench/compare-records.ts'],
  },
};

await main();

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => sections[name] === undefined);
  if (unknown.length > 0)
    throw new Error(`no such bench: ${unknown.join(', ')}; there are ${Object.keys(sections).join(', ')}`);
  const kept = readSections();
  for (const [name, section] of Object.entries(sections)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    process.stderr.write(`${name}: ${section.command.join(' ')}\n`);
    kept.set(name, await runBench(section.command));
    // Written after each, so that one that fails costs no other.
    writeFileSync(page, renderPage(kept));
  }
}

function readSections(): Map<string, string> {
  const text = readIfThere(page);
  return new Map(
    [...text.matchAll(/<!-- measured: (\w+) -->\n([\s\S]*?)\n<!-- end of \w+ -->/g)].map(([, name = '', body = '']) => [
      name,
      body,
    ]),
  );
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function renderPage(measured: ReadonlyMap<string, string>): string {
  const parts = Object.entries(sections).flatMap(([name, { title, about, command }]) => {
    const body = measured.get(name);
    if (body === undefined) return [];
    return [
      `## ${title}`,
      about,
      `<!-- measured: ${name} -->\n${body}\n<!-- end of ${name} -->`,
      `Measured by \`node scripts/run-ts.mjs ${command.join(' ')}\`.`,
    ];
  });
  return `${[
    '# Performance',
    'Written by `npm run bench:all`: nothing on this page is typed by hand. Seconds are those of one machine; the ratios hold better, since both sides of each were measured in the same minutes.',
    ...parts,
  ].join('\n\n')}\n`;
}

/** What it printed, under a line that says where. */
async function runBench(command: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(root, 'scripts/run-ts.mjs'), ...command], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((resolveCode) => child.once('close', resolveCode));
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}`);
  const [cpu] = cpus();
  const machine = `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  return `${machine}, ${new Date().toISOString().slice(0, 10)}.\n\n${Buffer.concat(chunks).toString('utf8').trim()}`;
}
