import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Io } from '../src/cli/io.ts';
import { main } from '../src/cli/main.ts';
import type { Answer, ModelServer, Served } from './server.ts';

export type Item = Record<string, unknown>;

/** The usual suite as data, so that a way edits a member and not a text. */
interface SuiteData extends Item {
  prompts: Item[];
  providers: (Item | string)[];
  defaults: Item;
  cases: Item[];
}

/** A project in a folder of its own, with the models that answer it. */
export interface Project {
  readonly root: string;
  /** Where the server of this audit listens; no slash at the end. */
  readonly serverUrl: string;
  /** Written to `evals/tickets.eval.yaml` before the next command, where it changed. */
  suite: SuiteData;
  saveSuite(): void;
  /** Environment of every command. */
  readonly env: Record<string, string>;
  /** What the model said to the accepted prompt, which it says again whatever is planted. */
  readonly accepted: Served['accepted'];
  isAccepting: boolean;
  /** What the model under test says; the queue of the ticket unless a way plants another answer. */
  answer: Answer;
  /** What the judge says. */
  judge: Answer;
  /** Requests that the models received. */
  requests: number;
  /** What the last command wrote to stdout and stderr. */
  output: string;
  /** The time of the next commands; undefined is a second after the command before. */
  now: Date | undefined;
  path(file: string): string;
  write(file: string, text: string): void;
  read(file: string): string;
  remove(file: string): void;
  /** Replaces a text that must be there, so that no plant misses by a typo. */
  edit(file: string, from: string, to: string): void;
  /** Files below a folder, sorted, relative to the root. */
  files(folder: string): readonly string[];
  caseOf(id: string): Item;
  /** Runs a command through the real entry; gives its exit code. */
  llmcheck(...argv: readonly string[]): Promise<number>;
  /** The same, interrupted like by Ctrl-C when so many requests have come. */
  interrupt(requests: number, ...argv: readonly string[]): Promise<number>;
  close(): void;
}

export const suitePath = 'evals/tickets.eval.yaml';
export const promptPath = 'evals/prompts/ticket.md';
export const casesPath = 'evals/cases/more.jsonl';
export const baselinePath = 'evals/tickets.baseline.jsonl';

/** What the right answer to each ticket is. */
const queues: Readonly<Record<string, string>> = {
  'refund please': 'billing',
  'parcel lost': 'shipping',
  'cannot log in': 'account',
  'charged twice': 'billing',
  'late delivery': 'shipping',
  'password reset': 'account',
};

/** The right answer: the queue of the ticket that is named in the last message. */
export function queueOf(text: string): string {
  return Object.entries(queues).find(([email]) => text.includes(email))?.[1] ?? 'other';
}

/** A member of the suite that is written as these digits: a double would round them. */
export function integer(digits: string): string {
  return `@${digits}@`;
}

/** In memory where Linux offers it: thousands of projects are written and removed. */
const projects = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Changes what every prompt sends, and nothing that a check sees. */
export function editPrompts({ suite }: Project): void {
  for (const prompt of suite.prompts)
    prompt['params'] = { ...(prompt['params'] as object | undefined), max_tokens: 21 };
}

/** Opens a copy of a project, or the usual one: one prompt, one model, four cases in the suite and two in a file. */
export function openProject(server: ModelServer, original?: Pick<Project, 'root' | 'accepted'>): Project {
  const root = realpathSync(mkdtempSync(join(projects, 'llmcheck-audit-')));
  const project: Project = {
    root,
    serverUrl: server.url,
    suite: usualSuite(),
    env: { OPENAI_BASE_URL: `${server.url}/v1`, OPENAI_API_KEY: 'sk-audit-0123456789abcdef' },
    accepted: new Map(original?.accepted),
    isAccepting: false,
    answer: ({ text }) => queueOf(text),
    judge: () => JSON.stringify({ reason: 'it holds', pass: true }),
    requests: 0,
    output: '',
    now: undefined,
    ...openFiles(root),
    caseOf(id) {
      const found = project.suite.cases.find((entry) => entry['id'] === id);
      if (found === undefined) throw new Error(`no case ${id}`);
      return found;
    },
    saveSuite: () => commands.saveSuite(),
    llmcheck: (...argv) => commands.run(argv),
    interrupt: (requests, ...argv) => commands.interrupt(requests, argv),
    close: () => rmSync(root, { recursive: true, force: true }),
  };
  const commands = openCommands(project, server);
  if (original !== undefined) cpSync(original.root, root, { recursive: true, preserveTimestamps: true });
  project.write('llmcheck.config.yaml', '');
  project.write(promptPath, 'Which queue is this ticket for? {{ email }}\n');
  project.write(
    casesPath,
    '{"id":"delivery","vars":{"email":"late delivery"},"expected":"shipping"}\n{"id":"reset","vars":{"email":"password reset"},"expected":"account"}\n',
  );
  commands.saveSuite();
  return project;
}

/** The files of a project, by paths relative to its root. */
function openFiles(root: string): Pick<Project, 'path' | 'write' | 'read' | 'remove' | 'edit' | 'files'> {
  const path = (file: string) => join(root, file);
  const read = (file: string) => readFileSync(path(file), 'utf8');
  const write = (file: string, text: string) => {
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), text);
  };
  return {
    path,
    read,
    write,
    remove: (file) => rmSync(path(file), { recursive: true }),
    edit(file, from, to) {
      const before = read(file);
      if (!before.includes(from)) throw new Error(`nothing to replace in ${file}: ${from}`);
      write(file, before.replaceAll(from, to));
    },
    files: (folder) =>
      readdirSync(path(folder))
        .sort()
        .map((name) => join(folder, name)),
  };
}

const started = Date.now();
let seconds = 0;

/** Runs commands in a project through the real entry; the suite is written where it changed. */
function openCommands(project: Project, server: ModelServer) {
  let written = '';
  let random = 1;
  let onRequest = () => {};
  let onSignal: Parameters<Io['onSignal']>[0] | undefined;

  function saveSuite(): void {
    const text = `${JSON.stringify(project.suite, null, 2).replaceAll(/"@(\d+)@"/g, '$1')}\n`;
    if (text === written) return;
    written = text;
    project.write(suitePath, text);
  }

  async function run(argv: readonly string[]): Promise<number> {
    saveSuite();
    server.serve(project, () => onRequest());
    project.output = '';
    // Runs of one second have no order.
    seconds += 1;
    const now = project.now ?? new Date(started + seconds * 1000);
    const write = (text: string) => {
      project.output += text;
    };
    const sink = { write, isTty: false, columns: () => undefined };
    return main(argv, {
      stdout: sink,
      stderr: sink,
      env: project.env,
      cwd: project.root,
      now: () => now,
      random: () => {
        random = (random * 16_807) % 2_147_483_647;
        return random / 2_147_483_647;
      },
      onSignal(handler) {
        onSignal = handler;
        return () => {};
      },
    });
  }

  async function interrupt(requests: number, argv: readonly string[]): Promise<number> {
    const last = project.requests + requests;
    onRequest = () => {
      if (project.requests === last) onSignal?.('SIGINT');
    };
    const code = await run(argv);
    onRequest = () => {};
    return code;
  }

  return { saveSuite, run, interrupt };
}

function usualSuite(): SuiteData {
  const ticket = (id: string, email: string, expected: string) => ({ id, vars: { email }, expected });
  return {
    suite: 'tickets',
    prompts: [{ id: 'v1', file: 'prompts/ticket.md' }],
    providers: [
      {
        id: 'mini',
        use: 'openai:gpt-4o-mini',
        params: { max_tokens: 20 },
        price: { input: 1, output: 1 },
        limits: { retries: 0 },
      },
    ],
    defaults: { assert: [{ equals: '{{ expected }}' }] },
    cases: [
      ticket('refund', 'refund please', 'billing'),
      { ...ticket('parcel', 'parcel lost', 'shipping'), mustPass: true },
      ticket('login', 'cannot log in', 'account'),
      ticket('charged', 'charged twice', 'billing'),
      { file: 'cases/more.jsonl' },
    ],
  };
}
