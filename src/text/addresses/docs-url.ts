/** The URL of a documentation page. The package contains no pages. */
export function docsUrl(page: string): string {
  return `https://github.com/llmcheck/llmcheck/blob/main/docs/${page}`;
}
