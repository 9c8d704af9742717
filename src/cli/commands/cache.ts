import type { AddCommand } from './add-command.ts';

export const addCache: AddCommand = (program, io, setExitCode) => {
  const cache = program
    .command('cache')
    .description('Look at and look after the stored answers.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck cache stats\n  $ llmcheck cache prune --older-than 720h\n  $ llmcheck cache export > answers.jsonl',
    );

  const add = (name: string, description: string, example: string, args = '') =>
    cache
      .command(`${name}${args}`)
      .description(description)
      .option('-c, --config <file>', 'config file')
      .addHelpText('after', `\nExample:\n  $ llmcheck cache ${name} ${example}`.trimEnd());

  const run =
    (action: string) =>
    async (...args: unknown[]) => {
      const { cacheCommand } = await import('../cache-command.ts');
      // Commander passes the arguments, then the flags, then the command.
      const flags = args.at(-2) as Record<string, unknown>;
      const [file] = args.slice(0, -2) as (string | undefined)[];
      setExitCode(await cacheCommand(action, file, flags, io));
    };

  add('stats', 'count entries and bytes', '--json').option('--json', 'as JSON').action(run('stats'));
  add('list', 'list entries', '--limit 10')
    .option('--limit <n>', 'at most n', '50')
    .option('--json', 'as JSON lines')
    .action(run('list'));
  add('clear', 'remove every entry', '').action(run('clear'));
  add('prune', 'remove old or excess entries', '--older-than 720h')
    .option('--older-than <duration>', 'entries stored longer ago, such as 720h')
    .option('--max-size <mb>', 'the oldest, until the rest fits')
    .action(run('prune'));
  add('verify', 'find damaged entries', '--fix').option('--fix', 'remove them').action(run('verify'));
  add('export', 'write every entry as JSON lines', 'answers.jsonl', ' [file]').action(run('export'));
  add(
    'import',
    'read exported entries, or fill the request hashes of a recordings file',
    'answers.jsonl',
    ' <file>',
  ).action(run('import'));
};
