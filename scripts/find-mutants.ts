/** Finds small faults that can be planted in a source file: one changed operator, value or statement each. */
import ts from 'typescript';

export interface Mutant {
  /** 1-based. */
  readonly line: number;
  readonly was: string;
  readonly becomes: string;
  /** The whole source with the fault in it. */
  readonly source: string;
}

const otherOperators: ReadonlyMap<string, string> = new Map([
  ['<', '<='],
  ['<=', '<'],
  ['>', '>='],
  ['>=', '>'],
  ['===', '!=='],
  ['!==', '==='],
  ['&&', '||'],
  ['||', '&&'],
  ['+', '-'],
  ['-', '+'],
  ['*', '/'],
  ['/', '*'],
]);

export function findMutants(path: string, source: string): readonly Mutant[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const mutants: Mutant[] = [];
  const replace = (node: ts.Node, becomes: string) => {
    const [start, end] = [node.getStart(file), node.getEnd()];
    mutants.push({
      line: file.getLineAndCharacterOfPosition(start).line + 1,
      was: source.slice(start, end),
      becomes,
      source: source.slice(0, start) + becomes + source.slice(end),
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isImportDeclaration(node)) return;
    mutate(node, replace);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return mutants;
}

function mutate(node: ts.Node, replace: (node: ts.Node, becomes: string) => void): void {
  if (ts.isBinaryExpression(node)) {
    const other = otherOperators.get(node.operatorToken.getText());
    if (other !== undefined && !(other === '-' && isText(node))) replace(node.operatorToken, other);
    if (node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) replace(node, `(${node.left.getText()})`);
  } else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    replace(node, node.operand.getText());
  } else if (ts.isIfStatement(node)) {
    replace(node.expression, 'true');
    replace(node.expression, 'false');
  } else if (ts.isConditionalExpression(node)) {
    replace(node, `(${node.whenTrue.getText()})`);
    replace(node, `(${node.whenFalse.getText()})`);
  } else if (node.kind === ts.SyntaxKind.TrueKeyword) replace(node, 'false');
  else if (node.kind === ts.SyntaxKind.FalseKeyword) replace(node, 'true');
  else if (ts.isNumericLiteral(node)) replace(node, `${Number(node.text.replaceAll('_', '')) + 1}`);
  else if (ts.isExpressionStatement(node) || ts.isContinueStatement(node)) replace(node, ';');
  else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { name, expression } = node.expression;
    if (['filter', 'sort', 'toSorted', 'reverse', 'slice', 'trim'].includes(name.text))
      replace(node, expression.getText());
  }
}

/** A sum with text in it is text: to subtract would change what it is, not what it says. */
function isText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node) || node.getChildren().some(isText);
}
