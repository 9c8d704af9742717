/** How planted hunks break the case: one of them, either of two, or two together. */
export type PlantedKind = 'one' | 'two separate' | 'two together';

export interface BrokenPrompt {
  readonly before: string;
  readonly after: string;
  readonly hunks: number;
  /** The numbers of the planted hunks, as sets that each break the case. */
  readonly planted: readonly (readonly number[])[];
  /** What a model that follows every rule does with a prompt: true where the case fails. */
  fails(prompt: string): boolean;
}

interface PlannedHunk {
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Text of hunk 12 names topic-12, so that a result can be compared with what was planted. */
export function topicsOf(text: string): readonly number[] {
  return [...new Set([...text.matchAll(/topic-(\d+)/g)].map((match) => Number(match[1])))];
}

/** A prompt of paragraphs and lists of which sentences and items were added, removed and rewritten. */
export function makeBrokenPrompt(random: () => number, kind: PlantedKind, hunkCount: number): BrokenPrompt {
  const pick = (count: number): number => Math.floor(random() * count);
  const hunks = Array.from({ length: hunkCount }, (_, topic) => planHunk(topic, pick(3), pick));
  const [before, after]: [string[], string[]] = [['# Task\n\nSort it.'], ['# Task\n\nSort it.']];
  for (const [topic, hunk] of hunks.entries()) {
    const style = ['\n- ', ' ', '\n\n'][pick(3)] ?? ' ';
    for (let filler = pick(3); filler > 0; filler -= 1) {
      const text = `Keep rule ${topic}.${filler} in mind: ${words[pick(words.length)] ?? ''} ${words[pick(words.length)] ?? ''}.`;
      before.push(`\n${text}`);
      after.push(`\n${text}`);
    }
    if (hunk.before !== undefined) before.push(`${style}${hunk.before}`);
    if (hunk.after !== undefined) after.push(`${style}${hunk.after}`);
  }
  const first = pick(hunkCount);
  const second = (first + 1 + pick(Math.max(1, hunkCount - 1))) % hunkCount;
  const planted = plant(kind, first, second);
  return {
    before: `${before.join('')}\n\nMail: {{ mail }}\n`,
    after: `${after.join('')}\n\nMail: {{ mail }}\n`,
    hunks: hunkCount,
    planted,
    fails: (prompt) => planted.some((set) => set.every((topic) => isApplied(hunks[topic], prompt))),
  };
}

function plant(kind: PlantedKind, first: number, second: number): readonly (readonly number[])[] {
  if (kind === 'one') return [[first]];
  const both = [first, second].sort((a, b) => a - b);
  return kind === 'two together' ? [both] : both.map((topic) => [topic]);
}

const words =
  'amber basin cedar delta ember fjord grove haven inlet jetty knoll larch mesa nook orchard prairie quarry ridge shoal tundra anchor barley copper drift engine fabric garnet hazel island jasper kernel lantern marble nectar opal pebble quartz ribbon saddle timber umber velvet willow yarrow zephyr'.split(
    ' ',
  );

function planHunk(topic: number, kind: number, pick: (count: number) => number): PlannedHunk {
  const own = Array.from({ length: 6 }, () => words[pick(words.length)] ?? '').join(' ');
  const before = `Put topic-${topic} ${own} first.`;
  const after = `Put topic-${topic} ${own} last.`;
  if (kind === 0) return { before: undefined, after };
  return kind === 1 ? { before, after: undefined } : { before, after };
}

function isApplied(hunk: PlannedHunk | undefined, prompt: string): boolean {
  if (hunk?.after !== undefined) return prompt.includes(hunk.after);
  return hunk?.before !== undefined && !prompt.includes(hunk.before);
}
