import { useEffect, useState } from 'preact/hooks';

interface CopyButtonProps {
  readonly text: string;
  /** Of what is copied. */
  readonly label: string;
  readonly caption?: string;
}

export function CopyButton({ text, label, caption = 'Copy' }: CopyButtonProps) {
  const [state, setState] = useState<'idle' | 'copied' | 'refused'>('idle');
  useEffect(() => {
    if (state === 'idle') return undefined;
    const timer = setTimeout(() => setState('idle'), 1500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    void copyText(text).then((isCopied) => setState(isCopied ? 'copied' : 'refused'));
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={`${caption}: ${label}`}>
      <span aria-live="polite">{state === 'idle' ? caption : words[state]}</span>
    </button>
  );
}

const words = { copied: 'Copied', refused: 'Not allowed' } as const;

/** A file that was opened from disk may have no clipboard but the old way. */
async function copyText(text: string): Promise<boolean> {
  if (isSecureContext && 'clipboard' in navigator) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'off-screen';
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}
