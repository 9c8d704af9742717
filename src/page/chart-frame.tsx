import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { plainName } from './names.ts';
import { SafeLine } from './safe-text.tsx';

interface ChartFrameProps {
  readonly title: string;
  /** What is to be seen in it, in a sentence. */
  readonly summary: string;
  /** The same as a table: its head, then its rows. */
  readonly table: readonly (readonly string[])[];
  readonly children: (width: number) => ComponentChildren;
}

export const chartHeight = 200;

/** A chart in its own width, with its words for who can't see it and its numbers for who wants them. */
export function ChartFrame({ title, summary, table, children }: ChartFrameProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const id = useId();
  const [head = [], ...rows] = table;
  return (
    <figure class="chart">
      <figcaption>
        <SafeLine text={title} />
      </figcaption>
      <div ref={box}>
        <svg
          role="img"
          aria-labelledby={`${id}-title ${id}-desc`}
          width={width}
          height={chartHeight}
          viewBox={`0 0 ${width} ${chartHeight}`}
        >
          <title id={`${id}-title`}>{plainName(title)}</title>
          <desc id={`${id}-desc`}>{plainName(summary)}</desc>
          {children(width)}
        </svg>
      </div>
      <p class="note">
        <SafeLine text={summary} />
      </p>
      <details>
        <summary>As a table</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={plainName(`Table: ${title}`)}>
          <table>
            <thead>
              <tr>
                {head.map((text) => (
                  <th key={text} scope="col">
                    {text}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((cells, row) => (
                <tr key={row}>
                  {cells.map((text, column) => (
                    <td key={column}>
                      <SafeLine text={text} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

function useWidth(box: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(420);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const measure = () => setWidth(Math.max(200, Math.floor(element.clientWidth)));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
