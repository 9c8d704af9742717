import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

interface HeaderProps {
  readonly links: readonly { readonly text: string; readonly href: string; readonly isCurrent: boolean }[];
  readonly children?: ComponentChildren;
}

export function Header({ links, children }: HeaderProps) {
  return (
    <>
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to the content
      </a>
      <header class="top">
        <div class="top-inner">
          <span class="brand">
            <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
              <rect width="16" height="16" rx="4" class="brand-box" />
              <path d="M4 8.4l2.7 2.7L12 5.4" class="brand-tick" />
            </svg>
            llmcheck
          </span>
          <nav aria-label="Pages">
            {links.map(({ text, href, isCurrent }) => (
              <a key={text} href={href} aria-current={isCurrent ? 'page' : undefined}>
                {text}
              </a>
            ))}
          </nav>
          {children}
          <ThemeSwitch />
        </div>
      </header>
    </>
  );
}

/** Moves the focus by script, since following a link to `#main` would change the route. */
function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(storedTheme);
  const choose = (chosen: Theme) => {
    setTheme(chosen);
    chooseTheme(chosen);
  };
  return (
    <label class="theme">
      <span class="off-screen">Colours</span>
      <select value={theme} onChange={(event) => choose(event.currentTarget.value as Theme)}>
        <option value="auto">Auto</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

export type Theme = 'auto' | 'light' | 'dark';

const key = 'llmcheck-theme';

/** Applies the stored theme. Call it before the first render, so that the page does not flash. */
export function startTheme(): void {
  applyTheme(storedTheme());
}

export function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(key);
    return stored === 'light' || stored === 'dark' ? stored : 'auto';
  } catch (error) {
    // Browsers may refuse storage to a page from disk, which then follows the system's theme.
    if (!(error instanceof DOMException)) throw error;
    return 'auto';
  }
}

export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    localStorage.setItem(key, theme);
  } catch (error) {
    // Without storage the theme lasts until the page is closed.
    if (!(error instanceof DOMException)) throw error;
  }
}

function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}
