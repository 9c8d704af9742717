/** What a template comes to: text, and marks that no value can forge. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'role' | 'section'; readonly value: string; readonly offset: number }
  | { readonly kind: 'media'; readonly value: string; readonly contentType?: string; readonly offset: number }
  | { readonly kind: 'history'; readonly value: ''; readonly offset: number };

/** Puts an indent before every line that begins among the pieces. */
export function indentPieces(pieces: readonly Piece[], indent: string): readonly Piece[] {
  let isAtStart = true;
  return pieces.map((piece) => {
    if (piece.kind !== 'text') return piece;
    const lines = piece.text.split('\n');
    const text = lines
      .map((line, index) => {
        const starts = index > 0 || isAtStart;
        return starts && (line !== '' || index < lines.length - 1) ? indent + line : line;
      })
      .join('\n');
    isAtStart = piece.text.endsWith('\n');
    return { kind: 'text', text };
  });
}
