export interface FoundTag {
  /** Trimmed; undefined where the tag is not there or is never closed. */
  readonly content?: string;
  readonly opened: boolean;
}

/**
 * The content of the first element of that name, elements of the same name inside it included.
 * Answers are no XML documents, so nothing else of the text has to be well-formed.
 */
export function findXmlTag(text: string, tag: string): FoundTag {
  let depth = 0;
  let contentStart = 0;
  let at = 0;
  for (let start = text.indexOf('<'); start !== -1; start = text.indexOf('<', at)) {
    const closing = text[start + 1] === '/';
    const nameEnd = start + (closing ? 2 : 1) + tag.length;
    at = start + 1;
    if (!text.startsWith(tag, nameEnd - tag.length) || (closing && depth === 0)) continue;
    // The name must end right there: `<answers>` is no `<answer>`.
    if (!/^[\s/>]/.test(text.slice(nameEnd, nameEnd + 1))) continue;
    const end = text.indexOf('>', nameEnd);
    if (end === -1) break;
    at = end + 1;
    if (closing) {
      depth -= 1;
      if (depth === 0) return { content: text.slice(contentStart, start).trim(), opened: true };
    } else if (text[end - 1] === '/') {
      if (depth === 0) return { content: '', opened: true };
    } else {
      if (depth === 0) contentStart = at;
      depth += 1;
    }
  }
  return { opened: depth > 0 };
}
