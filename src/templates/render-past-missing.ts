import { type RenderOptions, renderTree } from './render-tree.ts';
import { joinErrors, TemplateError } from './template-error.ts';
import type { Piece } from './template-pieces.ts';
import type { TemplateTree } from './template-tree.ts';

/** Renders a tree; where a variable is missing, the error has every other that is beside it. */
export function renderPastMissing(
  tree: TemplateTree,
  vars: Readonly<Record<string, unknown>>,
  options: RenderOptions,
): readonly Piece[] {
  try {
    return renderTree(tree, vars, options);
  } catch (error) {
    if (!(error instanceof TemplateError) || error.kind !== 'missing-variable') throw error;
    throw joinErrors(error, findMissing(tree, vars, options));
  }
}

function findMissing(
  tree: TemplateTree,
  vars: Readonly<Record<string, unknown>>,
  options: RenderOptions,
): readonly TemplateError[] {
  const found: TemplateError[] = [];
  try {
    renderTree(tree, vars, { ...options, onMissing: (error) => found.push(error) });
  } catch (error) {
    // Nothing can be said of what comes after an empty variable that needs a value.
    if (!(error instanceof TemplateError)) throw error;
  }
  return found;
}
