import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

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

/** Moves the focus by script, because following a link to `#main` would change the route. */
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

type Theme = 'auto' | 'light' | 'dark';

const key = 'llmcheck-theme';

/** Applies the stored theme. Call it before the first render, so that the page does not flash. */
export function startTheme(): void {
  applyTheme(storedTheme());
}

function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(key);
    return stored === 'light' || stored === 'dark' ? stored : 'auto';
  } catch (error) {
    // Browsers may refuse storage to a page from disk, which then follows the system's theme.
    if (!(error instanceof DOMException)) throw error;
    return 'auto';
  }
}

function chooseTheme(theme: Theme): void {
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

/** Handles the keyboard shortcuts of a report, and lists them in a dialog. */
export function Keys({ onSearch }: { readonly onSearch: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const search = useRef(onSearch);
  search.current = onSearch;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isOpen = dialog.current?.open === true;
      if (isOpen || isTyping(event)) return;
      const act = actions[event.key];
      if (event.key === '?') dialog.current?.showModal();
      else if (event.key === '/') search.current();
      else if (act?.() !== true) return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <button type="button" class="keys-button" onClick={() => dialog.current?.showModal()}>
        Keys <kbd aria-hidden="true">?</kbd>
      </button>
      <dialog ref={dialog} aria-labelledby="keys-title" class="keys">
        <h2 id="keys-title">Keys</h2>
        <dl>
          {described.map(([keys, what]) => (
            <div key={what}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <form method="dialog">
          <button type="submit" class="primary">
            Close
          </button>
        </form>
      </dialog>
    </>
  );
}

const described: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['j', 'k'], 'next and previous case'],
  [['Enter'], 'open the case'],
  [['/'], 'search the cases'],
  [['←', '↑', '↓', '→'], 'move in the table of cases'],
  [['?'], 'show these keys'],
  [['Esc'], 'close them'],
];

/** Each returns false if there was nothing to do. */
const actions: Readonly<Record<string, (() => boolean) | undefined>> = {
  j: () => follow('next') || step(1),
  k: () => follow('prev') || step(-1),
};

/** True if a key is typed into a field or belongs to the browser. */
function isTyping({ target, ctrlKey, metaKey, altKey, isComposing }: KeyboardEvent): boolean {
  if (ctrlKey || metaKey || altKey || isComposing) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** Opens the neighbour of the shown case. False outside the page of a case. */
function follow(rel: 'next' | 'prev'): boolean {
  const link = document.querySelector<HTMLAnchorElement>(`.neighbours a[rel=${rel}]`);
  link?.click();
  return document.querySelector('.neighbours') !== null;
}

/** Moves the focus to the next or previous case of a list. */
function step(direction: 1 | -1): boolean {
  const links = [...document.querySelectorAll<HTMLElement>('[data-step]')].filter((link) => link.checkVisibility());
  const active = document.activeElement;
  const current = links.findIndex((link) => link === active || link.closest('tr, li')?.contains(active) === true);
  const next = links[current === -1 ? (direction === 1 ? 0 : links.length - 1) : current + direction];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  return links.length > 0;
}
