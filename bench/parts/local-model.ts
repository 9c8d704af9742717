import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../src/cli/main.ts';

/** The plug-in is imported once, and keeps this object. */
const model = { answer: (_prompt: string): string => '' };
const key = 'llmcheck.bench.model';
Object.assign(globalThis, { [Symbol.for(key)]: model });

const plugin = `const model = globalThis[Symbol.for('${key}')];
export const local = {
  kind: 'provider',
  name: 'local',
  summary: 'Follows the rules of its prompt',
  complete: ({ messages }) => model.answer(messages.map(({ content }) => content).join('\\n')),
};
`;

/** Writes a configuration to a folder, so that its suites can ask `use: local:model`. */
export function openModel(root: string, answer: (prompt: string) => string): void {
  model.answer = answer;
  writeFileSync(join(root, 'llmcheck.config.yaml'), 'plugins: [./local-model.mjs]\n');
  writeFileSync(join(root, 'local-model.mjs'), plugin);
}

/** Runs a command in a folder, in this process, and gives its JSON. */
export async function runHere(cwd: string, argv: readonly string[]): Promise<unknown> {
  let [stdout, stderr] = ['', ''];
  const stream = (keep: (text: string) => void) => ({ write: keep, isTty: false, columns: () => undefined });
  await main(argv, {
    stdout: stream((text) => {
      stdout += text;
    }),
    stderr: stream((text) => {
      stderr += text;
    }),
    env: {},
    cwd,
    now: () => new Date(),
    random: Math.random,
    openLines: () => ({ ask: () => Promise.resolve({ ended: 'input' }), close: () => {} }),
    onSignal: () => () => {},
  });
  if (!stdout.startsWith('{')) throw new Error(stderr);
  return JSON.parse(stdout);
}
