import type { ComponentChildren } from 'preact';
import { plainName } from './safe-text.tsx';

interface TableProps {
  readonly label: string;
  /** `number` aligns its column to the right. */
  readonly headings: readonly (string | { readonly number: string })[];
  readonly kind?: string;
  readonly children: ComponentChildren;
}

/** A table that scrolls horizontally, so that a wide one does not widen the page. */
export function Table({ label, headings, kind, children }: TableProps) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={plainName(label)}>
      <table class={kind}>
        <thead>
          <tr>
            {headings.map((heading) => {
              const isNumber = typeof heading !== 'string';
              const text = isNumber ? heading.number : heading;
              return (
                <th key={text} scope="col" class={isNumber ? 'number' : undefined}>
                  {text}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
