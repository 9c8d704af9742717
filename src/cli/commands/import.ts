import type { ImportFormat } from '../../importing/import-suite.ts';
import type { ImportFlags } from '../import-command.ts';
import type { AddCommand } from './add-command.ts';

const formats: readonly { readonly name: ImportFormat; readonly description: string }[] = [
  { name: 'promptfoo', description: 'A promptfoo config, YAML or JSON, and the files of the project that it names.' },
  { name: 'openai-evals', description: "JSON that was exported from OpenAI's Evals API." },
  { name: 'jsonl', description: 'A data set: a JSON object a line.' },
];

export const addImport: AddCommand = (program, io, setExitCode) => {
  const command = program
    .command('import')
    .description("Turn another tool's file into a suite.")
    .addHelpText(
      'after',
      `
Nothing is run and nothing is sent. What can't be carried over with the same meaning is listed with its place, and refused.

Examples:
  $ llmcheck import promptfoo promptfooconfig.yaml
  $ llmcheck import promptfoo . --partial -o evals/router.eval.yaml
  $ llmcheck import openai-evals run.json
  $ llmcheck import jsonl data.jsonl --expected answer`,
    );
  for (const { name, description } of formats) {
    const sub = command
      .command(name)
      .description(description)
      .argument('<path>', name === 'promptfoo' ? 'the config, or its folder' : 'the file')
      .option('-o, --output <file>', 'where to write (default: evals/<name>.eval.yaml)')
      .option('--partial', "write what can't be carried over as comments, in place of refusing it")
      .option('--force', 'overwrite a file that exists')
      .option('--no-color', 'no colour')
      .addHelpText(
        'after',
        `\nExample:\n  $ llmcheck import ${name} ${name === 'promptfoo' ? '.' : name === 'jsonl' ? 'data.jsonl' : 'run.json'}`,
      )
      .action(async (path: string, flags: ImportFlags) => {
        const { importCommand } = await import('../import-command.ts');
        setExitCode(await importCommand(name, path, flags, io));
      });
    if (name === 'jsonl') sub.option('--expected <field>', 'the field that holds the golden answer');
  }
};
