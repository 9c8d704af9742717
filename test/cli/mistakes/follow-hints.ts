import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

/** A mistake, what is said of it, and what its hint asks for. */
export interface Mistake {
  readonly files: Readonly<Record<string, string>>;
  /** Place, code and sentence of every problem, each with its hint on a line of its own where it has one. */
  readonly says: readonly string[];
  /** Does what the hints say, with the words that they give. */
  readonly follow: (fix: Fix) => void;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: `run`. */
  readonly argv?: readonly string[];
}

interface Fix {
  readonly project: TempProject;
  /** Replaces a text of a file; the hints must hold the new one. */
  readonly change: (file: string, from: string, to: string) => void;
  /** The same with words that no hint can know, such as where a file is moved to. */
  readonly edit: (file: string, from: string, to: string) => void;
  /** The arguments and variables of the second run. */
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** A suite that passes against a server that echoes what is said; each part can be written otherwise. */
export function suiteOf({
  prompts = '[{ id: v1, text: "Say: {{ word }}" }]',
  providers = '[openai:gpt-4o-mini]',
  cases = '[{ id: red, vars: { word: red }, assert: [{ contains: red }] }]',
  more = '',
} = {}): string {
  return `prompts: ${prompts}\nproviders: ${providers}\ncases: ${cases}\n${more}`;
}

/** The project is refused before a call with exactly these words; after the hints are followed, the suite passes. */
export function testMistakes(mistakes: Readonly<Record<string, Mistake>>): void {
  test.each(Object.entries(mistakes))('%s', async (_, { files, says, follow, env = {}, argv = ['run'] }) => {
    const project = openTempProject();
    for (const [name, text] of Object.entries(files)) project.write(name, text);
    const server = await startEchoServer();
    const refused = await project.run(argv, { env: { ...server.env, ...env } });
    expect(problemsIn(refused.stderr)).toEqual(says);
    expect(refused.code).toBe(2);
    expect(server.requests).toHaveLength(0);
    const hints = refused.stderr
      .split('\n')
      .filter((line) => line.startsWith('  hint: '))
      .join('\n');
    const edit: Fix['edit'] = (file, from, to) => {
      const text = project.read(file);
      expect(text).toContain(from);
      project.write(
        file,
        text.replace(from, () => to),
      );
    };
    const change: Fix['change'] = (file, from, to) => {
      expect(hints).toContain(to);
      edit(file, from, to);
    };
    const fix: Fix = { project, change, edit, argv, env };
    follow(fix);
    const passed = await project.run(fix.argv, { env: { ...server.env, ...fix.env } });
    expect(problemsIn(passed.stderr)).toEqual([]);
    expect(passed.code).toBe(0);
  });
}

/** Problems as their first line and their hint, without the excerpt. */
export function problemsIn(stderr: string): readonly string[] {
  const problems: string[] = [];
  for (const line of stderr.split('\n')) {
    if (/^(?:\S+:\d+:\d+ )?(?:error|warning)(?:: | \S+: )/.test(line)) problems.push(line);
    else if (line.startsWith('  hint: ')) problems.push(`${problems.pop() ?? ''}\n${line.trim()}`);
  }
  return problems;
}
