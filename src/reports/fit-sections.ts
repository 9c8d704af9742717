/** A part of a report that can be cut: its items fall away from the end, and the whole where none fits. */
export interface Section {
  readonly head: string;
  /** Made when there is room for them. */
  readonly items: readonly (() => string)[];
  readonly tail: string;
  /** Plural, for what is left out. */
  readonly noun: string;
}

/** The sections in their order, as many items as there is room for; earlier ones go first. */
export function fitSections(sections: readonly Section[], maxChars: number): { text: string; leftOut: string[] } {
  const leftOut: string[] = [];
  let text = '';
  for (const { head, items, tail, noun } of sections) {
    if (items.length === 0) continue;
    let body = '';
    let fitting = 0;
    for (const item of items) {
      const next = item();
      if (text.length + head.length + body.length + next.length + tail.length > maxChars) break;
      body += next;
      fitting += 1;
    }
    if (fitting > 0) text += head + body + tail;
    if (fitting < items.length) leftOut.push(`${items.length - fitting} of ${items.length} ${noun}`);
  }
  return { text, leftOut };
}
