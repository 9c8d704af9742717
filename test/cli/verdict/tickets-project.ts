import { type ChatServer, completionOf, startChatServer } from '../../support/chat-server.ts';
import { runGit } from '../../support/git.ts';
import type { CliOptions, CliResult } from '../../support/run-cli.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

/** A suite that sorts tickets into teams, as people write them, and a model that reads the prompt. */
export interface TicketsProject extends TempProject {
  readonly server: ChatServer;
  /** What the edited prompt answers by case; the accepted prompt is always right. */
  readonly broken: Map<string, string>;
  llmcheck(argv: readonly string[], options?: Omit<CliOptions, 'cwd'>): Promise<CliResult>;
  /** Runs and accepts. */
  accept(...argv: string[]): Promise<void>;
  /** Takes `shipping` out of the prompt. */
  editPrompt(): void;
  /** From then on both prompts get the wrong answers. */
  changeModel(): void;
  /** From then on requests are refused with this status: all, or those of the edited prompt that come again. */
  refuse(status: number, which?: 'all' | 'again'): void;
  /** From then on requests of this case are refused; none are where undefined. */
  refuseCase(id: string | undefined): void;
  /** Adds lines at the top level of the suite. */
  configure(yaml: string): void;
  git(...argv: string[]): void;
}

export const suiteFile = 'evals/tickets.eval.yaml';
const promptFile = 'prompts/ticket.md';

const teams = [
  { id: 'locked-out', team: 'account', text: 'I cannot log in since the update' },
  { id: 'shipping', team: 'shipping', text: 'My parcel 77 has been late for a week' },
  { id: 'refund', team: 'billing', text: 'Please pay me back for order 12' },
] as const;

export interface TicketsOptions {
  /** Each is a variant of the one prompt. */
  readonly providers?: readonly string[];
  readonly mustPass?: readonly string[];
  /** Cases of each of the three teams. */
  readonly count?: number;
}

export async function openTickets({
  providers = ['mini', 'big'],
  mustPass = ['locked-out-3'],
  count = 14,
}: TicketsOptions = {}): Promise<TicketsProject> {
  const project = openTempProject();
  const cases = teams.flatMap(({ id, team, text }) =>
    Array.from({ length: count }, (_, index) => ({
      id: `${id}-${index + 1}`,
      team,
      text: `${text} (no. ${index + 1})`,
    })),
  );
  const broken = new Map<string, string>();
  let hasModelChanged = false;
  let refused: { readonly status: number; readonly which: 'all' | 'again' } | undefined;
  let refusedCase: string | undefined;
  const seen = new Set<string>();
  project.write(
    suiteFile,
    [
      'suite: tickets',
      'prompts:',
      '  - id: v2',
      '    file: ../prompts/ticket.md',
      'providers:',
      ...providers.map((id) => `  - { id: ${id}, use: "openai:gpt-4o-mini", params: { user: ${id} } }`),
      'defaults:',
      '  assert: [{ equals: "{{team}}" }]',
      'cases:',
      ...cases.map(({ id, team, text }) => {
        const isCritical = mustPass.includes(id) ? ', mustPass: true' : '';
        return `  - { id: ${id}, vars: { ticket: "${text}", team: ${team} }${isCritical} }`;
      }),
      '',
    ].join('\n'),
  );
  project.write(promptFile, promptOf('billing, shipping, account, other'));
  let answered = 0;
  const server = await startChatServer(({ text, model }) => {
    const isEdited = !text.includes('shipping, account');
    const isAgain = isEdited && seen.has(text);
    seen.add(text);
    if (refused !== undefined && (refused.which === 'all' || isAgain)) {
      return { status: refused.status, body: { error: { message: 'no such model' } } };
    }
    const asked = cases.find((one) => text.includes(one.text));
    if (refusedCase !== undefined && asked?.id === refusedCase) {
      return { status: 400, body: { error: { message: 'no' } } };
    }
    const wrong = isEdited || hasModelChanged ? broken.get(asked?.id ?? '') : undefined;
    answered += 1;
    const usage = { prompt_tokens: 40, completion_tokens: 5, total_tokens: 45 };
    return { body: { ...completionOf(wrong ?? asked?.team ?? 'other', model), id: `chatcmpl-${answered}`, usage } };
  });
  const llmcheck: TicketsProject['llmcheck'] = (argv, options) => {
    return project.run(argv, { ...options, env: { ...server.env, ...options?.env } });
  };
  return {
    ...project,
    server,
    broken,
    llmcheck,
    async accept(...argv) {
      await llmcheck(['run', ...argv, '-q']);
      const { code, stderr } = await llmcheck(['baseline', 'accept', '--force']);
      if (code !== 0) throw new Error(stderr);
    },
    editPrompt: () => project.write(promptFile, promptOf('billing, account, other')),
    changeModel: () => {
      hasModelChanged = true;
    },
    refuse: (status, which = 'all') => {
      refused = { status, which };
    },
    refuseCase: (id) => {
      refusedCase = id;
    },
    configure: (yaml) => project.write(suiteFile, `${project.read(suiteFile)}${yaml}\n`),
    git: (...argv) => void runGit(project.root, ...argv),
  };
}

function promptOf(names: string): string {
  return `Sort the ticket. Answer with one of: ${names}.\n\nTicket: {{ ticket }}\n`;
}

/** The edited prompt sends ten tickets wrong, one of them a must-pass case. */
export function breakTen(project: TicketsProject, answerOf: (number: number) => string = () => 'other'): void {
  project.broken.set('locked-out-3', 'I think this one should go to the shipping team');
  for (let number = 1; number <= 9; number += 1) project.broken.set(`shipping-${number}`, answerOf(number));
}

/** A project on a branch of its own, with the accepted baseline on main. */
export async function openPullRequest(options?: TicketsOptions): Promise<TicketsProject> {
  const project = await openTickets(options);
  project.git('init', '-q', '-b', 'main');
  project.write('.gitignore', '.llmcheck/\n');
  await project.accept();
  project.git('add', '.');
  project.git('commit', '-q', '-m', 'accept');
  project.git('checkout', '-q', '-b', 'change');
  return project;
}
