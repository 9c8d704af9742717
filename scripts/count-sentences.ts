// Counts the words of each sentence in the documentation: npm run docs:sentences
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listPages } from './docs-pages.ts';
import { averageWords, listSentences, maxAverage, maxSentence } from './docs-sentences.ts';

/** Prints the sentences that are too long; returns the exit code. */
function main(root: string): number {
  const sentences = listPages(root).flatMap((page) => listSentences(page, readFileSync(join(root, page), 'utf8')));
  const long = sentences.filter(({ words }) => words > maxSentence).toSorted((a, b) => b.words - a.words);
  for (const { page, line, words, text } of long) console.log(`${page}:${line}: ${words} words: ${text}`);
  const average = averageWords(sentences);
  console.log(
    `${sentences.length} sentences, ${average.toFixed(1)} words on average, ${long.length} over ${maxSentence}`,
  );
  return long.length > 0 || average > maxAverage ? 1 : 0;
}

process.exitCode = main(process.cwd());
