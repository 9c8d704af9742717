import { writeJson } from '../json/canonical-json.ts';
import { spell } from '../text/spell.ts';
import { plainNumbers, SpelledNumber } from '../text/spelled-number.ts';
import type { JudgedInput } from './define.ts';
import type { FramedPart } from './frame-parts.ts';

/** What the answer answers, as parts for a judge: the case's variables, and what was said before. */
export function describeInput(input: JudgedInput | undefined): readonly FramedPart[] {
  if (input === undefined) return [];
  const { vars, conversation } = input;
  const entries = Object.entries(vars);
  const [only] = entries;
  const said = conversation.map(({ role, name, content }) => `${name ?? role}: ${content}`);
  const text =
    only !== undefined && entries.length === 1
      ? textOf(only[1])
      : entries.map(([name, value]) => `${name}: ${textOf(value)}`).join('\n');
  return [
    ...(entries.length === 0 ? [] : [{ title: 'input', text }]),
    ...(said.length === 0 ? [] : [{ title: 'conversation', text: said.join('\n\n') }]),
  ];
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof SpelledNumber ? spell(value) : (writeJson(plainNumbers(value)) ?? '');
}
