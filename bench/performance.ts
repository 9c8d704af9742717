/**
 * Runs the benches and writes docs/performance.md from what they print; takes about two hours on a quiet machine, most of them for `gate`.
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
    title: 'Overhead per call',
    about:
      'The comparison is a bare loop with the fastest client for Node (undici, keep-alive, 50 at once). It sends the same requests and writes a line for each answer. Cold, llmcheck renders, sends, checks, caches and records each cell. Cached, it sends nothing.',
    command: ['bench/overhead.ts'],
  },
  peers: {
    title: 'Beside promptfoo',
    about:
      "Both tools use the same cases, server, concurrency, check and Node. Cached is a second run with each tool's default cache. CPU is that of all processes of the tool.",
    command: ['bench/peers.ts'],
  },
  growth: {
    title: 'With the size of a suite',
    about:
      'Each run reads a JSONL file of cases, with a server that answers at once. `reports` writes JSON, JUnit and HTML. `baseline` compares with a stored baseline of the same size.',
    command: ['bench/growth.ts'],
  },
  agents: {
    title: 'Agents',
    about:
      'Agents of four steps, whose tool calls stubs answer, are compared with as many calls of single answers. Whatever else the machine does only adds to a round, so the least of three rounds counts.',
    command: ['bench/agents.ts'],
  },
  million: {
    title: 'A million cells',
    about: 'One run of a suite of 1,000,000 cases. In memory it keeps what is counted of each cell, and no answer.',
    command: ['bench/growth.ts', '--modes=cold', '1000000'],
  },
  workers: {
    title: 'With workers',
    about:
      'A run over a Redis queue is compared with a run that makes its own calls. Run, workers, Redis and server share one machine, so the table shows the cost of the queue, not the gain of more machines.',
    command: ['bench/workers.ts'],
  },
  cache: {
    title: 'A cache of 200,000 answers',
    about: 'The times to store, find and miss an answer, and of the commands that manage the cache.',
    command: ['bench/cache-size.ts'],
  },
  compare: {
    title: 'Comparing two stored runs',
    about: '`llmcheck compare` of two records of 100,000 cells each.',
    command: ['bench/compare-records.ts'],
  },
  gate: {
    title: "The gate's error rates",
    about:
      'Each simulated run accepts a baseline, edits the prompt and runs again. The behaviour of the prompt does not change unless the row says so. "hom": every case fails with that chance. "mix": 30 % of the cases do, each with a chance of its own. "uneven": every case has a chance of its own. One run of a scenario is real. Its replicates put other results into that record, and ask again and decide by the same functions.',
    command: ['bench/gate-simulation.ts', '--runs=1000'],
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
    '`npm run bench:all` writes this page. Seconds depend on the machine. Ratios are more reliable, because both sides were measured within the same minutes.',
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
