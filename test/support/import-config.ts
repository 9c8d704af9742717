import { parse } from 'yaml';
import type { CliResult } from './run-cli.ts';
import { linkOwnPackage } from './spawn-cli.ts';
import { openTempProject, type TempProject } from './temp-project.ts';

/** A prompt and a provider, for configs that are about something else. */
export const importBase = `prompts: ["{{q}}"]
providers: [openai:chat:m]
`;

/** Imports a promptfoo config into a new project, and reads what is written. */
export async function importConfig(
  config: string,
  flags: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
) {
  const project = openTempProject();
  project.write('promptfooconfig.yaml', config);
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  linkOwnPackage(project.root);
  const result = await project.run(['import', 'promptfoo', '.', '-o', 'evals/x.eval.yaml', ...flags]);
  const text = project.files('evals').includes('evals/x.eval.yaml') ? project.read('evals/x.eval.yaml') : '';
  return { ...result, project, text, suite: parse(text) as Record<string, never> | null };
}

/** All that an import says and writes. */
export function describeImport({
  code,
  stdout,
  stderr,
  project,
}: CliResult & { readonly project: TempProject }): string {
  const written = project.files('evals').map((file) => `=== ${file}\n${project.read(file)}`);
  return [`exit code ${code}\n`, stdout, stderr, ...written].join('');
}
