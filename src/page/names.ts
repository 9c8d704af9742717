import type { PageCell, PageVariant } from '../model/page.ts';
import { splitUnsafe } from '../text/sanitize.ts';

export function nameOf({ prompt, provider }: Pick<PageVariant, 'prompt' | 'provider'>): string {
  return `${prompt} × ${provider}`;
}

/** `2/3` passed, where there are several trials. */
export function trialsOf({ trials }: PageCell): string | undefined {
  return trials === undefined ? undefined : `${trials[0]}/${trials[1]}`;
}

export function formatNumber(value: number): string {
  return value.toLocaleString('en-US');
}

/** A text where there can be no more than a text, as in a title: what acts or hides is spelled out. */
export function plainName(text: string): string {
  return splitUnsafe(text)
    .map((part) => ('text' in part ? part.text : `<${part.mark}>`))
    .join('');
}
