import { dataSetImporter } from './data-sets/data-set.ts';
import type { Importer } from './importer.ts';
import { openaiEvalsImporter } from './openai-evals.ts';
import { promptfooImporter } from './promptfoo/promptfoo-importer.ts';
import { skillEvalsImporter } from './skill-evals.ts';

/** In the order of the help. */
export const importers: readonly Importer[] = [
  promptfooImporter,
  openaiEvalsImporter,
  skillEvalsImporter,
  dataSetImporter,
];
