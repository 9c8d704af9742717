import { describe, expect, it } from 'vitest';
import { type ChatReply, startChatServer } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const rules = Array.from({ length: 8 }, (_, index) => `Rule ${index + 1}: keep to point number ${index + 1}.`);
const v1 = `# Triage\n\nSort the mail into a queue.\n\n${rules.map((rule) => `- ${rule}`).join('\n')}\n\nMail: {{ mail }}\n`;
/** Changes six lines: two of them break the case. */
const v2 = v1
  .replace('Sort the mail into a queue.', 'Sort each mail into one queue. Be quick.')
  .replace('point number 2', 'item number 2')
  .replace('point number 4', 'refunds as legal matters')
  .replace('point number 6', 'item number 6')
  .replace('point number 7', 'brief answers, without a reason')
  .replace('\n- Rule 8: keep to point number 8.', '');

interface JsonBisect {
  readonly cases: readonly {
    readonly caseId: string;
    readonly verdict: string;
    readonly sentence: string;
    readonly why?: string;
    readonly probes: number;
    readonly sets: readonly { readonly hunks: readonly { readonly file?: { line: number } }[] }[];
  }[];
  readonly spent: { readonly trials: number; readonly cached: number; readonly usd: number | null };
}

/** A model that answers by what the prompt says. */
function serve(answer: (prompt: string, index: number) => ChatReply) {
  return startChatServer(({ body, index }) => answer(JSON.stringify(body), index));
}

function openProject(suite = '', texts: Readonly<Record<string, string>> = { 'v1.md': v1, 'v2.md': v2 }): TempProject {
  const project = openTempProject();
  for (const [name, text] of Object.entries(texts)) project.write(`prompts/${name}`, text);
  project.write(
    'evals/triage.eval.yaml',
    `prompts:
  - { id: v1, file: ../prompts/v1.md }
  - { id: v2, file: ../prompts/v2.md, replaces: v1 }
providers: [{ id: mini, use: openai:test-model, price: { input: 1, output: 1 }, params: { max_tokens: 100 } }]
cases:
  - { id: refund, vars: { mail: I want my money back }, assert: [{ equals: billing }] }
  - { id: thanks, vars: { mail: Thank you }, assert: [{ contains: i }] }
${suite}`,
  );
  return project;
}

async function bisect(project: TempProject, env: Readonly<Record<string, string>>, ...argv: readonly string[]) {
  const result = await project.run(['bisect', '--json', ...argv], { env });
  if (!result.stdout.startsWith('{')) throw new Error(`exit ${result.code}: ${result.stderr}`);
  const outcome = JSON.parse(result.stdout) as JsonBisect;
  const [first] = outcome.cases;
  if (first === undefined) throw new Error(`no case: ${result.stderr}`);
  return { ...result, outcome, first };
}

describe('bisect', () => {
  it('names the line that breaks a case, and shows that the rest of the change does not', async () => {
    const server = await serve((prompt) => (prompt.includes('legal matters') ? 'legal' : 'billing'));
    const project = openProject();
    const result = await project.run(['bisect', '--case', 'refund'], { env: server.env });
    expect(result.stdout).toContain(
      'Line 8 of prompts/v2.md alone breaks refund: 5 of 5 trials fail; without it v2 passes 5 of 5.',
    );
    expect(result.stdout).toContain('+ - Rule 4: keep to refunds as legal matters.');
    expect(result.code).toBe(0);
    const sent = server.requests.length;
    const again = await bisect(project, server.env, '--case', 'triage/refund');
    expect(server.requests.length).toBe(sent);
    expect(again.outcome.spent).toMatchObject({ trials: sent, cached: sent, usd: 0 });
  });
});
