import type { Cell } from '../model/cell.ts';
import type { AskedCase } from '../model/record.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import { clipText } from '../terminal/display-width.ts';

/** What a cell sends, as a report shows it. Documents of megabytes in a prompt would make a record of gigabytes. */
export function describeAsked(
  { request, turns, tags, description }: Pick<Cell, 'request' | 'turns' | 'tags' | 'description'>,
  mask: Mask,
): AskedCase {
  return {
    messages: request.messages.map(({ role, content: text, attachments }) => {
      const content = mask(text);
      // Nearly all are of this form, and one shape costs a record of many rows least.
      if (attachments === undefined && content.length <= maxChars) return { role, content };
      const said = { role, ...clip(content) };
      return attachments === undefined ? said : { ...said, attach: attachments.map(({ path }) => mask(path)) };
    }),
    ...(turns.length === 0
      ? {}
      : {
          turns: turns.map((turn) =>
            turn.kind === 'user'
              ? { role: 'user' as const, ...clip(mask(turn.content)) }
              : { role: 'tool' as const, name: mask(turn.name), ...clip(mask(turn.content)) },
          ),
        }),
    ...(tags === undefined ? {} : { tags: tags.map(mask) }),
    ...(description === undefined ? {} : { description: mask(description) }),
  };
}

const maxChars = 16_384;

function clip(text: string): { readonly content: string; readonly ofChars?: number } {
  if (text.length <= maxChars) return { content: text };
  return { content: clipText(text, maxChars), ofChars: text.length };
}
