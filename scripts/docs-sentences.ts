import { findFences } from './docs-pages.ts';

/** Words of a sentence on average over all pages, and in the longest one. */
export const maxAverage = 16;
export const maxSentence = 25;

export interface Sentence {
  readonly page: string;
  /** 1-based, of the paragraph that it stands in. */
  readonly line: number;
  readonly text: string;
  readonly words: number;
}

/**
 * The sentences of a page that people read from left to right: paragraphs, list items and cells of tables. Code in a
 * sentence counts as one word. Blocks of code, headings and HTML are left out.
 */
export function listSentences(page: string, text: string): readonly Sentence[] {
  const lines = text.split('\n');
  for (const { start, end } of findFences(text)) lines.fill('', start, end + 1);
  const sentences: Sentence[] = [];
  const read = (paragraph: string, line: number): void => {
    const plain = paragraph
      .replaceAll(/`+[^`]*`+/g, 'code')
      .replaceAll(/code(?:,? or code)+/g, 'code')
      .replaceAll(/!?\[([^\]]*)\]\((?:[^()]|\([^)]*\))*\)/g, '$1')
      .replaceAll(/\*\*|__|<[^>]*>/g, '');
    for (const sentence of plain.split(/(?<=[.!?]["')]*)\s+(?=["'(]*[\p{Lu}\d]|"\p{L}|(?:code|llmcheck)\b)/u)) {
      const words = sentence.match(/[\p{L}\p{N}][\p{L}\p{N}'’.,/-]*/gu)?.length ?? 0;
      if (words > 2) sentences.push({ page, line, text: sentence.trim(), words });
    }
  };
  let paragraph: string[] = [];
  let start = 0;
  const flush = (): void => {
    if (paragraph.length > 0) read(paragraph.join(' '), start + 1);
    paragraph = [];
  };
  for (const [index, line] of lines.entries()) {
    if (/^\s*\|/.test(line)) {
      flush();
      for (const cell of line.split(/(?<!\\)\|/)) read(cell, index + 1);
    } else if (line.trim() === '' || /^#|^\s*<|^\s*---/.test(line)) flush();
    else {
      if (/^\s*(?:[-*]|\d+\.) /.test(line)) flush();
      if (paragraph.length === 0) start = index;
      paragraph.push(line.replace(/^\s*(?:[-*>]|\d+\.) /, '').trim());
    }
  }
  flush();
  return sentences;
}

export function averageWords(sentences: readonly Sentence[]): number {
  return sentences.reduce((sum, { words }) => sum + words, 0) / Math.max(1, sentences.length);
}
