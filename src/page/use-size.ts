import { useLayoutEffect, useState } from 'preact/hooks';

/** What `measure` reads of an element, again whenever its size changes. */
export function useSize(
  box: { readonly current: HTMLElement | null },
  initial: number,
  measure: (element: HTMLElement) => number,
): number {
  const [size, setSize] = useState(initial);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const update = () => setSize(measure(element));
    update();
    const observer = new ResizeObserver(update);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return size;
}
