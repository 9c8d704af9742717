/** The rating model. */
export const ratingJudge = 'openai/gpt-4o';

/** Marks 1 to 5 with their scores. Every score above 0 passes. */
export const ratingChoices = [1, 2, 3, 4, 5].map((mark) => ({ choice: String(mark), score: (mark - 1) / 4 }));

interface Rating {
  readonly ask: string;
  /** Test data variables shown to the judge. */
  readonly parts: readonly ('input' | 'expected')[];
}

/** Questions of the format's built-in evaluators. */
const ratings: Readonly<Record<string, Rating>> = {
  similarity: { ask: 'How close in meaning is the answer to the correct answer', parts: ['input', 'expected'] },
  coherence: {
    ask: 'How well do the sentences of the answer hang together and follow from each other',
    parts: ['input'],
  },
  fluency: { ask: 'How natural and free of faults is the language of the answer', parts: [] },
  relevance: { ask: 'How well does the answer keep to what the question asks, and cover it', parts: ['input'] },
  groundedness: { ask: 'How far is all that the answer says found in the context', parts: ['input', 'expected'] },
};

const titles: Readonly<Record<Rating['parts'][number], string>> = { input: 'Question', expected: 'Reference' };

export const ratingNames: readonly string[] = Object.keys(ratings).map((name) => `github/${name}`);

/** The question of `github/NAME` as a template; undefined for an unknown name. */
export function findRating(uses: string): string | undefined {
  const name = uses.startsWith('github/') ? uses.slice('github/'.length) : '';
  const rating = Object.hasOwn(ratings, name) ? ratings[name] : undefined;
  if (rating === undefined) return undefined;
  const parts = rating.parts.map((part) => `${titles[part]}: {{ ${part} }}\n`);
  return `${rating.ask}? Rate it from 1 (not at all) to 5 (fully).\n\n${parts.join('')}Answer: {answer}\n\nReply with the number alone.`;
}
