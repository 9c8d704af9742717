import { openTempProject, type TempProject } from '../../support/temp-project.ts';

export interface JudgeSuite {
  readonly assert: string;
  readonly judges?: string;
  /** A case for each word that the model says. */
  readonly words?: readonly string[];
  readonly more?: string;
  readonly prompts?: string;
}

/** A suite whose model echoes `Say: WORD`. */
export function openJudgeProject(suite: JudgeSuite): TempProject {
  const project = openTempProject();
  writeJudgeSuite(project, suite);
  return project;
}

export function writeJudgeSuite(
  project: TempProject,
  { assert, judges, words = ['red'], more = '', prompts }: JudgeSuite,
): void {
  const cases = words.map((word, index) => `  - { id: c${index}, vars: { word: ${JSON.stringify(word)} } }`);
  project.write(
    'evals/tone.eval.yaml',
    [
      'prompts:',
      prompts ?? '  - { id: v1, text: "Say: {{ word }}" }',
      'providers: [{ id: mini, use: openai:gpt-4o-mini }]',
      `judges: ${judges ?? '[{ id: strict, use: openai:gpt-4o }]'}`,
      'defaults:',
      `  assert: ${assert}`,
      'cases:',
      ...cases,
      more,
      '',
    ].join('\n'),
  );
}
