import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import type { RateEstimate } from '../../model/run/summary.ts';
import { percentOf } from '../../text/format-amount.ts';
import { plainName, SafeLine, Table } from '../elements.tsx';
import { useSize } from '../page-source.ts';
import { chartHeight, type Scale } from './scales.ts';

interface ChartFrameProps {
  readonly title: string;
  /** A description of the chart in one sentence. */
  readonly summary: string;
  /** The data as a table: the head, then the rows. */
  readonly table: readonly (readonly string[])[];
  readonly children: (width: number) => ComponentChildren;
}

/** A chart with a sentence and a table of the same data. */
export function ChartFrame({ title, summary, table, children }: ChartFrameProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useSize(box, 420, ({ clientWidth }) => Math.max(200, Math.floor(clientWidth)));
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
        <Table label={`Table: ${title}`} headings={head}>
          {rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((text, column) => (
                <td key={column}>
                  <SafeLine text={text} />
                </td>
              ))}
            </tr>
          ))}
        </Table>
      </details>
    </figure>
  );
}

/** The grid of a chart whose vertical axis is a pass rate. */
export function RateAxis({ y, width }: { readonly y: Scale; readonly width: number }) {
  return (
    <>
      {y.ticks.map((tick) => (
        <g key={tick}>
          <line class="grid" x1={50} x2={width - 8} y1={y(tick)} y2={y(tick)} />
          <text class="tick" x={44} y={y(tick) + 4} text-anchor="end">
            {percentOf(tick, 0)} %
          </text>
        </g>
      ))}
    </>
  );
}

interface RateMarkProps {
  readonly rate: RateEstimate;
  readonly x: number;
  readonly y: Scale;
  readonly isHollow?: boolean;
}

/** A rate as a dot on its interval. */
export function RateMark({ rate: { value, low, high }, x, y, isHollow = false }: RateMarkProps) {
  // An unknown rate is not 0.
  if (value === null) return null;
  return (
    <g>
      {low === null || high === null ? null : <line class="range" x1={x} x2={x} y1={y(low)} y2={y(high)} />}
      <circle class={isHollow ? 'dot hollow' : 'dot'} cx={x} cy={y(value)} r={4} />
    </g>
  );
}
