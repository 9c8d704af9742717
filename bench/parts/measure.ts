import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(process.cwd());
export const parts = join(root, 'bench/parts');
export const concurrency = 50;

/** What a process and the Node processes it started took: CPU of all together, memory of the largest. */
export interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

export interface MeasureOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The Node to run it with; this one if left out. */
  readonly node?: string;
  /** The caller tells by other means whether the work was done. */
  readonly mayFail?: boolean;
}

/** Runs a Node program to its end; one that does not end with 0 throws, since its figures would mean nothing. */
export async function measure(
  args: readonly string[],
  { cwd, env, node = process.execPath, mayFail = false }: MeasureOptions,
): Promise<Usage & { readonly output: string }> {
  const usageFile = join(cwd, 'usage.jsonl');
  rmSync(usageFile, { force: true });
  const startedMs = performance.now();
  const child = spawn(node, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...env,
      BENCH_USAGE_FILE: usageFile,
      NODE_OPTIONS: `--import=${join(parts, 'usage-hook.mjs')}`,
    },
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((resolveCode) => child.once('close', resolveCode));
  const output = Buffer.concat(chunks).toString();
  if (code !== 0 && !mayFail) throw new Error(`${args.join(' ')} ended with ${String(code)}\n${output}`);
  const wallMs = performance.now() - startedMs;
  const lines = readFileSync(usageFile, 'utf8').trim().split('\n');
  const usages = lines.map((line) => JSON.parse(line) as { cpuMs: number; peakMb: number });
  return {
    wallMs,
    output,
    cpuMs: usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    peakMb: Math.max(...usages.map(({ peakMb }) => peakMb)),
  };
}

export interface BenchServer {
  readonly url: string;
  /** What a program reads to find the server. */
  readonly env: Readonly<Record<string, string>>;
  stop(): void;
}

/** A server of its own process that answers each request right after `delayMs`; with several steps, it calls a tool in all but the last. */
export async function startServer(delayMs: number, steps = 1): Promise<BenchServer> {
  const child = spawn(process.execPath, [join(parts, 'server.mjs'), `${delayMs}`, `${steps}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<string>((resolvePort) => {
    child.stdout.once('data', (chunk: Buffer) => resolvePort(chunk.toString().trim()));
  });
  const url = `http://127.0.0.1:${port}/v1`;
  return { url, env: { OPENAI_BASE_URL: url, OPENAI_API_KEY: 'bench-key-000' }, stop: () => child.kill() };
}

export interface BenchCase {
  readonly id: string;
  readonly text: string;
  /** What the server answers to the prompt that the suites here make of the text. */
  readonly expected: string;
}

export function* makeCases(size: number): Iterable<BenchCase> {
  for (let index = 0; index < size; index += 1) {
    const text = `Case ${index}: ${'lorem ipsum dolor sit amet '.repeat(4 + (index % 5))}`;
    yield { id: `case-${index}`, text, expected: `${text.length + 'How long is this text?\n'.length}` };
  }
}

export interface SuiteOptions {
  /** `bench` if left out. */
  readonly suite?: string;
  readonly concurrency?: number;
  readonly prompts?: readonly string[];
  /** Further keys of the suite and of its defaults, as YAML. */
  readonly defaults?: string;
  readonly keys?: string;
}

/** A suite of one check over the cases, which lie in a JSONL file beside it: `<suite>.eval.yaml`. */
export function writeSuite(folder: string, cases: Iterable<BenchCase>, options: SuiteOptions = {}): void {
  const { suite = 'bench', prompts = ['v1'], defaults = '', keys = '' } = options;
  const fd = openSync(join(folder, 'cases.jsonl'), 'w');
  for (const { id, text, expected } of cases) {
    writeSync(fd, `${JSON.stringify({ id, vars: { text }, expected })}\n`);
  }
  closeSync(fd);
  writeFileSync(join(folder, 'llmcheck.config.yaml'), 'cache: {}\n');
  writeFileSync(
    join(folder, `${suite}.eval.yaml`),
    `suite: ${suite}
prompts:
${prompts.map(renderPrompt).join('')}providers:
  - id: local
    use: openai:bench-1
    params: { temperature: 0 }
    limits: { concurrency: ${options.concurrency ?? concurrency} }
defaults:
${defaults}  assert:
    - equals: "{{expected}}"
      select: { regex: "Answer: (\\\\d+)", match: last, group: 1 }
${keys}cases:
  - file: cases.jsonl
`,
  );
}

/** Versions ask alike, but for their seeds: one would get the other's answers from the cache. */
function renderPrompt(id: string, index: number): string {
  const params = index === 0 ? '' : `    params: { seed: ${index} }\n`;
  return `  - id: ${id}\n    text: "How long is this text?\\n{{text}}"\n${params}`;
}

/** Median milliseconds of wall time that each program takes to start and end, in turn, so that a drift of the machine's speed meets all alike. */
export async function measureStarts(
  programs: Readonly<Record<string, readonly string[]>>,
  options: MeasureOptions & { readonly rounds: number },
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number[]>(Object.keys(programs).map((name) => [name, []]));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const [name, args] of Object.entries(programs)) {
      const startedMs = performance.now();
      const child = spawn(options.node ?? process.execPath, [...args], {
        cwd: options.cwd,
        env: { ...process.env, ...options.env },
        stdio: 'ignore',
      });
      await new Promise((resolveCode) => child.once('exit', resolveCode));
      times.get(name)?.push(performance.now() - startedMs);
    }
  }
  return new Map(
    [...times].map(([name, values]) => [name, values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0]),
  );
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What a server that was started prints first, such as its port. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    child.stdout?.once('data', (bytes: Buffer) => done(bytes.toString().trim()));
    child.once('exit', () => fail(new Error('the server ended')));
  });
}
