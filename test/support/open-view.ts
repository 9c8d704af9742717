import { request as send } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { main } from '../../src/cli/main.ts';
import { openTempProject, type TempProject } from './temp-project.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface OpenView {
  readonly address: URL;
  readonly cookie: string;
  /** With the cookie, unless other headers are given. */
  get(path: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<Answer>;
  json<T>(path: string): Promise<T>;
  /** Resolves once the server listens to records; `next` with the id of the next one that grew. */
  listen(): Promise<{ readonly next: Promise<string> }>;
  /** Plays a signal and waits for the exit code. */
  end(signal: 'SIGINT' | 'SIGTERM'): Promise<number>;
}

/** A project whose recorded answers have been run so many times: one case passes, one fails. */
export async function openRunProject(times: number): Promise<TempProject> {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: [echo.eval.yaml]\n');
  project.write(
    'echo.eval.yaml',
    `suite: echo
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini" }]
cases:
  - { id: green, vars: { word: green }, assert: [{ equals: green }] }
  - { id: red, vars: { word: red }, assert: [{ equals: red }] }
recordings: answers.jsonl
`,
  );
  const answerOf = (caseId: string, text: string) => {
    const completion = { text, toolCalls: [], finishReason: 'stop', latencyMs: 5 };
    return JSON.stringify({ format: 1, prompt: 'v1', provider: 'mini', caseId, trial: 0, completion });
  };
  project.write('answers.jsonl', `${answerOf('green', 'green')}\n${answerOf('red', 'blue')}\n`);
  const imported = await project.run(['cache', 'import', 'answers.jsonl']);
  if (imported.code !== 0) throw new Error(imported.stderr);
  for (let time = 0; time < times; time += 1) {
    await project.run(['run'], { now: () => new Date(Date.UTC(2026, 2, 1, 10, time)) });
  }
  return project;
}

/** A record in two parts: as it stands once the first cell has its answer, and what is written later. */
export function splitAfterFirstCell(record: string): readonly [before: string, after: string] {
  const cell = record.indexOf('\n{"type":"cell"');
  const end = record.indexOf('\n', cell + 1) + 1;
  if (cell === -1 || end === 0) throw new Error('the record has no cell');
  return [record.slice(0, end), record.slice(end)];
}

export function runIdsOf(project: TempProject): readonly string[] {
  return project.files('.llmcheck/runs').map((path) => path.replace(/^.*\/|\.jsonl$/g, ''));
}

export async function openView(project: TempProject): Promise<OpenView> {
  let signal: (name: 'SIGINT' | 'SIGTERM') => void = () => undefined;
  let onAddress: (text: string) => void = () => undefined;
  const printed = new Promise<string>((resolve) => {
    onAddress = resolve;
  });
  const silent = { isTty: false, columns: () => undefined };
  const io: Io = {
    stdout: { write: (text) => onAddress(text), ...silent },
    stderr: { write: () => undefined, ...silent },
    env: {},
    cwd: project.root,
    now: () => new Date(),
    random: () => 0.5,
    onSignal(handler) {
      signal = handler;
      return () => undefined;
    },
  };
  const ended = main(['view'], io);
  const address = new URL((await Promise.race([printed, ended.then((code) => `http://ended-with-${code}`)])).trim());
  onTestFinished(async () => {
    signal('SIGINT');
    await ended;
  });
  const first = await ask(address, address.pathname + address.search);
  const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
  return {
    address,
    cookie,
    get: (path, headers = { cookie }, method = 'GET') => ask(address, path, headers, method),
    async json<T>(path: string): Promise<T> {
      const { status, body } = await ask(address, path, { cookie });
      if (status !== 200) throw new Error(`${status}: ${body}`);
      return JSON.parse(body) as T;
    },
    listen: () => listenTo(address, cookie),
    end(name) {
      signal(name);
      return ended;
    },
  };
}

function ask(
  { port, host }: URL,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers: { host, ...headers }, agent: false };
    const request = send(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const raw = Buffer.concat(chunks);
        const bytes = response.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes.toString('utf8') });
      });
    });
    request.on('error', reject);
    request.end();
  });
}

/** Resolves once the server listens to records. */
export function listenTo({ port, host }: URL, cookie: string): Promise<{ readonly next: Promise<string> }> {
  return new Promise((resolve, reject) => {
    let onNews: (id: string) => void = () => undefined;
    const next = new Promise<string>((resolveNext) => {
      onNews = resolveNext;
    });
    const options = { host: '127.0.0.1', port, path: '/api/events', headers: { cookie, host } };
    const request = send(options, (response) => {
      response.on('data', (chunk: Buffer) => {
        const [, id] = /^event: run\ndata: (.*)$/m.exec(chunk.toString('utf8')) ?? [];
        if (id === undefined) return resolve({ next });
        request.destroy();
        return onNews(decodeURIComponent(id));
      });
    });
    request.on('error', reject);
    request.end();
  });
}
