export type Theme = 'auto' | 'light' | 'dark';

const key = 'llmcheck-theme';

/** Before anything is drawn, so that a dark room stays dark. */
export function startTheme(): void {
  applyTheme(storedTheme());
}

export function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(key);
    return stored === 'light' || stored === 'dark' ? stored : 'auto';
  } catch (error) {
    // Browsers refuse storage to some files; the system's theme is as good.
    if (!(error instanceof DOMException)) throw error;
    return 'auto';
  }
}

export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    localStorage.setItem(key, theme);
  } catch (error) {
    // Then it holds as long as the page is open.
    if (!(error instanceof DOMException)) throw error;
  }
}

function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}
