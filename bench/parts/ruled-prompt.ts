/** What the cases of a planted suite can say of a rule. */
type RuleKind = 'guarded' | 'unnoticed' | 'noEffect';

export interface RuledPrompt {
  readonly prompt: string;
  readonly cases: readonly { readonly id: string; readonly topic: number; readonly wanted: readonly string[] }[];
  readonly rules: readonly { readonly text: string; readonly kind: RuleKind }[];
  /** What a model that follows every rule answers. */
  answer(prompt: string): string;
}

export interface RuledPromptOptions {
  readonly rules: number;
  readonly cases: number;
  /** How often a case fails whatever the prompt says. */
  readonly flake: number;
  /** Whether answers are worded differently each time. */
  readonly isWordy: boolean;
}

/**
 * A prompt of which each rule says what to write on a topic. A guarded rule's word is what a case of the topic wants, an
 * unnoticed rule's is in answers and no check looks for it, and the topic of one without effect is that of no case.
 */
export function makeRuledPrompt(random: () => number, options: RuledPromptOptions): RuledPrompt {
  const pick = (count: number): number => Math.floor(random() * count);
  const topics = Math.max(2, Math.floor(options.cases / 2));
  const kinds: readonly RuleKind[] = ['guarded', 'unnoticed', 'noEffect'];
  const rules = Array.from({ length: options.rules }, (_, index) => {
    const kind = kinds[pick(kinds.length)] ?? 'guarded';
    const topic = kind === 'noEffect' ? 1000 + index : pick(topics);
    return {
      kind,
      topic,
      word: `code${index}x`,
      text: `For topic${topic}x mail, write code${index}x and nothing less.`,
    };
  });
  const cases = Array.from({ length: options.cases }, (_, index) => {
    // Each topic has a case.
    const topic = index < topics ? index : pick(topics);
    const own = rules.filter((rule) => rule.topic === topic && rule.kind === 'guarded');
    return { id: `case${index}`, topic, wanted: own.map(({ word }) => word) };
  });
  const flaky = new Set(cases.filter(() => random() < 0.3).map(({ topic }) => topic));
  return {
    prompt: `# Mail\n\nAnswer the mail.\n\n${rules.map(({ text }) => `- ${text}`).join('\n')}\n\nMail: {{ mail }}\n`,
    cases,
    rules,
    answer(prompt) {
      const topic = Number(/Mail: about topic(\d+)x/.exec(prompt)?.[1]);
      if (flaky.has(topic) && random() < options.flake) return 'sorry';
      const written = rules
        .filter((rule) => rule.topic === topic && prompt.includes(rule.text))
        .map(({ word }) => word);
      const filler = options.isWordy
        ? Array.from({ length: 12 }, () => fillers[pick(fillers.length)] ?? '')
        : fillers.slice(0, 12);
      return ['Dear customer', ...written, ...filler].join(' ');
    },
  };
}

const fillers =
  'we have read your mail and will answer soon with all that you need please wait a little while our team looks into it thank you very much for this kind note about us'.split(
    ' ',
  );
