import { openTempProject, trialsOf } from './temp-project.ts';

export interface Said {
  readonly stdout: string;
  /** Default: a check that no path may fail. */
  readonly assert?: string;
  readonly exit?: number;
}

interface Options {
  /** Keys of the provider beside `use`. */
  readonly keys?: string;
  readonly module?: boolean;
}

/** A check that only a trajectory that was not read passes. */
export const blind = '{ trajectory: { never: [never_called] } }';

/** Runs a case for each output of a program, by the case's id; as a module, the output is the value that it returns. */
export async function runPrograms(said: Readonly<Record<string, Said>>, { keys = '', module = false }: Options = {}) {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
  for (const [id, { stdout, exit = 0 }] of Object.entries(said)) {
    project.write(`said/${id}.txt`, stdout);
    project.write(`said/${id}.exit`, String(exit));
  }
  // A shell starts in a tenth of the time that Node takes.
  project.write(
    'say.sh',
    `id=$(sed -n 's/.*"caseId":"\\([^"]*\\)".*/\\1/p')
cat "said/$id.txt"
exit "$(cat "said/$id.exit")"
`,
  );
  project.write(
    'app.mjs',
    `import { readFileSync } from 'node:fs';
export default ({ caseId }) => JSON.parse(readFileSync(new URL(\`said/\${caseId}.txt\`, import.meta.url), 'utf8'));
`,
  );
  const use = module ? 'module:app.mjs' : 'exec:sh say.sh';
  const cases = Object.entries(said).map(
    ([id, { assert = blind }]) => `  - { id: ${id}, vars: { id: ${id} }, assert: [${assert}] }`,
  );
  project.write(
    'shop.eval.yaml',
    `suite: shop
prompts: [{ id: v1, text: "Cancel order 7731 of {{ id }}." }]
providers: [{ id: app, use: "${use}"${keys === '' ? '' : `, ${keys}`} }]
gate: { confirm: { budget: 0 } }
cases:
${cases.join('\n')}
`,
  );
  const run = await project.report(['run', '--no-baseline']);
  const byCase = new Map(trialsOf(run.report).map((trial) => [trial.caseId, trial]));
  const trial = (id: string) => {
    const found = byCase.get(id);
    if (found === undefined) throw new Error(`no trial of ${id}:\n${run.stderr}`);
    return found;
  };
  /** Why a case has no verdict, or why it fails. */
  const why = (id: string) => {
    const { status, error, checks } = trial(id);
    return `${status}: ${error?.message ?? checks.find(({ pass }) => !pass)?.reason ?? ''}`;
  };
  const [record = ''] = project.files('.llmcheck/runs');
  const rows = project
    .read(record)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const row = (id: string) => rows.find((found) => found['type'] === 'cell' && found['caseId'] === id);
  return { ...run, project, why, row };
}

/** Cases that are not errored with these words. */
export function findOthers(wanted: Readonly<Record<string, string>>, why: (id: string) => string): readonly string[] {
  return Object.entries(wanted)
    .filter(([id, words]) => !why(id).startsWith('errored: ') || !why(id).includes(words))
    .map(([id]) => `${id} ${why(id)}`);
}

export const path = (find: string, cancel: string) =>
  `{ trajectory: { calls: [{ name: ${find}, args: { order_id: "7731" } }, ${cancel}], order: exact, steps: 3 } }, { equals: Done. }`;

export const shopPath = path('find_order', 'cancel_order');
