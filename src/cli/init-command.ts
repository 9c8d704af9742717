import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withStorageErrors } from '../lib/storage-error.ts';
import { exitCodes } from '../model/exit-code.ts';
import { importAnswers } from '../pipeline/import-answers.ts';
import { initFiles } from './init-files.ts';
import type { Io } from './io.ts';
import { writeFile } from './write-file.ts';

/** `llmcheck init`: writes files that are not there yet, and says what to do next. */
export async function initCommand(folder: string, flags: { readonly force?: boolean }, io: Io): Promise<number> {
  const root = resolve(io.cwd, folder);
  const written: string[] = [];
  for (const [path, text] of Object.entries(initFiles)) {
    const target = join(root, path);
    if (existsSync(target) && flags.force !== true) {
      io.stdout.write(`kept     ${path} (it was there; --force overwrites)\n`);
      continue;
    }
    writeFile(target, [text]);
    written.push(path);
    io.stdout.write(`wrote    ${path}\n`);
  }
  const ignore = join(root, '.gitignore');
  const ignored = withStorageErrors('Reading', ignore, () => (existsSync(ignore) ? readFileSync(ignore, 'utf8') : ''));
  if (!/^\/?\.llmcheck\/?$/m.test(ignored)) {
    writeFile(ignore, [`${ignored}${ignored === '' || ignored.endsWith('\n') ? '' : '\n'}.llmcheck/\n`]);
    io.stdout.write('wrote    .gitignore: .llmcheck/\n');
  }
  const recordings = 'evals/recordings/greeting.jsonl';
  if (written.includes(recordings) && written.includes('evals/greeting.eval.yaml')) {
    const path = join(root, recordings);
    await importAnswers({ path, text: readFileSync(path, 'utf8'), cwd: root, env: io.env, now: io.now });
  }
  io.stdout.write('\nNext: llmcheck run    (no key needed: it answers from the recordings)\n');
  return exitCodes.passed;
}
